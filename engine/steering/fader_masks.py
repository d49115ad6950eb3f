"""Decoupled faders: masks of the segments by which each fader moves its own feature and leaves the other six.

A fader's gain field is put together from what LIME says of the segments (the seven masks of the explanation) and from
broad handles, both as one value a segment. The solver finds, for each feature, the combination that moves it at the
network that ships, keeps the others there, and moves it at the broad listener and at the companion too (they stand
back where not all can be had). Each fader is solved at +6 dB; its mask is that field over 6 dB, so the faders stay
linear in decibels, and live there is nothing to solve.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from ...models.common.arrays import FloatArray
from ...models.common.constants import HOP_LENGTH, MIDLEVEL
from ...models.common.filterbank import frame_count
from .excerpts import Excerpts
from .handles import DAMAGE, handle_fields
from .levels import LEVELS_DB
from .listeners import Listener
from .solver import solve

SOLVED_AT_DB: Final = 6.0
"""Where a fader stands when it is solved."""
TARGET: Final = 0.05
"""By how much it shall then move its feature, if it can."""
MAX_RMS_DB: Final = 4.0
_TRIES: Final = 5
_SHARES: Final = {"companion": 0.8}
_EXPLAINED_COST: Final = 1.0
_FRAMES_AT_ONCE: Final = 4096

Labels = npt.NDArray[np.int32]


@dataclass(frozen=True)
class DecoupledFaders:
    """masks float32 [segments, 7] in -1..1; response float32 [7 faders, levels, 7 features], what the network that
    ships says more under each fader alone at LEVELS_DB, measured on the excerpts.
    """

    masks: FloatArray
    response: FloatArray


def segment_means(spectrogram: FloatArray, segments: Labels) -> FloatArray:
    """Mean of each handle over each segment: float32 [handles, segments]."""
    count = int(segments.max()) + 1
    sums = np.zeros((len(DAMAGE), count))
    for start in range(0, len(segments), _FRAMES_AT_ONCE):
        rows = slice(start, start + _FRAMES_AT_ONCE)
        labels = segments[rows].ravel()
        for number, field in enumerate(handle_fields(spectrogram[rows])):
            sums[number] += np.bincount(labels, weights=field.ravel(), minlength=count)
    return np.asarray(sums / np.bincount(segments.ravel(), minlength=count), np.float32)


def decoupled_faders(
    spectrogram: FloatArray,
    segments: Labels,
    explained: FloatArray,
    excerpts: Sequence[tuple[FloatArray, int]],
    listeners: Sequence[Listener],
    *,
    progress: Callable[[float], None] | None = None,
) -> DecoupledFaders:
    """Solve the seven faders of a track.

    spectrogram and segments [frames, bands] of the whole track; explained [segments, 7], the masks of the
    explanation, in -1..1; excerpts: (sound at 22,050 Hz on the track's scale, its first sample), by which listeners
    are asked; the first listener is the network that ships.
    """
    by_segment = np.concatenate((explained.T, segment_means(spectrogram, segments)))  # [7 + handles, segments]
    frames = [(first // HOP_LENGTH, frame_count(len(sound)) + 1) for sound, first in excerpts]
    own = [segments[first : first + count] for first, count in frames]
    asked = Excerpts(
        [sound for sound, _ in excerpts],
        listeners,
        fields=[by_segment[:, labels] for labels in own],
        offsets=[first % HOP_LENGTH for _, first in excerpts],
        limit_db=SOLVED_AT_DB,
        costs=np.concatenate((np.full(len(MIDLEVEL), _EXPLAINED_COST), DAMAGE)),
    )
    features = len(MIDLEVEL)
    slopes = asked.slopes([(listener, output) for listener in range(len(listeners)) for output in range(features)])
    slopes = slopes.reshape(len(listeners), features, -1)
    masks = np.zeros((by_segment.shape[1], features), np.float32)
    response = np.zeros((features, len(LEVELS_DB), features), np.float32)
    for feature in range(features):
        rows = [(0, output) for output in range(features)] + [(n, feature) for n in range(1, len(listeners))]
        places = tuple(np.array(rows).T)
        shares = [float(output == feature) for output in range(features)]
        shares += [_SHARES.get(listener.name, 1.0) for listener in listeners[1:]]
        found = solve(
            lambda coefficients, places=places: asked.measure(coefficients)[places] - asked.before[places],  # type: ignore[misc]
            np.stack([slopes[listener, output] for listener, output in rows]),
            TARGET * np.array(shares),
            asked.metric,
            rms_of=asked.rms_db,
            max_rms_db=MAX_RMS_DB,
            soft=np.array([listener > 0 for listener, _ in rows]),
            tries=_TRIES,
        )
        whole = found.coefficients @ by_segment
        masks[:, feature] = np.tanh(whole / SOLVED_AT_DB)
        for place, level in enumerate(LEVELS_DB):
            gains = torch.from_numpy(masks[:, feature] * np.float32(level))
            heard = asked.heard([gains[torch.from_numpy(labels).long()] for labels in own], listeners=1)
            response[feature, place] = heard[0, :features] - asked.before[0, :features]
        if progress:
            progress((feature + 1) / features)
    return DecoupledFaders(masks, response)
