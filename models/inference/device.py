"""Devices: names as users give them, and deterministic single precision on CUDA.

torch is imported only where there may be a card.
"""

import ctypes
import os
import re
import sys
from pathlib import Path

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
    if name == "cpu" or (name == "auto" and not _has_card_driver()):
        return "cpu"
    if name == "auto":
        import torch

        return "cuda" if torch.cuda.is_available() else "cpu"
    if not isinstance(name, str) or not re.fullmatch(r"cpu|cuda(:\d+)?", name, re.ASCII):
        raise InputError(f"no device is called {name!r}: there are auto, cpu, cuda and cuda:N")
    import torch

    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            f"device {name!r}: torch finds none that is usable (driver missing, or a CPU-only torch?)"
        ) from error
    return name


def _has_card_driver() -> bool:
    """Whether a driver that torch could use is installed: NVIDIA's, or AMD's under Linux."""
    if Path("/dev/kfd").exists():
        return True
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True


def use_deterministic_fp32(device: str) -> None:
    """Disable TF32 and choose deterministic algorithms on a CUDA device, for the whole process.

    By default torch rounds the factors of convolutions to 10 bits there (TF32), and its fastest algorithms may sum in
    another order each time.

    Parameters
    ----------
    device
        torch's name of the device; without effect for the CPU.
    """
    if device.partition(":")[0] == "cuda":
        import torch

        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS reads it at its first call
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
        torch.use_deterministic_algorithms(True, warn_only=True)
