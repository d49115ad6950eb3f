"""MIDI into sound with FluidSynth and a General MIDI sound font.

FluidSynth's interpolation does not filter, so that at a low rate cymbals and high strings would fold down. It
therefore renders at 32 kHz at least (what folds there lies above 11 kHz), in float so that nothing clips, and
soxr resamples. A thread keeps the sound fonts it has used open (see synthesizer.py); each piece depends on no
other.
"""

import os
import threading
from dataclasses import dataclass
from pathlib import Path

import mido
import numpy as np
import soxr

from ..common.errors import InputError
from .fluidsynth import POLYPHONY, Synthesizer, load_library

SOUNDFONT_VARIABLE = "MOODFADER_SOUNDFONT"
FOLDERS = (
    "/usr/share/sounds/sf2", "/usr/share/soundfonts", "/usr/share/sounds/sf3", "/usr/local/share/soundfonts",
    "/usr/local/share/sounds/sf2", "/opt/homebrew/share/soundfonts", "~/.local/share/soundfonts",
)  # fmt: skip
NAMES = ("FluidR3_GM.sf2", "FluidR3_GM2-2.sf2", "default-GM.sf2", "default.sf2", "default-GM.sf3")
LEAST_RATE = 32000
_open = threading.local()


@dataclass(frozen=True)
class ReverbSettings:
    """FluidSynth's reverb (size, damping, level in 0..1; width 0..100) and chorus (depth, level)."""

    size: float = 0.6
    damping: float = 0.3
    level: float = 0.6
    width: float = 1.0
    chorus_depth: float = 4.0
    chorus_level: float = 1.0


def find_soundfont(soundfont: Path | str | None = None) -> Path:
    """A General MIDI sound font: a path, or the name of a file in the system's folders, or, when none is
    given, what MOODFADER_SOUNDFONT names, else the first of the usual names there.

    Raises InputError when there is none.
    """
    folders = [Path(folder).expanduser() for folder in FOLDERS]
    if soundfont is not None:
        for path in [Path(soundfont).expanduser(), *(folder / soundfont for folder in folders)]:
            if path.is_file():
                return path
        raise InputError(f"{soundfont}: no such sound font, nor one of that name in the system's folders")
    named = os.environ.get(SOUNDFONT_VARIABLE)
    if named:
        if not Path(named).expanduser().is_file():
            raise InputError(f"{named}: {SOUNDFONT_VARIABLE} names a sound font that does not exist")
        return Path(named).expanduser()
    for path in [folder / name for name in NAMES for folder in folders]:
        if path.is_file():
            return path
    raise InputError(
        "no General MIDI sound font: install the Debian package fluid-soundfont-gm, "
        f"or name an .sf2 file in {SOUNDFONT_VARIABLE}"
    )


def require_fluidsynth() -> None:
    """Raises InputError when FluidSynth's library is missing or too old."""
    load_library()


def render_midi(
    midi: mido.MidiFile,
    *,
    sample_rate: int = 44100,
    channels: int = 2,
    room: ReverbSettings | None = None,
    gain: float = 0.4,
    soundfont: Path | str | None = None,
) -> np.ndarray:
    """Render a MIDI file: float32 [samples, channels], exactly `midi.length` seconds long.

    `channels` is 1 (the mean of left and right) or 2; `sample_rate` 8000..96000 Hz; `gain` is FluidSynth's,
    0..10; `soundfont` as in `find_soundfont`. The samples may exceed 1: levels are the caller's business. Same
    input, same samples.

    Raises InputError for a missing library or sound font, or settings out of range.
    """
    if not 8000 <= sample_rate <= 96000:
        raise InputError(f"sample_rate: {sample_rate} is not within 8000..96000 Hz (in kHz?)")
    if channels not in (1, 2):
        raise InputError(f"channels: {channels}, but FluidSynth renders mono (1) or stereo (2)")
    render_rate = max(sample_rate, LEAST_RATE)
    settings = {"synth.sample-rate": float(render_rate), **_settings(room or ReverbSettings(), gain)}
    synthesizer = _synthesizer(find_soundfont(soundfont))
    samples = synthesizer.render(midi, round(midi.length * render_rate), settings)
    if channels == 1:
        samples = samples.mean(axis=1, keepdims=True)
    if sample_rate != render_rate:
        samples = soxr.resample(samples, render_rate, sample_rate)
    wanted = round(midi.length * sample_rate)
    samples = samples[:wanted]
    return np.pad(samples, ((0, wanted - len(samples)), (0, 0))).astype(np.float32, copy=False)


def _synthesizer(soundfont: Path) -> Synthesizer:
    """This thread's synthesizer of a font: its own, since FluidSynth counts a font's users without a lock."""
    kept: dict[tuple[Path, int], Synthesizer] = _open.__dict__.setdefault("kept", {})
    key = (soundfont, soundfont.stat().st_mtime_ns)
    if key not in kept:
        kept[key] = Synthesizer(soundfont)
    return kept[key]


def _settings(room: ReverbSettings, gain: float) -> dict[str, float]:
    return {
        "synth.polyphony": POLYPHONY,
        "synth.gain": float(gain),
        "synth.reverb.room-size": float(room.size),
        "synth.reverb.damp": float(room.damping),
        "synth.reverb.level": float(room.level),
        "synth.reverb.width": float(room.width),
        "synth.chorus.depth": float(room.chorus_depth),
        "synth.chorus.level": float(room.chorus_level),
    }
