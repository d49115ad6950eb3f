"""Samples in memory as the source of a track, so that all that works on files works on arrays."""

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from ...models.common.errors import InputError
from ..audio.decode import MAX_CHANNELS, SAMPLE_RATES, AudioFileInfo
from ..audio.track import Track, measure_track
from .argument_checks import array_of_samples, whole_number

ARRAY_NAME: Final = "(array)"
"""Name of such a track in messages and titles; no file is called so."""


def track_from_array(audio: npt.ArrayLike, sample_rate: int) -> Track:
    """Make a track of an array.

    Parameters
    ----------
    audio
        Samples as floating point numbers, full scale 1.0: [samples] or [samples, channels]. Kept as float32; not
        copied if they are float32, contiguous and two-dimensional already.
    sample_rate
        In Hz, 8000 to 192000.

    Returns
    -------
    Track
        The track; its digest is that of a file with the same samples, rate and channels.

    Raises
    ------
    InputError
        For another shape or type, a rate or a number of channels out of range, samples that are not finite, silence,
        and less than a second.

    Examples
    --------
    >>> track = track_from_array(0.1 * np.sin(np.arange(96000) / 20), 48000)
    >>> track.duration_s, track.channels
    (2.0, 1)
    """
    rate = _checked_rate(sample_rate)
    samples = _checked_samples(array_of_samples(audio, what="array"))
    count, channels = samples.shape
    return measure_track(
        AudioFileInfo(
            Path(ARRAY_NAME), "array", "array", "FLOAT", rate, channels, declared_frames=count, array=samples
        )
    )


def _checked_samples(audio: np.ndarray) -> npt.NDArray[np.float32]:
    if not np.issubdtype(audio.dtype, np.floating):
        raise InputError(f"array: its samples are {audio.dtype}, floating point numbers are needed{_guess(audio)}")
    if audio.ndim not in (1, 2):
        raise InputError(f"array: its shape is {audio.shape}, [samples] or [samples, channels] is needed")
    with np.errstate(over="ignore"):  # (what becomes infinite is told as such)
        samples = np.ascontiguousarray(audio if audio.ndim == 2 else audio[:, None], np.float32)
    if not 1 <= samples.shape[1] <= MAX_CHANNELS:
        guess = " ([channels, samples]? transpose it)" if 1 <= samples.shape[0] <= MAX_CHANNELS else ""
        raise InputError(f"array: it has {samples.shape[1]} channels, one to {MAX_CHANNELS} are possible{guess}")
    if not len(samples):
        raise InputError("array: it has no samples")
    return samples


def _guess(audio: np.ndarray) -> str:
    """What would make integers samples; nothing where 64 bits say that they are no sound but numbers of Python's."""
    if not np.issubdtype(audio.dtype, np.integer) or audio.dtype.itemsize > 4:
        return ""
    half = 1 << 8 * audio.dtype.itemsize - 1
    first = f"subtract {half}, then " if np.issubdtype(audio.dtype, np.unsignedinteger) else ""
    return f" ({first}divide by {half}?)"


def _checked_rate(sample_rate: int) -> int:
    low, high = SAMPLE_RATES
    in_khz = isinstance(sample_rate, int | float) and low <= sample_rate * 1000 <= high
    return whole_number(sample_rate, low, high, what="sample rate", guess=" (kHz? write Hz)" if in_khz else "")
