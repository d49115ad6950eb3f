"""The player's meters as the addresses show them."""

import math

from ...engine.processes.messages import PlayerMeters
from .parameters import ROOT, Value


def meter_values(meters: PlayerMeters, before: PlayerMeters | None, *, block_length: int) -> dict[str, Value]:
    """Values by address; what the player does by itself (the next track, the end) shows where it is new."""
    values: dict[str, Value] = {
        "transport/position": round(meters.position_s, 3),
        "transport/duration": round(meters.duration_s, 3),
        "meter/peak_db": round(20 * math.log10(max(meters.peak, 1e-6)), 1),
        "meter/load": round(meters.load, 3),
        "meter/dropouts": meters.underruns,
        "meter/late": meters.xruns,
        "meter/ring": round(meters.buffered / block_length, 1),
        "meter/latency_ms": round(meters.latency_s * 1000, 1),
    }
    if before is not None and meters.ended and not before.ended:
        values["transport/play"] = False
    if before is not None and before.track != meters.track:
        values["transport/track"] = meters.track
    return {f"{ROOT}/{name}": value for name, value in values.items()}
