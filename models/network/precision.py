"""Where less than single precision is too little, inside a network that may learn in half."""

import torch


def at_least_single(x: torch.Tensor) -> torch.Tensor:
    """x in single precision if it comes in half, else as it is."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
