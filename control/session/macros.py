"""What setting one address comes to: a preset moves seven faders, a button moves what it stands for."""

from collections.abc import Mapping
from typing import Final

from ...models.common.constants import MIDLEVEL
from ...models.common.errors import InputError
from .parameters import ROOT, Value
from .presets import find_preset

_TRACK: Final = f"{ROOT}/transport/track"
_BY: Final = {f"{ROOT}/transport/next": 1, f"{ROOT}/transport/previous": -1}


def expand_macro(address: str, checked: Value, now: Mapping[str, Value]) -> dict[str, Value]:
    """The addresses and values that `checked` at `address` comes to, given what the addresses hold now.

    Raises InputError for a preset or a track that there is not.
    """
    match address.removeprefix(f"{ROOT}/"):
        case "preset/load":
            return {address: checked, **_faders(find_preset(str(checked)).gains_db)}
        case "zero":
            return _faders({})
        case "transport/pause":
            return {f"{ROOT}/transport/play": False}
        case "transport/next" | "transport/previous":
            return {_TRACK: min(max(_number(now[_TRACK]) + _BY[address], 0), _last(now))}
        case "transport/track" if _number(checked) > _last(now):
            raise InputError(f"{address}: {checked} is none of the tracks, they go from 0 to {_last(now)}")
    return {address: checked}


def _faders(gains_db: Mapping[str, float]) -> dict[str, Value]:
    return {f"{ROOT}/midlevel/{name}": gains_db.get(name, 0.0) for name in MIDLEVEL}


def _last(now: Mapping[str, Value]) -> int:
    return max(_number(now[f"{ROOT}/transport/tracks"]) - 1, 0)


def _number(value: Value) -> int:
    return int(value) if isinstance(value, int | float) else 0
