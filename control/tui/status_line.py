"""What `play` prints without the full view: a line, or a JSON object, a second."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...models.common.constants import EMOTIONS, MIDLEVEL
from ...models.common.formatting import display_name, format_duration
from .view_state import NO_CHANGE, ViewState, sound_state

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
    meters : Meters
        The player's meters.

    Returns
    -------
    dict
        Positions in s, gains and peak in dB, predictions 0 to 1, effects and expected effects -1 to 1 (null: not known
        yet). `state` is a word for what is heard and `state_text` the same for people.
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
        "analysed": session.analysed,
        "gains_db": {name: view.value(f"midlevel/{name}") for name in MIDLEVEL},
        "emotions": {
            kind: {name: view.value(f"{folder}/{name}") for name in EMOTIONS} for kind, folder in _KINDS.items()
        },
        "effect": {name: view.optional(f"effect/{name}") for name in names},
        "expected": {name: view.optional(f"expected/{name}") for name in names},
        "settling": view.flag("excerpt/settling"),
        "peak_db": view.value("meter/peak_db"),
        "load": meters.load,
        "dropouts": meters.underruns,
        "late": meters.xruns,
        "latency_ms": meters.latency_s * 1000,
    }


def format_status(status: dict[str, Any]) -> str:
    """The same for the eye: 0:12/3:40 | steered | effects on emotions | faders that are not at 0 dB | health."""
    clock = f"{format_duration(status['position_s'])}/{format_duration(status['duration_s'])}"
    faders = [f"{display_name(name)} {value:+g} dB" for name, value in status["gains_db"].items() if value]
    underruns, xruns = (
        f"{count} {word}{'' if count == 1 else 's'}"
        for count, word in ((status["dropouts"], "underrun"), (status["late"], "xrun"))
    )
    health = f"{status['peak_db']:.0f} dBTP, load {status['load']:.0%}, {status['latency_ms']:.0f} ms, {underruns}, {xruns}"
    parts = (clock, status["state_text"], _effects(status), ", ".join(faders) or "faders at zero", health)
    return " | ".join(part for part in parts if part)


def _effects(status: dict[str, Any]) -> str:
    """Measured effects on emotions, those that can be told from none; else the expected ones, else how far it is."""
    for kind, words in (("effect", "effect, settling" if status["settling"] else "effect"), ("expected", "expected")):
        known = {name: status[kind][name] for name in EMOTIONS if status[kind][name] is not None}
        if known:
            shown = [f"{name} {value:+.2f}" for name, value in known.items() if abs(value) >= NO_CHANGE]
            return f"{words}: {', '.join(shown) or 'none'}"
    analysed = status["analysed"]
    return "no effect measured yet" if analysed == 1.0 else f"analysed {analysed or 0:.0%}"
