"""What is done with the sound: reading, segments, explanations, gains, mixing, rendering.

The names below are the package's Python interface; they are imported when first used, for torch takes seconds.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .analysis.analysis import Analysis, AnalysisSettings
    from .analysis.analysis_file import load_analysis
    from .analysis.cache import analyze
    from .analysis.prediction import predict_track
    from .audio.track import Track, load_track
    from .dsp.faders import Faders
    from .render.render import render

_HOMES = {
    "Analysis": "analysis.analysis",
    "AnalysisSettings": "analysis.analysis",
    "Faders": "dsp.faders",
    "Track": "audio.track",
    "analyze": "analysis.cache",
    "load_analysis": "analysis.analysis_file",
    "load_track": "audio.track",
    "predict_track": "analysis.prediction",
    "render": "render.render",
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
