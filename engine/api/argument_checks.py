"""Validation of arguments of the public functions: one line that names the argument, before work begins."""

import math
import numbers
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ...models.common.errors import InputError
from ..analysis.analysis import Analysis
from ..analysis.settings import AnalysisSettings
from ..dsp.faders import Faders

if TYPE_CHECKING:
    from ...models.inference.checkpoint import Model

_Kind = TypeVar("_Kind")


def whole_number(value: Any, low: int, high: int, *, what: str, guess: str = "") -> int:  # noqa: ANN401
    """A whole number within a range, whatever type of number it has.

    Raises
    ------
    InputError
        `what` and the value, that whole numbers from `low` to `high` are possible, and the guess.
    """
    number = _real(value)
    if number is None or not low <= number <= high or number != int(number):
        raise InputError(f"{what} {_shown(value)}: a whole number from {low} to {high} is needed{guess}")
    return int(value)


def array_of_samples(value: Any, *, what: str) -> np.ndarray:  # noqa: ANN401
    """An array of whatever has numbers in it, all of them. Raises InputError: no array, or masked in part."""
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise InputError(f"{what}: some of its samples are masked (value.filled(0) makes them silence)")
    try:
        return np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:  # (RuntimeError: a tensor of torch with a gradient)
        raise InputError(f"{what}: {type(value).__name__} cannot be made an array ({error})") from error


def seconds(value: Any, *, what: str) -> float | None:  # noqa: ANN401
    """A number of seconds, or None. Raises InputError."""
    number = None if value is None else _real(value)
    if value is not None and number is None:
        raise InputError(f"{what} {_shown(value)}: a number of seconds is needed")
    return number


def decibels(value: Any, low: float, high: float, *, what: str) -> float:  # noqa: ANN401
    """A number of decibels within a range. Raises InputError."""
    number = _real(value)
    if number is None or not low <= number <= high:
        raise InputError(f"{what} {_shown(value)}: a number from {low:g} to {high:g} dB is needed")
    return number


def as_faders(faders: Any) -> Faders:  # noqa: ANN401
    """`Faders`, also from a mapping of names to dB. Raises InputError."""
    if isinstance(faders, Faders):
        return faders
    if isinstance(faders, Mapping):
        return Faders.from_mapping(faders)
    guess = " (find_preset(name).faders are those of a preset)" if isinstance(faders, str) else ""
    raise InputError(f"faders {_shown(faders)}: Faders(modality=3) or a mapping {{'modality': 3}} is needed{guess}")


def as_analysis(analysis: Any) -> Analysis:  # noqa: ANN401
    """An analysis. Raises InputError for anything else."""
    return _of_kind(analysis, Analysis, "analysis", "analyze(audio) makes one, load_analysis(path) reads one")


def as_model(model: Any) -> "Model":  # noqa: ANN401
    """A model. Raises InputError for anything else."""
    from ...models.inference.checkpoint import Model  # imported here: filtering blocks needs no network

    return _of_kind(model, Model, "model", "load_model(path) reads one")


def as_settings(settings: Any) -> AnalysisSettings | None:  # noqa: ANN401
    """Settings of an analysis, or None. Raises InputError for anything else."""
    if settings is None:
        return None
    return _of_kind(settings, AnalysisSettings, "settings", "AnalysisSettings(seed=1) makes them")


def _of_kind(value: Any, kind: type[_Kind], what: str, how: str) -> _Kind:  # noqa: ANN401
    if not isinstance(value, kind):
        raise InputError(f"{what} {_shown(value)}: {kind.__name__} is needed ({how})")
    return value


def _real(value: Any) -> float | None:  # noqa: ANN401
    """A finite number as float, None for what is none."""
    if isinstance(value, str | bytes | bool) or not (isinstance(value, numbers.Real) or hasattr(value, "__float__")):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _shown(value: object) -> str:
    """A value in a line: short things as Python writes them, of others the type."""
    text = repr(value) if isinstance(value, str | bytes | bool | int | float | None) else str(value)
    return text if len(text) <= 40 and "\n" not in text else f"of type {type(value).__name__}"
