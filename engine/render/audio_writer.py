"""Sound files written block by block: wav, flac or ogg by the name's ending.

Integer samples are rounded to the nearest step here (libsndfile cuts the rest off, half a step too low on average).
Integer files never clip in silence: the writer counts what it had to clip, and who uses it keeps the sound below full
scale. Blocks are float32 [samples, channels], full scale 1.0.
"""

import os
from pathlib import Path
from types import TracebackType

import numpy as np
import soundfile

from ...models.common.atomic_write import check_destination
from ...models.common.errors import InputError
from ..audio.containers.channel_layout import DEFAULT_MASKS, valid_mask
from ..audio.containers.wav_chunks import write_channel_mask
from ..audio.decode import VORBIS_ORDER

BIT_DEPTHS = ("16", "24", "float")
_FORMATS = {".wav": "WAV", ".flac": "FLAC", ".ogg": "OGG"}
_SUBTYPES = {"16": "PCM_16", "24": "PCM_24", "float": "FLOAT"}
_BYTES = {"16": 2, "24": 3, "float": 4}
_WAV_LIMIT = 2**32 - 2**16  # bytes of sound; the rest is for the header and for tags
_VORBIS_COMPRESSION = 0.2  # libsndfile's scale: quality 8 of 10, about 256 kbit/s in stereo
_CHUNK = 65536


def validate_output(
    output: Path, *, bit_depth: str = "24", source: Path | None = None, overwrite: bool = False
) -> None:
    """See that `output` can be written, before any work is done.

    Raises InputError for an ending other than .wav, .flac and .ogg, an unknown bit depth or one that the
    format does not have, a folder that does not exist or is not writable, a file that exists (unless
    overwrite), and when `output` is `source` itself.
    """
    suffix = output.suffix.lower()
    if suffix not in _FORMATS:
        raise InputError(f"{output}: the name must end in .wav, .flac or .ogg, not in {suffix or 'nothing'}")
    if bit_depth not in BIT_DEPTHS:
        raise InputError(f"bit depth {bit_depth!r} is not known, there are {', '.join(BIT_DEPTHS)}")
    if bit_depth == "float" and suffix == ".flac":
        raise InputError(f"{output}: FLAC has no floating point, name the file .wav or ask for 24 bits")
    check_destination(output, source=source, overwrite=overwrite)


def check_layout(output: Path, *, channels: int, channel_mask: int) -> None:
    """See that the format can say which loudspeaker each channel belongs to.

    Raises
    ------
    InputError
        For Ogg Vorbis, which knows one layout for each number of channels, and another one.
    """
    usual = DEFAULT_MASKS[channels]
    alike = (channel_mask ^ usual) in (0, 0x30 ^ 0x600)  # surrounds at the side or at the back are the same to Vorbis
    if output.suffix.lower() == ".ogg" and valid_mask(channel_mask, channels) and channels > 2 and not alike:
        raise InputError(
            f"{output}: Ogg Vorbis has no place for these {channels} loudspeakers (mask {channel_mask:#x}); "
            "name the file .wav or .flac"
        )


class AudioWriter:
    """Writer of one sound file, used in a `with` block.

    Parameters
    ----------
    path
        Where to write: .wav, .flac or .ogg.
    sample_rate
        In Hz.
    channels
        1 to 8.
    samples
        About how many samples a channel will be written; a wav file that would pass 4 GB is written as RF64.
    bit_depth
        "16", "24" or "float"; Vorbis has none and ignores it.
    dither_seed
        Seed of triangular dither for 16 bits, the same however the sound is cut into blocks; None: no dither.
    channel_mask
        Loudspeakers of the channels, as in audio/containers/channel_layout.py; 0: the usual ones.
    name
        What errors call the file, where `path` is a temporary one.

    Raises
    ------
    InputError
        When the format refuses the rate or the channels, or the file cannot be made.
    """

    def __init__(
        self,
        path: Path,
        *,
        sample_rate: int,
        channels: int,
        samples: int,
        bit_depth: str = "24",
        dither_seed: int | None = None,
        channel_mask: int = 0,
        name: Path | None = None,
    ) -> None:
        self._name = name or path
        self._path = path
        self._format = _FORMATS[path.suffix.lower()]
        subtype = "VORBIS" if self._format == "OGG" else _SUBTYPES[bit_depth]
        kind = self._format
        if kind == "WAV" and samples * channels * _BYTES[bit_depth] > _WAV_LIMIT:
            kind = "RF64"
        elif kind == "WAV" and channels > 2:
            kind = "WAVEX"  # says which channel is which
        self._dither = None
        if dither_seed is not None and subtype == "PCM_16":
            self._dither = np.random.default_rng(dither_seed)
        self._order = VORBIS_ORDER.get(channels) if self._format == "OGG" else None
        self._integer = subtype != "FLOAT"
        self._bits = {"PCM_16": 16, "PCM_24": 24}.get(subtype, 0)
        self._mask = (valid_mask(channel_mask, channels) or DEFAULT_MASKS.get(channels, 0)) if channels > 2 else 0
        level = _VORBIS_COMPRESSION if self._format == "OGG" else None
        try:
            self._sound = soundfile.SoundFile(
                os.fsencode(path) if os.name == "posix" else str(path),
                "w",
                sample_rate,
                channels,
                subtype,
                format=kind,
                compression_level=level,
            )
        except soundfile.LibsndfileError as error:
            text = f"{self._name}: {self._format} cannot hold {channels} channels at {sample_rate} Hz"
            raise InputError(f"{text} ({error.error_string.rstrip('.')})") from error
        self.clipped = 0
        """Samples that were beyond full scale in a file that cannot hold them."""

    def __enter__(self) -> "AudioWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._sound.close()
            if kind is None:
                self._finish()
        except (soundfile.LibsndfileError, OSError) as trouble:
            if kind is None:
                raise InputError(f"{self._name}: cannot be written ({_reason(trouble)})") from trouble

    def write(self, block: np.ndarray) -> None:
        """Append `block`, float32 [samples, channels]. Raises InputError when the disk is full, or for NaN."""
        peak = float(np.abs(block).max(initial=0.0))
        if not np.isfinite(peak):
            raise InputError(f"{self._name}: the sound to write has samples that are no numbers (NaN or infinite)")
        if self._integer and peak > 1:
            self.clipped += int(np.count_nonzero(np.abs(block) > 1))
        try:
            for start in range(0, len(block), _CHUNK):
                self._sound.write(self._quantized(block[start : start + _CHUNK]))
        except (soundfile.LibsndfileError, AssertionError, OSError) as error:
            # (soundfile asserts that all that was given has been written)
            raise InputError(f"{self._name}: cannot be written ({_reason(error)})") from error

    def _quantized(self, block: np.ndarray) -> np.ndarray:
        if self._order is not None:
            block = block[:, np.argsort(self._order)]
        if not self._bits:
            return block
        steps = block * np.float32(2 ** (self._bits - 1))
        if self._dither is not None:
            noise = self._dither.random((len(block), block.shape[1], 2), dtype=np.float32)
            steps += noise[:, :, 0] - noise[:, :, 1]
        steps = np.clip(np.rint(steps), -(2 ** (self._bits - 1)), 2 ** (self._bits - 1) - 1)
        if self._bits == 16:
            return steps.astype(np.int16)
        return steps.astype(np.int32) << 8  # libsndfile takes the upper 24 of 32 bits

    def _finish(self) -> None:
        """Mend the header: the loudspeakers, and no clock (the same sound is to give the same file)."""
        if self._format == "FLAC" and self._mask and self._mask != DEFAULT_MASKS[self._mask.bit_count()]:
            import mutagen.flac

            tagged = mutagen.flac.FLAC(self._path)
            tagged["WAVEFORMATEXTENSIBLE_CHANNEL_MASK"] = f"0x{self._mask:04X}"
            tagged.save()
        if self._format != "WAV":
            return
        if self._mask:
            write_channel_mask(self._path, self._mask)
        if self._integer:
            return
        with self._path.open("r+b") as file:
            at = file.read(4096).find(b"PEAK")
            if at >= 0:
                file.seek(at + 12)  # name, length, version, then the time of writing
                file.write(bytes(4))


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "is the disk full?"  # libsndfile only says "System error"
