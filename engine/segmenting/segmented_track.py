"""The spectrogram of a track and its segments, without torch."""

from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

from ...models.common.arrays import FloatArray, Labels
from ...models.common.progress import ProgressCallback, progress_span, report_step
from ...models.inference.threads import working_threads
from ..audio.track_spectrogram import NetworkInput, track_spectrogram

_SPECTROGRAM_SPAN: Final = (0.0, 0.03)
_SEGMENTATION_SPAN: Final = (0.03, 0.08)
SEGMENTED: Final = _SEGMENTATION_SPAN[1]
"""So much of an analysis is done when the track is segmented, about: for its progress."""


class SegmentedTrack(NamedTuple):
    """spectrogram float32 [frames, bands] of a track; labels int32 [frames, bands] of its segments."""

    spectrogram: FloatArray
    labels: Labels


def segmented_track(track: NetworkInput, *, method: str, progress: ProgressCallback | None = None) -> SegmentedTrack:
    """Make the spectrogram of a track and segment it, the same for any number of threads.

    progress: called with the fraction of a whole analysis that is done, 0..SEGMENTED.
    """
    from ..explain.segmentation import segment_spectrogram  # (SciPy's and scikit-image's: a quarter of a second)

    with progress_span(progress, *_SPECTROGRAM_SPAN):
        report_step(0.0)
        spectrogram = track_spectrogram(track)
    pool = ThreadPoolExecutor(working_threads())
    try:
        with progress_span(progress, *_SEGMENTATION_SPAN):
            labels = segment_spectrogram(spectrogram, method=method, pool=pool)
    finally:
        pool.shutdown(cancel_futures=True)
    return SegmentedTrack(spectrogram, labels)
