"""From a sound file to blocks of samples: soundfile (libsndfile) first, PyAV (FFmpeg) for what it refuses.

Blocks are float32 [samples, channels] at the file's own rate, full scale 1.0. A file is opened twice or more
in its life (to be checked, to be heard, to be rendered); the same samples come out each time, wherever one
starts. PyAV is imported when it is needed: what soundfile reads can sound sooner.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from ...models.common.errors import InputError
from .integrity import check_libsndfile_log, check_not_truncated, mp3_declares_length

if TYPE_CHECKING:
    from av.container import InputContainer

SAMPLE_RATES = (8_000, 192_000)
MAX_CHANNELS = 8

VORBIS_ORDER = {
    3: [0, 2, 1],
    5: [0, 2, 1, 3, 4],
    6: [0, 2, 1, 5, 3, 4],
    7: [0, 2, 1, 6, 5, 3, 4],
    8: [0, 2, 1, 7, 5, 6, 3, 4],
}
"""Where Vorbis (whose centre is second and whose low frequencies are last) keeps each channel of a wav file.

libsndfile hands its channels over as they lie.
"""


@dataclass(frozen=True)
class AudioFileInfo:
    """What a file's header says; `promised` is the number of samples a channel, None when it states none."""

    path: Path
    reader: str  # "soundfile" or "av"
    format: str
    subtype: str
    sample_rate: int
    channels: int
    declared_frames: int | None
    frame_tolerance: int = 0  # samples by which the promise may be missed by an undamaged file


def probe(path: Path) -> AudioFileInfo:
    """Read the header of `path`.

    Raises InputError when there is no such file, it is no sound, it is cut off, or its rate or channel count
    is outside 8..192 kHz and 1..8.
    """
    _check_file(path)
    check_not_truncated(path)
    try:
        with soundfile.SoundFile(path) as sound:
            source = _soundfile_source(path, sound)
    except (soundfile.LibsndfileError, TypeError):  # TypeError: the name ends in .raw, which has no header
        source = _av_source(path)
    low, high = SAMPLE_RATES
    if not low <= source.sample_rate <= high:
        raise InputError(f"{path}: its sample rate is {source.sample_rate} Hz, not within {low} to {high} Hz")
    if not 1 <= source.channels <= MAX_CHANNELS:
        raise InputError(f"{path}: it has {source.channels} channels, one to {MAX_CHANNELS} can be worked on")
    return source


def decode(source: AudioFileInfo, *, block_length: int = 65536, start: int = 0) -> Iterator[np.ndarray]:
    """Give the samples from `start` on in blocks [block_length, channels] (the last one may be shorter).

    Raises InputError when the file turns out to be damaged on the way.
    """
    if source.reader == "soundfile":
        return _soundfile_blocks(source, block_length, start)
    return _regrouped(_av_blocks(source), block_length, start)


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise InputError(f"{path}: it is a folder, a sound file is needed")
    if not path.exists():
        raise InputError(f"{path}: no such file")
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    if not head:
        raise InputError(f"{path}: it is empty (0 bytes; did a copy or a download stop?)")
    if all(byte in b"\t\n\r\f" or 32 <= byte < 127 for byte in head):
        raise InputError(f"{path}: it is text, not sound (a wrong name?)")


# soundfile


def _soundfile_source(path: Path, sound: soundfile.SoundFile) -> AudioFileInfo:
    check_libsndfile_log(path, sound.extra_info)
    promised, tolerance = sound.frames, 0
    if sound.format == "MP3":
        tolerance = 2 * 1152  # encoders disagree on how to count their padding
        if not mp3_declares_length(path):
            promised = None
    return AudioFileInfo(
        path, "soundfile", sound.format, sound.subtype, sound.samplerate, sound.channels, promised, tolerance
    )


class _Sequential(soundfile.SoundFile):  # type: ignore[misc]
    """soundfile seeks after every read of a seekable file; in MP3 and Vorbis that changes the samples that follow."""

    def seekable(self) -> bool:
        return False


def _soundfile_blocks(source: AudioFileInfo, block_length: int, start: int) -> Iterator[np.ndarray]:
    try:
        with _Sequential(source.path) as sound:
            # After seeking, MP3 and Vorbis give other samples than decoding up to there does.
            if source.format in ("MP3", "OGG"):
                _skip(sound, start)
            elif start:
                sound.seek(start)
            order = VORBIS_ORDER.get(source.channels) if source.format == "OGG" else None
            while len(block := sound.read(block_length, dtype="float32", always_2d=True)):
                yield block if order is None else block[:, order]
    except soundfile.LibsndfileError as error:
        raise InputError(f"{source.path}: it is truncated or damaged ({error.error_string.rstrip('.')})") from error


def _skip(sound: soundfile.SoundFile, samples: int) -> None:
    while samples > 0 and (read := len(sound.read(min(samples, 65536), dtype="float32"))):
        samples -= read


# PyAV


def _av_source(path: Path) -> AudioFileInfo:
    import av

    try:
        with _av_open(path) as container:
            if not container.streams.audio:
                raise InputError(f"{path}: there is no sound in it")
            stream = container.streams.audio[0]
            promised = None
            if stream.duration and stream.time_base and "mp4" in container.format.name:
                # Only the mp4 family states a length to the sample (and AAC's padding comes after it).
                promised = round(stream.duration * stream.time_base * stream.rate)
            names = container.format.name, stream.codec_context.name
            return AudioFileInfo(path, "av", *names, stream.rate, stream.channels, promised, frame_tolerance=2048)
    except (av.FFmpegError, ValueError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{path}: it is not a sound file that can be read (truncated, or not audio at all?)"
        ) from error


@contextlib.contextmanager
def _av_open(path: Path) -> "Iterator[InputContainer]":
    import av

    # A playlist or a script with the name of a sound file must not make us fetch things.
    with av.open(str(path), options={"protocol_whitelist": "file"}) as container:
        yield container


def _av_blocks(source: AudioFileInfo) -> Iterator[np.ndarray]:
    import av

    left = source.declared_frames if source.declared_frames is not None else 1 << 62
    try:
        with _av_open(source.path) as container:
            resampler = av.AudioResampler(format="flt")
            for frame in container.decode(container.streams.audio[0]):
                for packed in resampler.resample(frame):
                    block = packed.to_ndarray().reshape(-1, source.channels)[:left]
                    left -= len(block)
                    yield block
            for packed in resampler.resample(None):
                yield packed.to_ndarray().reshape(-1, source.channels)[:left]
    except av.FFmpegError as error:
        raise InputError(f"{source.path}: it is truncated or damaged ({error.strerror or error})") from error


def _regrouped(blocks: Iterator[np.ndarray], block_length: int, start: int) -> Iterator[np.ndarray]:
    """The same samples from `start` on, in blocks of one length."""
    held: list[np.ndarray] = []
    count = 0
    for block in blocks:
        skipped = min(start, len(block))
        start -= skipped
        held.append(block[skipped:])
        count += len(held[-1])
        while count >= block_length:
            joined = np.concatenate(held)
            yield joined[:block_length]
            held = [joined[block_length:]]
            count -= block_length
    if count:
        yield np.concatenate(held)
