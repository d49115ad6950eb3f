"""Excerpts of piano music set for random instruments: what is rated is the music, not the piano.

An excerpt is divided into melody (the highest notes), bass (the lowest) and accompaniment, and each is played by an
instrument of an ensemble that is drawn, or all by one piano.
"""

from collections.abc import Sequence
from typing import Final

import mido

from ..composition.midi_parts import Note, Part, named_rng, to_midi
from ..composition.orchestration import draw_ensemble

PIANO_SHARE: Final = 0.3
"""Probability that one piano plays everything."""
BASS_BELOW: Final = 52
"""MIDI note below which the lowest of the sounding notes is the bass."""
MELODY_ABOVE: Final = 58
"""And above which the highest is the melody."""


def cut_excerpt(notes: Sequence[Note], start_s: float, seconds: float) -> list[Note]:
    """Return the notes of a stretch, their onsets counted from its start.

    Notes that sound already at the start begin there, if they have a quarter of a second left.
    """
    excerpt = []
    for note in notes:
        end = note.start + note.duration
        if note.start >= start_s + seconds or end <= start_s + (0.25 if note.start < start_s else 0.0):
            continue
        onset = max(note.start - start_s, 0.0)
        excerpt.append(Note(onset, min(end - start_s, seconds) - onset, note.pitch, note.velocity))
    return excerpt


def split_voices(notes: Sequence[Note]) -> tuple[list[Note], list[Note], list[Note]]:
    """Divide notes into melody, accompaniment and bass.

    A note is melody if it is the highest of those that sound when it begins (and above `MELODY_ABOVE`), bass if it is
    the lowest (and below `BASS_BELOW`).
    """
    ordered = sorted(notes, key=lambda note: note.start)
    voices: tuple[list[Note], list[Note], list[Note]] = ([], [], [])
    for note in ordered:
        now = note.start + 0.03  # notes of a chord do not begin at once
        sounding = [other.pitch for other in ordered if other.start <= now < other.start + other.duration + 0.03]
        if note.pitch >= max(sounding, default=note.pitch) and note.pitch > MELODY_ABOVE:
            voices[0].append(note)
        elif note.pitch <= min(sounding, default=note.pitch) and note.pitch < BASS_BELOW:
            voices[2].append(note)
        else:
            voices[1].append(note)
    return voices


def set_for_instruments(notes: Sequence[Note], *, seconds: float, seed: int) -> mido.MidiFile:
    """Set an excerpt for a random ensemble or, with probability `PIANO_SHARE`, a piano.

    Parameters
    ----------
    notes
        Of the excerpt, onsets from 0.
    seconds
        Its length.
    seed
        Draws the instruments, their balance and a transposition of at most two semitones.
    """
    rng = named_rng(seed, "instrumentation")
    ensemble = draw_ensemble(articulation=float(rng.random()), dissonance=0.0, seed=seed)
    transposition, alone = int(rng.integers(-2, 3)), rng.random() < PIANO_SHARE
    piano = int(rng.choice((0, 0, 1, 4)))
    balance = rng.uniform((95, 70, 80), (120, 100, 110))
    parts = []
    for place, (voice, program) in enumerate(
        zip(split_voices(notes), (ensemble.lead, ensemble.chord, ensemble.bass), strict=True)
    ):
        part = Part(
            piano if alone else program,
            volume=100 if alone else round(balance[place]),
            pan=64 if alone else ensemble.pans[place],
            reverb=ensemble.reverb,
            chorus=0 if alone else ensemble.chorus,
        )
        for note in voice:
            part.add(note.start, note.duration, note.pitch + transposition, note.velocity)
        parts.append(part)
    return to_midi([part for part in parts if part.notes], seconds=seconds)
