"""MIDI into sound with FluidSynth's command line program and a General MIDI sound font.

FluidSynth's interpolation does not filter, so that at a low rate cymbals and high strings would fold down. It
therefore renders at 32 kHz at least (what folds there lies above 11 kHz), in float so that nothing clips, and
soxr resamples. Samples of the sound font are loaded as they are needed; each piece is a process of its own
and depends on no other.
"""

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import mido
import numpy as np
import soundfile
import soxr

from .errors import InputError

SOUNDFONT_VARIABLE = "MOODFADER_SOUNDFONT"
FOLDERS = (
    "/usr/share/sounds/sf2", "/usr/share/soundfonts", "/usr/share/sounds/sf3", "/usr/local/share/soundfonts",
    "/usr/local/share/sounds/sf2", "/opt/homebrew/share/soundfonts", "~/.local/share/soundfonts",
)  # fmt: skip
NAMES = ("FluidR3_GM.sf2", "FluidR3_GM2-2.sf2", "default-GM.sf2", "default.sf2", "default-GM.sf3")
LEAST_RATE = 32000


@dataclass(frozen=True)
class Room:
    """FluidSynth's reverb (size, damping, level in 0..1; width 0..100) and chorus (depth, level)."""

    size: float = 0.6
    damping: float = 0.3
    level: float = 0.6
    width: float = 1.0
    chorus_depth: float = 4.0
    chorus_level: float = 1.0


def find_soundfont() -> Path:
    """The General MIDI sound font: what MOODFADER_SOUNDFONT names, else the first in the system's folders.

    Raises InputError when there is none.
    """
    named = os.environ.get(SOUNDFONT_VARIABLE)
    if named:
        if not Path(named).expanduser().is_file():
            raise InputError(f"{named}: {SOUNDFONT_VARIABLE} names a sound font that does not exist")
        return Path(named).expanduser()
    folders = [Path(folder).expanduser() for folder in FOLDERS]
    for path in [folder / name for name in NAMES for folder in folders]:
        if path.is_file():
            return path
    raise InputError(
        "no General MIDI sound font: install the Debian package fluid-soundfont-gm, "
        f"or name an .sf2 file in {SOUNDFONT_VARIABLE}"
    )


def find_fluidsynth() -> str:
    """The fluidsynth program on the PATH. Raises InputError when it is missing."""
    program = shutil.which("fluidsynth")
    if program is None:
        raise InputError("fluidsynth is not on the PATH: install the Debian package fluidsynth")
    return program


def render_midi(
    midi: mido.MidiFile,
    *,
    sample_rate: int = 44100,
    channels: int = 2,
    room: Room | None = None,
    gain: float = 0.4,
) -> np.ndarray:
    """Render a MIDI file: float32 [samples, channels], exactly `midi.length` seconds long.

    `channels` is 1 (the mean of left and right) or 2; `sample_rate` 8000..96000 Hz; `gain` is FluidSynth's,
    0..10. The samples may exceed 1: levels are the caller's business. Same input, same samples.

    Raises InputError for a missing program or sound font, or settings out of range.
    """
    if not 8000 <= sample_rate <= 96000:
        raise InputError(f"sample_rate: {sample_rate} is not within 8000..96000 Hz (in kHz?)")
    if channels not in (1, 2):
        raise InputError(f"channels: {channels}, but FluidSynth renders mono (1) or stereo (2)")
    program, soundfont = find_fluidsynth(), find_soundfont()
    render_rate = max(sample_rate, LEAST_RATE)
    with tempfile.TemporaryDirectory(prefix="moodfader-") as folder:
        score, sound = Path(folder) / "score.mid", Path(folder) / "sound.wav"
        midi.save(str(score))
        command = [program, "-ni", "-q", *_settings(room or Room(), gain), "-T", "wav", "-O", "float"]
        command += ["-r", str(render_rate), "-F", str(sound), str(soundfont), str(score)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        complaints = [line for line in done.stderr.splitlines() if "soundfont" in line.lower()]
        # It reports success with a sound font that it could not read, and renders silence.
        if done.returncode or complaints or not sound.is_file():
            said = (complaints or done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise InputError(f"{soundfont}: fluidsynth could not render with it (damaged?): {said}")
        samples, _ = soundfile.read(sound, dtype="float32", always_2d=True)  # [samples, 2]
    if channels == 1:
        samples = samples.mean(axis=1, keepdims=True)
    if sample_rate != render_rate:
        samples = soxr.resample(samples, render_rate, sample_rate)
    wanted = round(midi.length * sample_rate)
    samples = samples[:wanted]
    return np.pad(samples, ((0, wanted - len(samples)), (0, 0))).astype(np.float32, copy=False)


def _settings(room: Room, gain: float) -> list[str]:
    values = {
        "synth.dynamic-sample-loading": 1,
        "synth.lock-memory": 0,
        "synth.gain": gain,
        "synth.reverb.room-size": room.size,
        "synth.reverb.damp": room.damping,
        "synth.reverb.level": room.level,
        "synth.reverb.width": room.width,
        "synth.chorus.depth": room.chorus_depth,
        "synth.chorus.level": room.chorus_level,
    }
    return [word for name, value in values.items() for word in ("-o", f"{name}={value}")]
