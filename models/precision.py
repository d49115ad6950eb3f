"""Where less than single precision is too little: inside a network that may learn in half, and on a graphics card."""

import os

import torch


def exact_on(device: str) -> None:
    """Let a graphics card compute as a processor does, for the whole process: in single precision, twice the same.

    torch rounds the factors of convolutions to ten bits there by default (TF32), and takes whichever algorithm is
    quickest, of which some add up in another order each time. On a processor there is nothing to do.
    """
    if torch.device(device).type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # (read when the first product is asked for)
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
        torch.use_deterministic_algorithms(True, warn_only=True)


def at_least_single(x: torch.Tensor) -> torch.Tensor:
    """x in single precision if it comes in half, else as it is."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
