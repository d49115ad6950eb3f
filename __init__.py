"""Moodfader: a fader for each perceptual quality of a finished recording, and the emotions it moves.

The names below are the public interface; each is imported when it is first used, for torch takes seconds.

>>> import moodfader
>>> prediction = moodfader.predict("song.ogg")
>>> 0 < prediction.emotions["tension"] < 1
True
>>> analysis = moodfader.analyze("song.ogg")
>>> result = moodfader.render("song.ogg", analysis, "out.wav", faders={"dissonance": 6})
>>> result.output
'out.wav'
"""

import importlib

TYPE_CHECKING = False  # (type checkers know the name; typing would take longer to import than all else here)
if TYPE_CHECKING:
    from typing import Any

    from .control.session.presets import Preset, available_presets, find_preset
    from .engine.analysis.analysis import Analysis
    from .engine.analysis.analysis_file import load_analysis
    from .engine.analysis.prediction import Prediction
    from .engine.analysis.settings import AnalysisSettings
    from .engine.api.array_source import track_from_array
    from .engine.api.fader_processor import FaderProcessor
    from .engine.api.functions import analyze, explain, load_model, predict, render
    from .engine.audio.track import Track, load_track
    from .engine.dsp.faders import Faders
    from .engine.plotting.explanation import Explanation
    from .engine.render.render import RenderResult
    from .models.common.constants import EMOTIONS, MIDLEVEL
    from .models.common.errors import InputError
    from .models.inference.checkpoint import Model

__version__ = "0.17.0"

__all__ = [
    "EMOTIONS",
    "MIDLEVEL",
    "Analysis",
    "AnalysisSettings",
    "Explanation",
    "FaderProcessor",
    "Faders",
    "InputError",
    "Model",
    "Prediction",
    "Preset",
    "RenderResult",
    "Track",
    "__version__",
    "analyze",
    "available_presets",
    "explain",
    "find_preset",
    "load_analysis",
    "load_model",
    "load_track",
    "predict",
    "render",
    "track_from_array",
]

_MODULES = {
    "control.session.presets": ("Preset", "available_presets", "find_preset"),
    "engine.analysis.analysis": ("Analysis",),
    "engine.analysis.analysis_file": ("load_analysis",),
    "engine.analysis.prediction": ("Prediction",),
    "engine.api.fader_processor": ("FaderProcessor",),
    "engine.api.functions": ("analyze", "explain", "load_model", "predict", "render"),
    "engine.analysis.settings": ("AnalysisSettings",),
    "engine.api.array_source": ("track_from_array",),
    "engine.audio.track": ("Track", "load_track"),
    "engine.dsp.faders": ("Faders",),
    "engine.plotting.explanation": ("Explanation",),
    "engine.render.render": ("RenderResult",),
    "models.common.constants": ("EMOTIONS", "MIDLEVEL"),
    "models.common.errors": ("InputError",),
    "models.inference.checkpoint": ("Model",),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> "Any":  # noqa: ANN401
    """Import a public name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
