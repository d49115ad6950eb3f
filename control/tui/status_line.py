"""What `play` says without the full view: a line, or an object, a second."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...models.common.constants import EMOTIONS, MIDLEVEL
from ...models.common.formatting import format_duration

if TYPE_CHECKING:
    from ...engine.processes.messages import PlayerMeters
    from ..session.session import Session


def status_snapshot(session: "Session", files: list[Path], meters: "PlayerMeters") -> dict[str, Any]:
    """One moment, as --json gives it: positions in s, gains and peak in dB, emotions 0..1 (null: not known yet)."""
    state = session.state()
    emotions = {
        kind: {name: state[f"/moodfader/{folder}/{name}"] for name in EMOTIONS}
        for kind, folder in (("before", "before"), ("surrogate", "emotion"), ("measured", "measured"))
    }
    return {
        "file": str(files[meters.track]),
        "position_s": meters.position_s,
        "duration_s": meters.duration_s,
        "playing": meters.playing,
        "analysed": session.analysed,
        "gains_db": {name: state[f"/moodfader/midlevel/{name}"] for name in MIDLEVEL},
        "emotions": emotions,
        "peak_db": state["/moodfader/meter/peak_db"],
        "load": meters.load,
        "dropouts": meters.underruns,
        "late": meters.xruns,
        "latency_ms": meters.latency_s * 1000,
    }


def format_status(told: dict[str, Any]) -> str:
    """For the eye: 0:12/3:40 | emotions now and how far they moved | faders that are up | health."""
    before, now, measured = (told["emotions"][kind] for kind in ("before", "surrogate", "measured"))
    moved = [
        f"{name} {now[name]:.2f} ({now[name] - before[name]:+.2f})" for name in EMOTIONS if now[name] is not None
    ]
    if not moved:
        done = told["analysed"]
        moved = ["analysis begins" if done is None else f"analysed {done:.0%}"]
        moved += [f"{name} {measured[name]:.2f} (measured)" for name in EMOTIONS if measured[name] is not None]
    faders = [f"{name} {value:+g} dB" for name, value in told["gains_db"].items() if value] or ["faders at zero"]
    health = f"{told['peak_db']:.0f} dB, load {told['load']:.0%}, {told['latency_ms']:.0f} ms, "
    health += f"{told['dropouts']} drop-outs"
    clock = f"{format_duration(told['position_s'])}/{format_duration(told['duration_s'])}"
    clock += "" if told["playing"] else " paused"
    return " | ".join((clock, ", ".join(moved), ", ".join(faders), health))
