"""What is done with the sound: reading, segments, explanations, gains, mixing, rendering.

The names below are the package's Python interface; they are imported when first used, for torch takes seconds.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .analysis import Analysis, AnalysisSettings
    from .faders import Faders
    from .prediction import predict_track
    from .rendering import render
    from .store import analyze, load_analysis
    from .track import Track, load_track

_HOMES = {
    "Analysis": "analysis",
    "AnalysisSettings": "analysis",
    "Faders": "faders",
    "Track": "track",
    "analyze": "store",
    "load_analysis": "store",
    "load_track": "track",
    "predict_track": "prediction",
    "render": "rendering",
}

__all__ = [
    "Analysis",
    "AnalysisSettings",
    "Faders",
    "Track",
    "analyze",
    "load_analysis",
    "load_track",
    "predict_track",
    "render",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
