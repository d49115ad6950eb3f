"""MIDI rendering with FluidSynth and a General MIDI sound font.

FluidSynth does not low-pass when it transposes samples, so cymbals and high strings alias at low sample rates. It
therefore renders at 32 kHz or more (where aliases stay above 11 kHz) in float (no clipping), and soxr resamples. Each
thread keeps the sound fonts that it has used loaded (`fluidsynth.py`); no piece depends on another.
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
"""Environment variable that names the default sound font."""
FOLDERS = (
    "/usr/share/sounds/sf2", "/usr/share/soundfonts", "/usr/share/sounds/sf3", "/usr/local/share/soundfonts",
    "/usr/local/share/sounds/sf2", "/opt/homebrew/share/soundfonts", "~/.local/share/soundfonts",
)  # fmt: skip
NAMES = ("FluidR3_GM.sf2", "FluidR3_GM2-2.sf2", "default-GM.sf2", "default.sf2", "default-GM.sf3")
MIN_RATE = 32000
"""Lowest sample rate that FluidSynth renders at, in Hz."""
_thread = threading.local()


@dataclass(frozen=True)
class ReverbSettings:
    """Settings of FluidSynth's reverb and chorus.

    Attributes
    ----------
    size, damping, level
        Of the reverb, 0..1.
    width
        Stereo width of the reverb, 0..100.
    chorus_depth
        0..256.
    chorus_level
        0..10.
    """

    size: float = 0.6
    damping: float = 0.3
    level: float = 0.6
    width: float = 1.0
    chorus_depth: float = 4.0
    chorus_level: float = 1.0


def find_soundfont(soundfont: Path | str | None = None) -> Path:
    """Find a General MIDI sound font.

    Parameters
    ----------
    soundfont
        A path, or the name of a file in the system's sound-font folders. None for the file that the environment
        variable MOODFADER_SOUNDFONT names or, without it, the first of the usual names in those folders.

    Returns
    -------
    pathlib.Path
        An existing file.

    Raises
    ------
    InputError
        There is no such file.
    """
    folders = [Path(folder).expanduser() for folder in FOLDERS]
    if soundfont is not None:
        for path in [Path(soundfont).expanduser(), *(folder / soundfont for folder in folders)]:
            if path.is_file():
                return path
        raise InputError(f"{soundfont}: no such sound font, nor one of that name in the system's folders")
    default = os.environ.get(SOUNDFONT_VARIABLE)
    if default:
        if not Path(default).expanduser().is_file():
            raise InputError(f"{default}: {SOUNDFONT_VARIABLE} names a sound font that does not exist")
        return Path(default).expanduser()
    for path in [folder / name for name in NAMES for folder in folders]:
        if path.is_file():
            return path
    raise InputError(
        "no General MIDI sound font: install the Debian package fluid-soundfont-gm, "
        f"or name an .sf2 file in {SOUNDFONT_VARIABLE}"
    )


def require_fluidsynth() -> None:
    """Check that FluidSynth's library can be used.

    Raises
    ------
    InputError
        The library is missing or older than 2.2.
    """
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
    """Render a MIDI file.

    Parameters
    ----------
    midi
        The file.
    sample_rate
        8000..96000 Hz.
    channels
        2 for stereo, 1 for the mean of left and right.
    room
        Reverb and chorus; None for the defaults.
    gain
        FluidSynth's master gain, 0..10.
    soundfont
        As in `find_soundfont`.

    Returns
    -------
    numpy.ndarray
        float32 [samples, channels], exactly `midi.length` seconds long; the same for the same arguments. Not
        normalised: samples may exceed 1.

    Raises
    ------
    InputError
        The library or the sound font is missing, or an argument is out of range.
    """
    if not 8000 <= sample_rate <= 96000:
        raise InputError(f"sample_rate: {sample_rate} is not within 8000..96000 Hz (in kHz?)")
    if channels not in (1, 2):
        raise InputError(f"channels: {channels}, but FluidSynth renders mono (1) or stereo (2)")
    render_rate = max(sample_rate, MIN_RATE)
    settings = {"synth.sample-rate": float(render_rate), **_settings(room or ReverbSettings(), gain)}
    synthesizer = _synthesizer(find_soundfont(soundfont))
    samples = synthesizer.render(midi, round(midi.length * render_rate), settings)
    if channels == 1:
        samples = samples.mean(axis=1, keepdims=True)
    if sample_rate != render_rate:
        samples = soxr.resample(samples, render_rate, sample_rate)
    length = round(midi.length * sample_rate)
    samples = samples[:length]
    return np.pad(samples, ((0, length - len(samples)), (0, 0))).astype(np.float32, copy=False)


def _synthesizer(soundfont: Path) -> Synthesizer:
    """The synthesizer of a font in this thread; threads share none, for FluidSynth counts users without a lock."""
    synthesizers: dict[tuple[Path, int], Synthesizer] = _thread.__dict__.setdefault("synthesizers", {})
    key = (soundfont, soundfont.stat().st_mtime_ns)
    if key not in synthesizers:
        synthesizers[key] = Synthesizer(soundfont)
    return synthesizers[key]


def _settings(room: ReverbSettings, gain: float) -> dict[str, float]:
    """FluidSynth's settings by name."""
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
