"""The spectrogram of a whole track, as the network takes it. Without torch."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from ...models.common.arrays import FloatArray
from ...models.common.constants import N_BANDS, SAMPLE_RATE
from ...models.common.filterbank import frame_count
from ...models.common.progress import report_step
from ...models.inference.threads import one_blas_thread
from ...models.signal.log_spectrogram import spectrogram_blocks


class NetworkInput(Protocol):
    """The network's input for a track (`Track`): its log-spectrogram."""

    @property
    def duration_s(self) -> float:
        """Its length in seconds."""

    @property
    def network_peak(self) -> float:
        """By what its samples are divided."""

    def network_input_blocks(self) -> Iterator[np.ndarray]:
        """Give its samples, float32 [samples], mono at 22.05 kHz."""


def track_spectrogram(track: NetworkInput) -> FloatArray:
    """Compute the spectrogram of a track, scaled by its peak: float32 [frames, bands].

    Computed on one thread, so that the spectrogram, and with it the segmentation, does not depend on the number of
    threads.
    """
    # Filled in place, so that hours of music are not in memory twice. The resampler determines the last frames.
    spectrogram = np.empty((frame_count(round(track.duration_s * SAMPLE_RATE)) + 2, N_BANDS), np.float32)
    frames = 0
    with one_blas_thread():
        for block in spectrogram_blocks(track.network_input_blocks(), scale=track.network_peak):
            spectrogram[frames : frames + len(block)] = block
            frames += len(block)
            report_step(min(frames / len(spectrogram), 1.0))
    return spectrogram[:frames]
