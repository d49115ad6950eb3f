"""The player's meters as the addresses show them."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from ....engine.processes.messages import MeasuredEffect, PlayerMeters, SolveTargets
from ....models.common.constants import EMOTIONS, MIDLEVEL
from ...parameters.table import ROOT, Value
from .loop_edges import TRACK

if TYPE_CHECKING:
    from ....engine.analysis.surrogate import Surrogate


class PlayerInterface(Protocol):
    """Interface of a player."""

    sample_rate: int
    channels: int
    block_length: int

    @property
    def samples_played(self) -> int:
        """Output samples so far."""

    def set(self, address: str, value: Value) -> None:
        """Set a parameter from the next step on."""

    def meters(self) -> PlayerMeters:
        """The meters as they are now."""

    def solve_targets(self, request: SolveTargets) -> None:
        """Have the network find faders for targets; the answer is a message."""

    def close(self, *, fade_s: float = 0.0) -> None:
        """Fade out, then end."""


NOTHING_MEASURED: Final[Mapping[str, Value]] = {
    **{f"{ROOT}/{folder}/{name}": None for folder in ("measured", "original") for name in EMOTIONS},
    **{f"{ROOT}/effect/{name}": None for name in (*EMOTIONS, *MIDLEVEL)},
    f"{ROOT}/excerpt/duration": 0.0,
    f"{ROOT}/excerpt/settling": False,
}
"""Values by address before anything has been measured on the track that plays."""


def meter_values(meters: PlayerMeters, *, block_length: int) -> dict[str, Value]:
    """Values by address, also of what the player does by itself (the next track, the end), unless that is awaited."""
    values: dict[str, Value] = {
        "transport/position": round(meters.position_s, 3),
        "transport/duration": round(meters.duration_s, 3),
        "meter/peak_db": _decibels(meters.peak),
        "meter/left_db": _decibels(meters.channel_peaks[0]),
        "meter/right_db": _decibels(meters.channel_peaks[1]),
        "meter/reduction_db": round(meters.reduction_db, 1),
        "meter/load": round(meters.load, 3),
        "meter/dropouts": meters.underruns,
        "meter/late": meters.xruns,
        "meter/ring": round(meters.buffered / block_length, 1),
        "meter/latency_ms": round(meters.latency_s * 1000, 1),
    }
    moves = {f"{ROOT}/transport/play": meters.playing, TRACK: meters.track}
    done = {address: value for address, value in moves.items() if address not in meters.awaited}
    return {f"{ROOT}/{name}": value for name, value in values.items()} | done


def measured_values(measured: MeasuredEffect) -> dict[str, Value]:
    """The measured effect by address; emotions are clipped to 0..1, their difference is not."""
    values: dict[str, Value] = {f"{ROOT}/effect/{name}": shift for name, shift in measured.effect.items()}
    for name in EMOTIONS:
        values[f"{ROOT}/measured/{name}"] = _clipped(measured.steered[name])
        values[f"{ROOT}/original/{name}"] = _clipped(measured.original[name])
    values[f"{ROOT}/excerpt/duration"] = round(measured.duration_s, 1)
    values[f"{ROOT}/excerpt/settling"] = measured.settling
    return values


def expected_values(surrogate: "Surrogate | None", now: Mapping[str, Value]) -> dict[str, Value]:
    """What the surrogate expects of the faders as they are now, by address; None everywhere without an analysis."""
    if surrogate is None:
        folders = {"expected": (*EMOTIONS, *MIDLEVEL), "emotion": EMOTIONS, "before": EMOTIONS}
        return {f"{ROOT}/{folder}/{name}": None for folder, names in folders.items() for name in names}
    faders_db = np.array([now[f"{ROOT}/midlevel/{name}"] for name in MIDLEVEL], dtype=np.float32)
    bypass = bool(now[f"{ROOT}/bypass"])
    effect = surrogate.expected_effect(faders_db)
    values: dict[str, Value] = {f"{ROOT}/expected/{name}": shift for name, shift in effect.items()}
    for name, value in surrogate.before.items():
        values[f"{ROOT}/before/{name}"] = _clipped(value)
        values[f"{ROOT}/emotion/{name}"] = _clipped(value + (0.0 if bypass else effect[name]))
    return values


def _decibels(magnitude: float) -> float:
    """Level in dB, -120 at least."""
    return round(20 * math.log10(max(magnitude, 1e-6)), 1)


def _clipped(value: float) -> float:
    return min(max(value, 0.0), 1.0)
