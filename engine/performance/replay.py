"""Replays a recorded performance into a file: the same samples that were played, for the same time."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ...models.common.atomic_write import atomic_write
from ...models.common.errors import InputError
from ..audio.decode import probe
from ..audio.sample_buffer import SampleBuffer
from ..dsp.segment_mask import SegmentMask
from ..dsp.solved_settings import SolvedSetting
from ..render.audio_writer import AudioWriter, check_layout
from .automation_file import Automation
from .events import SETTING_SOLVED, read_setting
from .performance import render_events

MaskLookup = Callable[[int, Path], tuple[SegmentMask, str, str]]
"""Gives the map of a track by number and path, and the digests of the track and of the model: see `replay`."""
SettingLookup = Callable[[int, Path, tuple[float, ...]], SolvedSetting]
"""Solves a setting of the faders as a whole, by number and path of the track: see `replay`."""
_DITHER_SEED = 0
_BYTES = {"16": 2, "24": 3, "float": 4}


@dataclass(frozen=True)
class ReplayResult:
    """What was written: how long it is, and how many changes of controls are in it."""

    output: str
    duration_s: float
    sample_rate: int
    changes: int


def replay(
    history: Automation,
    output: Path,
    *,
    steering: MaskLookup,
    settings: SettingLookup,
    tracks: tuple[Path, ...] | None = None,
    bit_depth: str = "float",
    progress: Callable[[float], None] | None = None,
) -> ReplayResult:
    """Write the performance to `output`; `tracks` are where its files are now (they may have moved).

    `steering` is asked only for the tracks that were steered, `settings` for the presets that sounded as wholes. A
    float file has the very samples; a 16- or 24-bit one their rounding. Its loudspeakers are those of the tracks that
    have as many channels as were played, where these agree; else the usual ones of that number.

    Raises InputError, also where a track or its analysis is another one than was played.
    """
    files = tracks or history.tracks
    if len(files) != len(history.tracks):
        raise InputError(f"{len(history.tracks)} tracks were played, {len(files)} are given")
    sounds = [_opened(file, history) for file in files]
    channel_mask = _shared_mask(sounds)
    check_layout(output, channels=history.channels, channel_mask=channel_mask)
    masks: list[SegmentMask | None] = [None] * len(files)
    for number, file in enumerate(files):
        if number in history.digests:
            masks[number], digest, model = steering(number, file)
            if digest != history.digests[number]:
                raise InputError(f"{file}: another sound than was played (edited since, or another file?)")
            if model != history.models.get(number, model):
                raise InputError(f"{file}: was explained by another model when it was played (--model names it)")
    solved = {}
    for text in {str(change.value) for change in history.changes if change.address == SETTING_SOLVED}:
        number, faders_db = read_setting(text)
        if masks[number] is not None:
            solved[text] = settings(number, files[number], faders_db)
    for sound in sounds:
        sound.load()
        if sound.error is not None:
            raise sound.error
    length = history.samples
    expected = length or sum(sound.length or 0 for sound in sounds)
    _check_space(output, expected * history.channels * _BYTES[bit_depth] if output.suffix.lower() == ".wav" else 0)
    written = 0
    with atomic_write(output) as beside:
        writer = AudioWriter(
            beside,
            sample_rate=history.sample_rate,
            channels=history.channels,
            samples=expected,
            bit_depth=bit_depth,
            dither_seed=_DITHER_SEED,
            channel_mask=channel_mask,
            name=output,
        )
        with writer:
            for block in render_events(
                sounds,
                masks,
                history.changes,
                samples=length,
                ceiling_dbtp=history.ceiling_dbtp,
                settings=solved,
            ):
                writer.write(block)
                written += len(block)
                if progress:
                    progress(min(written / max(expected, 1), 1.0))
        if not written:
            raise InputError(f"{output}: nothing is played in this performance (nothing starts it?)")
    return ReplayResult(str(output), written / history.sample_rate, history.sample_rate, len(history.changes))


def _opened(file: Path, history: Automation) -> SampleBuffer:
    """An empty buffer for a track, as it was played. Raises InputError for one that cannot have been."""
    source = probe(file)
    if source.channels > history.channels > 1:
        raise InputError(
            f"{file}: it has {source.channels} channels, the performance was played with {history.channels}"
        )
    return SampleBuffer(source, sample_rate=history.sample_rate, channels=history.channels)


def _shared_mask(sounds: list[SampleBuffer]) -> int:
    """Loudspeakers of the tracks that fill all channels of the output, where all of them agree; else 0.

    A track with fewer channels plays on the first ones, whichever loudspeakers these are.
    """
    masks = {sound.source.channel_mask for sound in sounds if sound.source.channels == sound.channels}
    return masks.pop() if len(masks) == 1 else 0


def _check_space(output: Path, size: int) -> None:
    """See that so many bytes are free where the file is to be. Raises InputError."""
    try:
        free = shutil.disk_usage(output.parent).free
    except OSError:
        return  # (what is wrong with the folder is told when the file is made)
    if size > free:
        raise InputError(f"{output}: it would take {size / 1e9:.1f} GB, {free / 1e9:.1f} GB are free there")
