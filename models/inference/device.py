"""Where it is computed: the device that a person means, and a graphics card that computes as a processor does."""

import os
import re

import torch

from ..common.errors import InputError


def resolve_device(name: str) -> str:
    """torch's name of the device called auto (a graphics card where there is one), cpu, cuda or cuda:N.

    Raises InputError for another name, and where there is no such device.
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if not re.fullmatch(r"cpu|cuda(:\d+)?", name, re.ASCII):
        raise InputError(f"no device is called {name!r}: there are auto, cpu, cuda and cuda:N")
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            f"device {name!r}: torch finds none that is usable (driver missing, or a CPU-only torch?)"
        ) from error
    return name


def use_deterministic_fp32(device: str) -> None:
    """Let a graphics card compute as a processor does, for the whole process: in single precision, twice the same.

    torch rounds the factors of convolutions to ten bits there by default (TF32), and takes whichever algorithm is
    quickest, of which some add up in another order each time. On a processor there is nothing to do.
    """
    if torch.device(device).type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # (read when the first product is asked for)
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
        torch.use_deterministic_algorithms(True, warn_only=True)
