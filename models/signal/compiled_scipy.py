"""SciPy's compiled Fourier transform and section filter, without the packages around them.

`import scipy.fft` takes a sixth of a second of processor time, `import scipy.signal` more than half, most of it for
what is not used here: as long as a minute of sound takes to render. The two compiled modules alone load in
milliseconds and give the same numbers. They are not SciPy's public interface: where a version keeps them elsewhere,
the public functions are used.
"""

import importlib
import importlib.util
import sys
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, FileFinder
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np


@cache
def _extension(name: str) -> ModuleType:
    """A compiled module of SciPy by its full name. Raises ImportError where there is none."""
    if name in sys.modules:
        return sys.modules[name]
    package = importlib.util.find_spec("scipy")  # (importing it takes as long as all that is needed of it)
    if package is None or not package.submodule_search_locations:
        raise ImportError("no SciPy", name="scipy")
    folder = Path(package.submodule_search_locations[0], *name.split(".")[1:-1])
    spec = FileFinder(str(folder), (ExtensionFileLoader, EXTENSION_SUFFIXES)).find_spec(name)
    if spec is None or spec.loader is None:
        raise ImportError(f"no compiled module {name} in {folder}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def _transform() -> ModuleType | None:
    try:
        module = _extension("scipy.fft._pocketfft.pypocketfft")
        probe = np.arange(4, dtype=np.float32)
        again = module.c2r(module.r2c(probe, (0,), True, 0), (0,), 4, False, 2)
        return module if again.dtype == np.float32 and np.allclose(again, probe) else None
    except (ImportError, AttributeError, TypeError, ValueError):
        return None


def load_transform() -> None:
    """Load what `rfft` and `irfft` need: before a thread of the sound calls them for the first time."""
    if _transform() is None:
        importlib.import_module("scipy.fft")


def rfft(x: np.ndarray) -> np.ndarray:
    """`scipy.fft.rfft` along the last axis: float32 or float64 [..., n] -> complex [..., n // 2 + 1]."""
    if (module := _transform()) is not None:
        return np.asarray(module.r2c(x, (x.ndim - 1,), True, 0))
    import scipy.fft

    return np.asarray(scipy.fft.rfft(x))


def irfft(x: np.ndarray, n: int) -> np.ndarray:
    """`scipy.fft.irfft` along the last axis: complex [..., n // 2 + 1] -> real [..., n]."""
    if (module := _transform()) is not None:
        return np.asarray(module.c2r(x, (x.ndim - 1,), n, False, 2))
    import scipy.fft

    return np.asarray(scipy.fft.irfft(x, n))


@cache
def _section_filter() -> Any:  # noqa: ANN401
    try:
        function = _extension("scipy.signal._sosfilt")._sosfilt
        probe, state = np.ones((1, 2)), np.zeros((1, 1, 2))
        function(np.array([[1.0, 1.0, 0.0, 1.0, 0.0, 0.0]]), probe, state)  # y[n] = x[n] + x[n - 1]
        return function if probe.tolist() == [[1.0, 2.0]] else None
    except (ImportError, AttributeError, TypeError, ValueError):
        return None


def load_section_filter() -> None:
    """Load what `filter_sections` needs: before a thread of the sound calls it for the first time."""
    if _section_filter() is None:
        importlib.import_module("scipy.signal")


def filter_sections(sections: np.ndarray, samples: np.ndarray, state: np.ndarray) -> None:
    """`scipy.signal.sosfilt` in place.

    Parameters
    ----------
    sections
        Second-order sections, float64 [sections, 6].
    samples
        float64 [channels, samples], contiguous; replaced by the filter's output.
    state
        float64 [channels, sections, 2], contiguous; replaced by the state after the last sample.
    """
    if (function := _section_filter()) is not None:
        function(sections, samples, state)
        return
    from scipy.signal import sosfilt

    output, after = sosfilt(sections, samples, axis=1, zi=state.transpose(1, 0, 2))
    samples[:] = output
    state[:] = after.transpose(1, 0, 2)
