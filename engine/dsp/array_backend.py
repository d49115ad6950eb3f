"""The two array libraries that the mask filter runs on: NumPy on a processor, torch on a graphics card.

The filter's arithmetic is written once, with functions that both have under the same name; this module says which
library it is, which Fourier transform belongs to it, and how arrays get there and back. torch is imported only where
it is asked for: what plays live does without.
"""

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from ...models.signal import compiled_scipy


@dataclass(frozen=True)
class ArrayBackend:
    """`xp` has exp, concatenate and the like; `fft` has rfft and irfft along the last axis."""

    xp: ModuleType
    fft: ModuleType
    device: str

    def to_device(self, array: np.ndarray) -> Any:  # noqa: ANN401
        """The array in this library, on its device (NumPy: the array itself)."""
        return array if self.xp is np else self.xp.as_tensor(np.ascontiguousarray(array), device=self.device)

    def to_host(self, array: Any) -> np.ndarray:  # noqa: ANN401
        """The array as NumPy's."""
        return np.asarray(array if self.xp is np else array.cpu().numpy())


compiled_scipy.load_transform()
NUMPY = ArrayBackend(np, compiled_scipy, "cpu")


def array_backend(device: object = "cpu") -> ArrayBackend:
    """NumPy for "cpu"; torch for any other device (a name or a torch.device)."""
    name = str(device)
    if name == "cpu":
        return NUMPY
    import torch

    return ArrayBackend(torch, torch.fft, name)
