"""From a sound file to blocks of samples: soundfile (libsndfile) first, PyAV (FFmpeg) for what it cannot read whole.

Blocks are float32 [samples, channels] at the file's own rate, full scale 1.0. A file is opened several times (to be
checked, analysed, rendered); it gives the same samples each time, from whichever sample decoding starts. PyAV is
imported when it is needed, so that what soundfile reads starts sooner.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from ...models.common.errors import InputError
from .containers.channel_layout import mask_of_names, valid_mask
from .containers.ffmpeg import decoded_frames, open_container, regrouped
from .containers.input_file import InputFile, open_input
from .containers.integrity import Inspection, check_libsndfile_log, inspect
from .containers.wav_chunks import wav_channel_mask

SAMPLE_RATES = (8_000, 192_000)
MAX_CHANNELS = 8
_MAX_FRAMES = 1 << 40
"""A length beyond this is libsndfile's way to say that it does not know."""

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
    """What a file's header says; `declared_frames`: samples of a channel, None where it states none."""

    path: Path
    reader: str  # "soundfile", "av", or "array" for samples in memory
    format: str
    subtype: str
    sample_rate: int
    channels: int
    declared_frames: int | None
    frame_tolerance: int = 0  # samples by which an undamaged file may differ from that
    channel_mask: int = 0
    """Loudspeakers of the channels as in channel_layout.py; 0 where the file does not say."""
    notes: tuple[str, ...] = ()
    """What the user should know about the file, a line each."""
    input: InputFile | None = None
    array: np.ndarray | None = field(default=None, repr=False, compare=False)
    """float32 [samples, channels], of a source in memory (array_source.py)."""

    @property
    def data(self) -> Path:
        """Where its bytes are: `path`, or the copy of what came from a pipe."""
        return self.path if self.input is None else self.input.data


def probe(path: Path, *, pipes: bool = False) -> AudioFileInfo:
    """Read the header of a sound file.

    Parameters
    ----------
    path
        A file; with `pipes` also a named pipe, a device or `-` for standard input.
    pipes
        Whether a pipe will do: its content is kept in a temporary file as long as the source is there.

    Raises
    ------
    InputError
        When there is no such file, it is no sound, it is cut off, or its rate or channel count is outside 8..192 kHz
        and 1..8.
    """
    opened = open_input(path, pipes=pipes)
    inspection = inspect(opened.data, path)
    source = None
    if not inspection.ffmpeg:
        try:
            with soundfile.SoundFile(_os_path(opened.data)) as sound:
                source = _soundfile_source(path, opened, sound, inspection.note)
        except (soundfile.LibsndfileError, TypeError):  # TypeError: the name ends in .raw, which has no header
            source = None
    if source is None:
        source = _av_source(path, opened, inspection)
    low, high = SAMPLE_RATES
    if not low <= source.sample_rate <= high:
        raise InputError(f"{path}: its sample rate is {source.sample_rate} Hz, not within {low} to {high} Hz")
    if not 1 <= source.channels <= MAX_CHANNELS:
        raise InputError(f"{path}: it has {source.channels} channels, one to {MAX_CHANNELS} can be worked on")
    return source


def decode(source: AudioFileInfo, *, block_length: int = 65536, start: int = 0) -> Iterator[np.ndarray]:
    """Decode a file.

    Parameters
    ----------
    source
        What `probe` gave.
    block_length
        Samples in a block; the last one may be shorter.
    start
        The sample to begin with.

    Yields
    ------
    numpy.ndarray
        float32 [samples, channels], full scale 1.0.

    Raises
    ------
    InputError
        When the file turns out to be damaged on the way.
    """
    if source.array is not None:
        return (source.array[i : i + block_length] for i in range(start, len(source.array), block_length))
    if source.reader == "soundfile":
        return _soundfile_blocks(source, block_length, start)
    return regrouped(_av_blocks(source), block_length, start)


def _os_path(path: Path) -> str | bytes:
    """A path as libsndfile takes it: names that are no UTF-8 as bytes."""
    return os.fsencode(path) if os.name == "posix" else str(path)


# soundfile


def _soundfile_source(path: Path, opened: InputFile, sound: soundfile.SoundFile, note: str) -> AudioFileInfo | None:
    """None where libsndfile does not know how long the sound is."""
    check_libsndfile_log(path, sound.extra_info)
    if not 0 <= sound.frames < _MAX_FRAMES:
        return None
    return AudioFileInfo(
        path,
        "soundfile",
        sound.format,
        sound.subtype,
        sound.samplerate,
        sound.channels,
        declared_frames=sound.frames,
        frame_tolerance=2 * 1152 if sound.format == "MP3" else 0,  # encoders disagree on how to count their padding
        channel_mask=_channel_mask(opened.data, sound.format, sound.channels),
        notes=_notes(path, note),
        input=opened,
    )


def _channel_mask(data: Path, kind: str, channels: int) -> int:
    """What a wav or FLAC file says of its loudspeakers; 0 where it says nothing."""
    if channels < 3:
        return 0
    if kind in ("WAV", "WAVEX", "RF64"):
        return valid_mask(wav_channel_mask(data), channels)
    if kind == "FLAC":
        import mutagen.flac

        with contextlib.suppress(mutagen.MutagenError, ValueError, IndexError, KeyError, TypeError):
            stated = mutagen.flac.FLAC(data).get("waveformatextensible_channel_mask", ["0"])
            return valid_mask(int(stated[0], 16), channels)
    return 0


class _Sequential(soundfile.SoundFile):  # type: ignore[misc]
    """soundfile seeks after every read of a seekable file; in MP3 and Vorbis that changes the samples that follow."""

    def seekable(self) -> bool:
        return False


def _soundfile_blocks(source: AudioFileInfo, block_length: int, start: int) -> Iterator[np.ndarray]:
    given = 0
    try:
        with _Sequential(_os_path(source.data)) as sound:
            # After seeking, MP3 and Vorbis give other samples than decoding up to there does.
            if source.format in ("MP3", "OGG"):
                _skip(sound, start)
            elif start:
                sound.seek(start)
            order = VORBIS_ORDER.get(source.channels) if source.format == "OGG" else None
            # What stands behind the last sample (a tag of another format) makes libsndfile fail if it is asked for.
            limit = source.declared_frames if source.format == "FLAC" and source.declared_frames else 1 << 62
            while start + given < limit and len(
                block := sound.read(min(block_length, limit - start - given), dtype="float32", always_2d=True)
            ):
                given += len(block)
                yield block if order is None else block[:, order]
    except soundfile.LibsndfileError as error:
        reason = error.error_string.removeprefix("Error : ").rstrip(".")
        raise InputError(f"{source.path}: it is truncated or damaged ({reason})") from error


def _skip(sound: soundfile.SoundFile, samples: int) -> None:
    while samples > 0 and (read := len(sound.read(min(samples, 65536), dtype="float32"))):
        samples -= read


# PyAV


_NO_SOUND_FILE: Final = "it is not a sound file that can be read (truncated, or not audio at all?)"
_STREAMS: Final = "{} sounds are in it (languages?); the first one is read"
_EXACT: Final = {"mp4", "tta", "wv", "ape"}
"""Formats of FFmpeg's whose headers state the length to the sample."""


def _notes(path: Path, *notes: str) -> tuple[str, ...]:
    return tuple(f"{path}: {note}" for note in notes if note)


def _av_source(path: Path, opened: InputFile, inspection: Inspection) -> AudioFileInfo:
    import av

    try:
        with open_container(opened.data) as container:
            streams = container.streams.audio
            if not streams:
                raise InputError(f"{path}: there is no sound in it")
            stream = streams[0]
            if stream.codec_context is None:
                raise InputError(f"{path}: it is not a sound file that can be read (no decoder for what is in it)")
            if not stream.rate or not stream.channels:
                raise InputError(f"{path}: {_NO_SOUND_FILE}")
            declared = None
            if stream.duration and stream.time_base and _EXACT & set(container.format.name.split(",")):
                # (In mp4, AAC's padding comes after it.)
                declared = round(stream.duration * stream.time_base * stream.rate)
            layout = stream.codec_context.layout
            return AudioFileInfo(
                path,
                "av",
                container.format.name,
                stream.codec_context.name,
                stream.rate,
                stream.channels,
                declared,
                frame_tolerance=2048,
                channel_mask=mask_of_names(channel.name for channel in layout.channels) if stream.channels > 2 else 0,
                notes=_notes(path, inspection.note, _STREAMS.format(len(streams)) if len(streams) > 1 else ""),
                input=opened,
            )
    except (av.FFmpegError, ValueError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: {_NO_SOUND_FILE}") from error


def _av_blocks(source: AudioFileInfo) -> Iterator[np.ndarray]:
    import av

    left = source.declared_frames if source.declared_frames is not None else 1 << 62
    try:
        with open_container(source.data) as container:
            resampler = av.AudioResampler(format="flt")
            for frame in decoded_frames(container, tolerant=source.declared_frames is None):
                if (frame.sample_rate, len(frame.layout.channels)) != (source.sample_rate, source.channels):
                    raise InputError(
                        f"{source.path}: its sample rate or channels change on the way (to {frame.sample_rate} Hz, "
                        f"{len(frame.layout.channels)} channels; streams of two kinds in one file?)"
                    )
                for packed in resampler.resample(frame):
                    block = packed.to_ndarray().reshape(-1, source.channels)[:left]
                    left -= len(block)
                    yield block
            for packed in resampler.resample(None):
                yield packed.to_ndarray().reshape(-1, source.channels)[:left]
    except (av.FFmpegError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{source.path}: it is truncated or damaged ({reason})") from error
