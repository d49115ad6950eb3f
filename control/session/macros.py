"""Macro parameters: their change is a change of others, as `preset/load` sets seven faders, and `zero` all to 0."""

from collections.abc import Mapping
from typing import Final

from ...models.common.constants import MIDLEVEL
from ...models.common.errors import InputError
from ..parameters.table import ROOT, Value
from .presets import available_presets, find_preset, save_preset

_TRACK: Final = f"{ROOT}/transport/track"
_MAX_PRESETS: Final = 500
_STEPS: Final = {f"{ROOT}/transport/next": 1, f"{ROOT}/transport/previous": -1}


def expand_macro(address: str, value: Value, current: Mapping[str, Value]) -> dict[str, Value]:
    """Replace a macro parameter by the plain parameters that it sets.

    Parameters
    ----------
    address : str
        OSC address of the parameter that was set.
    value : Value
        Its new value, already validated by the parameter table.
    current : mapping
        Values by address as they are now.

    Returns
    -------
    dict
        New values by address; `{address: value}` for a parameter that is no macro.

    Raises
    ------
    InputError
        If no preset has that name, a preset cannot be read, or the set list has no such track.
    """
    match address.removeprefix(f"{ROOT}/"):
        case "preset/load":
            return {address: value, **_fader_values(find_preset(str(value)).gains_db)}
        case "preset/save":
            save_faders(str(value), current)
            return {}
        case "track/preset" if value:
            find_preset(str(value))
        case "zero":
            return _fader_values({})
        case "transport/pause":
            return {f"{ROOT}/transport/play": False}
        case "transport/next" | "transport/previous":
            return {_TRACK: min(max(_to_int(current[_TRACK]) + _STEPS[address], 0), _last_track(current))}
        case "transport/track" if _to_int(value) > _last_track(current):
            last = _last_track(current)
            raise InputError(f"{address}: {value} is none of the tracks, they go from 0 to {last}")
    return {address: value}


def _fader_values(gains_db: Mapping[str, float]) -> dict[str, Value]:
    """All seven faders; 0 dB for those that are not named."""
    return {f"{ROOT}/midlevel/{name}": gains_db.get(name, 0.0) for name in MIDLEVEL}


def save_faders(name: str, current: Mapping[str, Value]) -> None:
    """Save faders as a preset. Raises InputError, also where there are far too many presets already.

    Parameters
    ----------
    name : str
        Of the new preset.
    current : mapping
        Values by address, among them those of the seven faders.
    """
    if len(available_presets()) >= _MAX_PRESETS:
        raise InputError(f"preset {name!r}: there are {_MAX_PRESETS} presets already")
    gains = {feature: current[f"{ROOT}/midlevel/{feature}"] for feature in MIDLEVEL}
    save_preset(name, {feature: float(gain) for feature, gain in gains.items() if isinstance(gain, int | float)})


def _last_track(current: Mapping[str, Value]) -> int:
    """Index of the set list's last track."""
    return max(_to_int(current[f"{ROOT}/transport/tracks"]) - 1, 0)


def _to_int(value: Value) -> int:
    return int(value) if isinstance(value, int | float) else 0
