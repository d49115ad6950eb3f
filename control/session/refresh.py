"""Updates a show from the player's meters, many times a second: position, levels, moving faders, the next track."""

from typing import Final

from ..parameters.table import Value
from .setting import begin_track
from .state import SessionState
from .values.loop_edges import TRACK, edges_within
from .values.meters import NOTHING_MEASURED, expected_values, meter_values
from .values.show_state import state_values

_MORPH: Final = "morph"  # source of changes that nobody sets
_SET_LIST: Final = "set list"


def refresh(state: SessionState) -> None:
    """Read the player's meters, and update the values that depend on them.

    Parameters
    ----------
    state : SessionState
        The show; without a player nothing is done.
    """
    with state.lock:
        if state.player is None:
            return
        before, meters = state.meters, state.player.meters()
        state.meters = meters
        values = meter_values(meters, block_length=state.player.block_length)
        changed = before is not None and before.track != meters.track
        if changed:
            values |= NOTHING_MEASURED
        if TRACK in values and not state.loops.is_at(meters.track):  # the set list went on by itself
            values |= _change_loop(state, meters.track)
        if state.show_control.is_moving or changed:
            state.put(state.show_control.advance(state.values, state.moment(), changed=changed), _MORPH)
        if state.is_stale or before is None or changed:
            values |= expected_values(state.tracks.surrogates.get(meters.track), state.values)
            state.is_stale = False
        state.values.update(values)
        if changed and meters.duration_s and (edges := edges_within(meters.duration_s, state.values)):
            state.put({name: value for name, value in edges.items() if state.values[name] != value}, _SET_LIST)
        if before is None or changed:
            begin_track(state, first=before is None)
        shown = state_values(
            state.values, meters, state.processes, state.tracks, recording=state.recording.is_recording
        )
        state.values.update(shown)


def _change_loop(state: SessionState, track: int) -> dict[str, Value]:
    values = state.loops.change_track(track, state.values)
    for name, value in values.items():
        if state.player is not None:
            state.player.set(name, value)
    return values
