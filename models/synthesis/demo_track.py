"""The demo track: orchestrated from the demo score, rendered with FluidSynth, and written as tagged Ogg Vorbis.

`python -m moodfader.models.synthesis.demo_track OUT.ogg` makes the file `presets/demo.ogg` again.
"""

import sys
from pathlib import Path

import mido
import mutagen.oggvorbis
import numpy as np
import soundfile

from ..common.atomic_write import atomic_write
from ..common.errors import InputError
from ..composition.midi_parts import to_midi
from .demo_players import DemoPlayers, voice_lead
from .demo_score import (
    CLOSING_BARS,
    CLOSING_THEME,
    COUNTER_THEME,
    DRIVING_BARS,
    DRIVING_THEME,
    LYRICAL_BARS,
    LYRICAL_THEME,
)
from .midi_render import ReverbSettings, render_midi

SECTIONS = (0.0, 24.0, 48.0)
"""Beats at which the three sections begin."""
SAMPLE_RATE = 44100
PEAK_DBFS = -1.5
TAGS = {
    "title": "Moodfader Demo: Waltz with a Shadow",
    "artist": "Moodfader",
    "license": "CC0-1.0 (https://creativecommons.org/publicdomain/zero/1.0/)",
    "comment": "Composed and rendered by moodfader.models.synthesis.demo_track",
    "encodedby": "FluidSynth, FluidR3 GM sound font (MIT)",
}


def compose_demo() -> mido.MidiFile:
    """Compose the demo piece, about 45 s of MIDI."""
    band = DemoPlayers()
    _lyrical(band)
    _driving(band)
    _closing(band)
    return to_midi(list(band.parts.values()), seconds=band.seconds)


def _lyrical(band: DemoPlayers) -> None:
    """First section: piano and solo violin, later flute, over quiet strings."""
    band.line("solo", 0, LYRICAL_THEME, 96)
    band.line("flute", 12, LYRICAL_THEME[9:], 78)
    beat = 0.0
    for bar, voices in zip(LYRICAL_BARS, voice_lead(LYRICAL_BARS, (57, 62, 66)), strict=True):
        for k, pitch in enumerate((bar.bass + 12, voices[0], voices[1], voices[2], voices[1], voices[0])):
            band.play("piano", beat + k / 2, 3 - k / 2, pitch, 72 - 8 * (k % 2) + 8 * (k == 0), 0.95)
        for pitch in voices:
            band.play("strings", beat, bar.beats, pitch, 66, 1.04)
        band.play("bass", beat, bar.beats, bar.bass, 54, 1.0)
        beat += bar.beats
    for name, low, high in (("solo", 92, 120), ("strings", 70, 100), ("bass", 70, 96)):
        for start in (0.0, 12.0):
            band.swell(name, start, start + 12, low, high)


def _driving(band: DemoPlayers) -> None:
    """Second section: staccato strings in six-eight, theme in the horns, timpani; a drum roll leads to the next."""
    begin = SECTIONS[1]
    for name in ("strings", "bass"):
        band.swell(name, begin, begin + 24, 90, 112)
    band.line("horn", begin, DRIVING_THEME, 92, gate=0.8)
    band.line("trumpet", begin + 12, DRIVING_THEME[12:], 78, gate=0.7, up=12)
    beat = begin
    for index, (bar, voices) in enumerate(zip(DRIVING_BARS, voice_lead(DRIVING_BARS, (57, 62, 65)), strict=True)):
        loud = 74 + 4 * index
        fifth = next(p for p in range(bar.bass + 16, bar.bass + 24) if p % 12 in bar.tones)
        drum = next(p for p in (38, 45, 36) if p % 12 in bar.tones)
        for k in range(6):
            accent = 16 if k % 3 == 0 else 0
            low = bar.bass + 12 if k % 3 != 2 else fifth
            band.play("spiccato", beat + k / 2, 0.5, low, loud + accent, 0.4)
            if k in (0, 2, 3, 5):
                for pitch in voices:
                    band.play("pizzicato", beat + k / 2, 0.5, pitch, loud - 4 + accent, 0.35)
        band.play("bass", beat, 0.5, bar.bass, loud + 8, 0.6)
        band.play("bass", beat + 1.5, 0.5, bar.bass, loud, 0.6)
        for offset in (0.0, 1.5) if index % 2 == 0 else (0.0, 1.0, 1.5, 2.0, 2.5):
            band.play("timpani", beat + offset, 0.5, drum, loud + 6, 0.8)
        if index >= 4:
            for pitch in voices:
                band.play("strings", beat, bar.beats, pitch + 12, loud - 14, 0.9)
        beat += bar.beats
    for k in range(24):  # drum roll
        band.play("timpani", begin + 21 + k / 8, 0.125, 45, 50 + 2.2 * k, 1.0)
    band.play("kit", begin + 22, 3, 55, 40)


def _closing(band: DemoPlayers) -> None:
    """Third section: the first theme in octaves, harp, choir and a counter-melody, and a quiet last chord."""
    begin = SECTIONS[2]
    band.line("violins", begin, CLOSING_THEME, 108)
    band.line("flute", begin, CLOSING_THEME, 84, up=12)
    band.line("cello", begin, COUNTER_THEME, 88)
    band.line("bells", begin, tuple((n, p if n >= 2 else 0) for n, p in CLOSING_THEME), 52, up=12)
    band.play("timpani", begin, 2, 38, 84)
    band.play("kit", begin, 4, 49, 58)
    beat = begin
    for bar, voices in zip(CLOSING_BARS, voice_lead(CLOSING_BARS, (57, 62, 66)), strict=True):
        for name, velocity in (("strings", 80), ("choir", 78)):
            for pitch in voices:
                band.play(name, beat, bar.beats, pitch, velocity, 1.03)
        run = (bar.bass + 12, voices[0], voices[1], voices[2], voices[0] + 12, voices[1] + 12)
        for k in range(min(round(bar.beats * 2), 6)):
            band.play("harp", beat + k / 2, 2.5, run[k], 90 - 3 * k)
            band.play("piano", beat + k / 2, 1.5, run[k], 62 + 8 * (k == 0))
        band.play("bass", beat, bar.beats, bar.bass, 72, 1.0)
        beat += bar.beats
    for name, low, high in (
        ("violins", 96, 124), ("strings", 88, 112), ("choir", 70, 108), ("cello", 90, 116), ("bass", 84, 104),
    ):  # fmt: skip
        band.swell(name, begin, begin + 12, low, high)
        band.swell(name, begin + 12, begin + 22, low, high - 6)
        for step in range(24):  # fade to the end
            band.parts[name].swells.append((band.time(begin + 22 + step / 4), low - 2 * step))


def make_demo(path: Path) -> Path:
    """Compose, render and write the demo track: stereo, 44.1 kHz, Ogg Vorbis, tagged.

    Parameters
    ----------
    path
        The file to write.

    Returns
    -------
    pathlib.Path
        `path`.

    Raises
    ------
    InputError
        FluidSynth or the sound font is missing, or the file cannot be written.
    """
    room = ReverbSettings(size=0.75, damping=0.25, level=0.65, width=1.0)
    samples = render_midi(compose_demo(), sample_rate=SAMPLE_RATE, channels=2, room=room)
    fade = round(1.2 * SAMPLE_RATE)
    samples[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)[:, None] ** 2
    samples *= 10 ** (PEAK_DBFS / 20) / float(np.abs(samples).max())
    with atomic_write(path) as temp_path:
        with soundfile.SoundFile(
            temp_path, "w", SAMPLE_RATE, 2, "VORBIS", format="OGG", compression_level=0.65
        ) as file:
            for start in range(0, len(samples), SAMPLE_RATE):  # libsndfile's Vorbis encoder fails on long blocks
                file.write(samples[start : start + SAMPLE_RATE])
        tagged = mutagen.oggvorbis.OggVorbis(temp_path)
        tagged.update(TAGS)
        tagged.save()
    return path


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m moodfader.models.synthesis.demo_track OUT.ogg")
    try:
        print(make_demo(Path(sys.argv[1])))
    except InputError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
