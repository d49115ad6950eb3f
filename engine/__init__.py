"""Steers sound: reads it, explains its prediction, filters, renders and plays it.

The names below are imported when they are first used, for torch takes seconds. The interface for users is at the top,
in `moodfader` itself.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .analysis.analysis import Analysis
    from .analysis.analysis_file import load_analysis
    from .analysis.cache import analyze
    from .analysis.prediction import predict_track
    from .analysis.settings import AnalysisSettings
    from .audio.track import Track, load_track
    from .dsp.faders import Faders

_HOMES = {
    "Analysis": "analysis.analysis",
    "AnalysisSettings": "analysis.settings",
    "Faders": "dsp.faders",
    "Track": "audio.track",
    "analyze": "analysis.cache",
    "load_analysis": "analysis.analysis_file",
    "load_track": "audio.track",
    "predict_track": "analysis.prediction",
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
]


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
