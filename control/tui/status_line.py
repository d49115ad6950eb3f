"""What `play` prints without the full view: a line, or a JSON object, a second."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...models.common.constants import EMOTIONS, MIDLEVEL
from ...models.common.formatting import display_name, format_duration, format_signed
from .panels.view_state import NO_CHANGE, ViewState, sound_state

if TYPE_CHECKING:
    from ...engine.processes.messages import PlayerMeters
    from ..session.session import Session

_KINDS = {"before": "before", "surrogate": "emotion", "measured": "measured", "original": "original"}


def status_snapshot(session: "Session", files: list[Path], meters: "PlayerMeters") -> dict[str, Any]:
    """One moment, as --json gives it.

    Parameters
    ----------
    session : Session
        What is played.
    files : list of Path
        The set list.
    meters : PlayerMeters
        The player's meters.

    Returns
    -------
    dict
        Positions in s, gains and peak in dB, predictions 0 to 1, effects and expected effects -1 to 1 (null: not
        known yet). `state` is a word for what sounds and `state_text` the same for people. `dropouts` and `late`
        are the old names of `underruns` and `xruns`.
    """
    view = ViewState(session.state())
    names = (*EMOTIONS, *MIDLEVEL)
    return {
        "file": str(files[meters.track]),
        "position_s": meters.position_s,
        "duration_s": meters.duration_s,
        "playing": meters.playing,
        "state": view.value("state/sound"),
        "state_text": sound_state(view).words,
        "analysed": session.analysis_progress,
        "gains_db": {name: view.value(f"midlevel/{name}") for name in MIDLEVEL},
        "emotions": {
            kind: {name: view.value(f"{folder}/{name}") for name in EMOTIONS} for kind, folder in _KINDS.items()
        },
        "effect": {name: view.optional(f"effect/{name}") for name in names},
        "expected": {name: view.optional(f"expected/{name}") for name in names},
        "settling": view.flag("excerpt/settling"),
        "peak_db": view.value("meter/peak_db"),
        "load": meters.load,
        "underruns": meters.underruns,
        "xruns": meters.xruns,
        "dropouts": meters.underruns,
        "late": meters.xruns,
        "latency_ms": meters.latency_s * 1000,
    }


def format_status(status: dict[str, Any]) -> str:
    """The same for the eye: 0:12/3:40 | steered | effects on emotions | faders that are not at 0 dB | health."""
    clock = f"{format_duration(status['position_s'])}/{format_duration(status['duration_s'])}"
    gains = {name: round(value, 1) for name, value in status["gains_db"].items()}  # (a morph leaves many digits)
    faders = [f"{display_name(name)} {value:+g} dB" for name, value in gains.items() if value]
    health = (
        f"{status['peak_db']:.0f} dBTP",
        f"load {status['load']:.0%}",
        f"{status['latency_ms']:.0f} ms",
        _count(status["underruns"], "underrun"),
        _count(status["xruns"], "xrun"),
    )
    state = status["state_text"] or ("playing" if status["playing"] else "paused")
    return " | ".join((clock, state, _effects(status), ", ".join(faders) or "faders at zero", ", ".join(health)))


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _effects(status: dict[str, Any]) -> str:
    """The measured effects on emotions of 0.01 and more, else the expected ones, else how far the analysis is."""
    for kind, words in (("effect", "effect"), ("expected", "expected effect")):
        known = {name: status[kind][name] for name in EMOTIONS if status[kind][name] is not None}
        if known:
            shown = [
                f"{name} {format_signed(value, '.2f')}" for name, value in known.items() if abs(value) >= NO_CHANGE
            ]
            return f"{words}: {', '.join(shown) or 'none'}"
    analysed = status["analysed"]
    return "no effect measured yet" if analysed == 1.0 else f"analysed {analysed or 0:.0%}"
