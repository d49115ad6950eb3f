"""What sounds now and why, as a code and in words: one place for the terminal, OSC and the status line."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ....engine.processes.messages import PlayerMeters, ProcessName, ProcessState
from ....models.common.constants import MIDLEVEL
from ...parameters.table import ROOT, Value
from .analyzed_tracks import AnalyzedTracks

_GONE: Final = {
    ("output", "gone"): "the sound card is gone, looking for it every second",
    ("output", "failed"): "the sound card is back at another sample rate: set it as it was",
    ("renderer", "restarting"): "the renderer has ended, it is started again",
    ("renderer", "failed"): "the renderer has ended: stop and play again",
}


@dataclass(frozen=True)
class ShowState:
    """`sound` is the code of ``/moodfader/state/sound``, `text` the same in words."""

    sound: str
    text: str


def describe_state(
    values: Mapping[str, Value],
    meters: PlayerMeters,
    processes: Mapping[ProcessName, ProcessState],
    *,
    analyzed: bool,
    progress: float | None,
) -> ShowState:
    """What sounds now.

    Original wins over delta where both are on. Delta without a difference is silence, and the text says why.

    Parameters
    ----------
    values : mapping
        Values by address.
    meters : Meters
        Of the player.
    processes : mapping
        How the player's processes are.
    analyzed : bool
        Whether the analysis of the track that plays is there, or a draft of it.
    progress : float or None
        Share of the analysis that is done, 0..1; None if it has not begun. Below 1 with `analyzed`, a draft is used.
    """
    for process in ("renderer", "output"):
        gone = _GONE.get((process, processes[process]))
        if gone:
            return ShowState(f"{process}_gone", gone)
    sound = _steering(values, analyzed=analyzed, progress=progress, failed=processes["analyzer"] == "failed")
    if meters.ended:
        return ShowState("ended", "ended")
    if not meters.playing:
        return ShowState("paused", f"paused; {sound.text}")
    return sound


def state_values(
    values: Mapping[str, Value],
    meters: PlayerMeters,
    processes: Mapping[ProcessName, ProcessState],
    tracks: AnalyzedTracks,
    *,
    recording: bool,
) -> dict[str, Value]:
    """What the addresses below /moodfader/state show; see `describe_state`."""
    progress, analyzed = tracks.progress.get(meters.track), meters.track in tracks.surrogates
    state = describe_state(values, meters, processes, analyzed=analyzed, progress=progress)
    shown: dict[str, Value] = {"sound": state.sound, "text": state.text, "recording": recording, "analysis": progress}
    shown.update(processes.items())
    return {f"{ROOT}/state/{name}": value for name, value in shown.items()}


def _steering(values: Mapping[str, Value], *, analyzed: bool, progress: float | None, failed: bool) -> ShowState:
    bypass, delta, wet = (values[f"{ROOT}/{name}"] for name in ("bypass", "delta", "wet"))
    moved = any(values[f"{ROOT}/midlevel/{name}"] for name in MIDLEVEL)
    waits = "the analysis has failed" if failed else f"no analysis yet ({progress or 0:.0%})"
    if bypass:
        return ShowState("original", "original (A/B); delta waits" if delta else "original (A/B)")
    if delta:
        silent = (
            waits if not analyzed else "all faders are at zero" if not moved else "wet is at 0 %" if not wet else ""
        )
        return ShowState("delta", f"delta is silent: {silent}" if silent else "delta: only what the faders change")
    if not analyzed:
        return ShowState("no_analysis", f"original, the faders wait: {waits}" if moved else f"original: {waits}")
    if not moved:
        return ShowState("zero", "original: all faders are at zero")
    if not wet:
        return ShowState("original", "original: wet is at 0 %")
    mixed = f" {wet:.0%}" if isinstance(wet, float) and wet < 1 else ""
    matched = ", loudness matched" if values[f"{ROOT}/match_loudness"] else ""
    draft = f" by a draft; full analysis {progress:.0%}" if progress is not None and progress < 1 else ""
    return ShowState("steered", f"steered{mixed}{matched}{draft}")
