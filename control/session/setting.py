"""What setting an address does to a show: it is checked, expanded to the addresses that it stands for, and held."""

from typing import Final

from ...models.common.errors import InputError
from ..parameters.table import ROOT, Value, find_parameter
from ..show.moment import FADERS, snapshot_values
from .macros import expand_macro, save_faders
from .state import SessionState
from .values.loop_edges import LOOP, LOOP_END, LOOP_START, TRACK, move_edge

_SET_LIST: Final = "set list"  # source of what nobody sets
_SAVED: Final = f"{ROOT}/preset/save", f"{ROOT}/snapshot/preset"
_TIMES_SAVED: Final = f"{ROOT}/state/presets"


def set_value(state: SessionState, address: str, value: object, source: str) -> None:
    """Set an address.

    Parameters
    ----------
    state : SessionState
        The show.
    address, value, source
        What is set to what, and by whom.

    Raises
    ------
    InputError
        If the address or the value is not valid; nothing is changed then.
    """
    control = find_parameter(address)
    if not control.writable:
        raise InputError(f"{address}: can only be watched")
    checked = control.validate(value)
    if control.kind == "trigger" and not checked:
        return
    with state.lock:
        values = _values_to_set(state, address, checked)
        moment = state.asked_moment()
        if isinstance(track := values.get(TRACK), int):
            state.values.update(state.show_control.ask_track(track, state.moment()))
        state.put(state.show_control.follow(address, checked, values, state.values, moment, source), source)
        if control.kind != "trigger" and not control.acts and state.values[address] != checked:
            state.values.tell_again(address)
        if address in _SAVED:
            state.values.update({_TIMES_SAVED: int(state.values[_TIMES_SAVED] or 0) + 1})


def _values_to_set(state: SessionState, address: str, checked: Value) -> dict[str, Value]:
    """The addresses and values, in order, that setting an address expands to."""
    if address in (LOOP_START, LOOP_END) and isinstance(checked, float):
        return move_edge(address, checked, state.values, duration_s=_duration_s(state))
    if address == f"{ROOT}/snapshot/preset":
        slot, name = state.show_control.slots.addressed(str(checked))
        save_faders(name, snapshot_values(state.show_control.slots.get(slot).snapshot))
        return {}
    values = expand_macro(address, checked, state.values)
    if isinstance(track := values.get(TRACK), int):
        loop = state.loops.change_track(track, state.values)
        return {**({LOOP: False} if state.values[LOOP] else {}), **values, **loop}
    return values


def _duration_s(state: SessionState) -> float:
    """Length of the track that was asked for last; 0 where that has not begun yet."""
    if state.player is None:
        duration = state.values[f"{ROOT}/transport/duration"]
        return float(duration) if isinstance(duration, int | float) else 0.0
    meters = state.player.meters()
    return round(meters.duration_s, 3) if meters.track == state.values[TRACK] else 0.0


def begin_track(state: SessionState, *, first: bool) -> None:
    """A track begins to play. At the very start a preset does not undo what was asked for already."""
    steered = state.show_control.history.undo_steps > 0 or any(state.values[address] for address in FADERS)
    state.values.update(state.show_control.begin_track(state.moment(), with_preset=not (first and steered)))
    load_track_preset(state)


def load_track_preset(state: SessionState) -> None:
    """Load the preset of the track that plays, once for each that begins."""
    if name := state.show_control.track_preset(state.moment()):
        try:
            set_value(state, f"{ROOT}/preset/load", name, _SET_LIST)
        except InputError as error:
            state.note(f"the preset of this track: {error}")
