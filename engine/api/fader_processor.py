"""A block processor for one's own code: samples and fader gains in, steered samples out."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from ...models.common.errors import InputError
from ..analysis.analysis import Analysis
from ..audio.decode import MAX_CHANNELS, SAMPLE_RATES
from ..audio.track import LARGEST_PEAK
from ..dsp.faders import Faders
from ..dsp.limiter import CEILING_RANGE_DBTP
from ..dsp.processor import SteeredSound
from ..dsp.stft import OVERLAP, frame_length
from .argument_checks import array_of_samples, as_analysis, as_faders, decibels, whole_number

_LAST_POSITION: Final = 1 << 53


class FaderProcessor:
    """Applies the faders to a recording block by block: mask filter, then true-peak limiter.

    The output is aligned with the input and does not depend on how the input is cut into blocks: `process` returns
    fewer samples than it is given until `latency` samples are in, and `flush` returns the rest. While all faders are
    at zero the output is the input.

    Parameters
    ----------
    analysis
        From `moodfader.analyze`.
    sample_rate
        Of the blocks, in Hz; need not be that of the analysed file.
    channels
        Of the blocks, 1 to 8; all are given the same gains.
    position
        Position in the recording of the first sample that will be pushed, in samples.
    ceiling_dbtp
        True peak that the output does not exceed while a fader is off zero, -20 to 0 dBTP.

    Raises
    ------
    InputError
        For a number out of range.

    Examples
    --------
    >>> import moodfader
    >>> analysis = moodfader.analyze("song.ogg")  # (a second of mono at 22,050 Hz)
    >>> processor = moodfader.FaderProcessor(analysis, 22050, 1)
    >>> blocks = np.zeros((10, 2205, 1), np.float32)
    >>> steered = [processor.process(block, moodfader.Faders(dissonance=6)) for block in blocks]
    >>> steered.append(processor.flush())
    >>> np.concatenate(steered).shape
    (22050, 1)
    """

    def __init__(
        self, analysis: Analysis, sample_rate: int, channels: int, position: int = 0, *, ceiling_dbtp: float = -1.0
    ) -> None:
        self._analysis = as_analysis(analysis)
        self._ceiling_dbtp = decibels(ceiling_dbtp, *CEILING_RANGE_DBTP, what="ceiling")
        self.sample_rate = whole_number(sample_rate, *SAMPLE_RATES, what="sample rate")
        """In Hz."""
        self.channels = whole_number(channels, 1, MAX_CHANNELS, what="number of channels")
        """Number of channels of each block."""
        self.seek(position)

    @property
    def latency(self) -> int:
        """Samples that are held back: so many have to be pushed, at most, before the first one comes out."""
        return self._processor.latency

    @property
    def position(self) -> int:
        """Position in the recording of the next sample to be pushed, in samples."""
        return self._position

    def seek(self, position: int) -> None:
        """Go on at another position of the recording; what is held back is dropped (`flush` first to have it).

        The mask filter's output is that of one which began at 0 from one STFT frame (about 46 ms) after `position`
        on; the limiter begins at rest. Raises InputError for a negative position.
        """
        position = whole_number(position, 0, _LAST_POSITION, what="position")
        # The STFT's frames lie on multiples of the hop: what is missing before `position` is silence, and dropped.
        hop_length = frame_length(self.sample_rate) // OVERLAP
        start = position // hop_length * hop_length
        self._processor = SteeredSound(
            self._analysis.mask_labels,
            self._analysis.mask_weights,
            sample_rate=self.sample_rate,
            channels=self.channels,
            ceiling_dbtp=self._ceiling_dbtp,
            start=start,
        )
        self._lead_in = self._skip = position - start
        self._position = position

    def process(
        self, block: npt.NDArray[np.floating], faders: Faders | Mapping[str, float]
    ) -> npt.NDArray[np.float32]:
        """Push the next samples.

        Parameters
        ----------
        block
            Float [n, channels], any n, full scale 1.0.
        faders
            Gains from the next output sample on, or a mapping from feature names to dB; a change is a ramp of 30 ms.

        Returns
        -------
        ndarray
            float32 [m, channels]: those samples that are ready, m between 0 and n plus what was held back.

        Raises
        ------
        InputError
            For a block of another shape or of integers, and for samples that are not finite, masked or far beyond
            full scale. Nothing is pushed.
        """
        faders = as_faders(faders)
        block = array_of_samples(block, what="block")
        if block.ndim != 2 or block.shape[1] != self.channels or not np.issubdtype(block.dtype, np.floating):
            raise InputError(f"block of {block.dtype} {block.shape}: float [samples, {self.channels}] is needed")
        with np.errstate(over="ignore"):
            samples = np.ascontiguousarray(block, np.float32)
        if not np.isfinite(samples).all():
            raise InputError("block: it has samples that are no numbers (NaN or infinite)")
        if len(samples) and (peak := float(np.abs(samples).max())) > LARGEST_PEAK:
            raise InputError(f"block: its samples go up to {peak:.1g}, full scale is 1 (integers read as such?)")
        if self._lead_in and len(samples):
            silence = np.zeros((self._lead_in, self.channels), np.float32)
            samples, self._lead_in = np.concatenate((silence, samples)), 0
        self._position += len(block)
        return self._without_lead_in(self._processor.process(samples, faders))

    def flush(self) -> npt.NDArray[np.float32]:
        """Return the samples that were held back, float32 [m, channels]; then go on at the same position, afresh."""
        rest = self._without_lead_in(self._processor.flush())
        self.seek(self._position)
        return rest

    def __repr__(self) -> str:
        """Its rate, channels, position and latency."""
        return (
            f"FaderProcessor(sample_rate={self.sample_rate}, channels={self.channels}, position={self.position}, "
            f"latency={self.latency})"
        )

    def _without_lead_in(self, samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        dropped = min(self._skip, len(samples))
        self._skip -= dropped
        return samples[dropped:]
