"""Devices: names as users give them, and deterministic single precision on CUDA."""

import os
import re

import torch

from ..common.errors import InputError


def resolve_device(name: str) -> str:
    """Return torch's name of a device.

    Parameters
    ----------
    name
        "auto" (CUDA if available, else the CPU), "cpu", "cuda" or "cuda:N".

    Raises
    ------
    InputError
        The name is unknown, or there is no such device.
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
    """Disable TF32 and choose deterministic algorithms on a CUDA device, for the whole process.

    By default torch rounds the factors of convolutions to 10 bits there (TF32), and its fastest algorithms may sum in
    another order each time.

    Parameters
    ----------
    device
        torch's name of the device; without effect for the CPU.
    """
    if torch.device(device).type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS reads it at its first call
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
        torch.use_deterministic_algorithms(True, warn_only=True)
