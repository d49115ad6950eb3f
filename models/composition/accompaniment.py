"""The accompaniment: chord, bass, dissonance and percussion parts."""

from .harmony import chord_at
from .midi_parts import Part, named_rng
from .piece import Piece, close_voicing


def chord_parts(piece: Piece) -> list[Part]:
    """Compose block or broken chords, with their added dissonant notes, on one or two instruments.

    Returns
    -------
    list of Part
        One or two parts.
    """
    rng = named_rng(piece.seed, "chords")
    broken, voices, doubled = rng.random() < 0.35, int(rng.integers(3, 6)), rng.random() < 0.4
    beats = piece.onsets("chords", piece.density)
    pitches = []
    for index, beat in enumerate(beats):
        chord = chord_at(piece.chords, beat)
        notes = close_voicing(chord, piece.ensemble.chord_centre, voices)
        dissonant = [notes[0] + (pitch_class - notes[0]) % 12 for pitch_class in chord.added_notes]
        pitches.append([notes[index % len(notes)], *dissonant[:2]] if broken else notes + dissonant)
    parts = []
    for program in [piece.ensemble.chord] + [piece.ensemble.second_chord] * doubled:
        part = piece.part(program, 96 - 56 * piece.qualities["melodiousness"])
        part.detune = -25 * piece.qualities["dissonance"] * (1 if program == piece.ensemble.chord else -1)
        piece.play(part, beats, pitches, level=-6)
        parts.append(part)
    return parts


def bass_part(piece: Piece) -> list[Part]:
    """Compose the bass: the lowest note of each chord, on the beats where rhythmic complexity is low.

    Returns
    -------
    list of Part
        One part; none in one of eight pieces.
    """
    rng = named_rng(piece.seed, "bass")
    if rng.random() < 0.12:
        return []
    per_beat = float(rng.choice([0.5, 0.5, 1.0, 1.0]))
    beats = piece.onsets("bass", per_beat)
    lowest = piece.ensemble.bass_centre
    pitches = [[lowest + (chord_at(piece.chords, beat).bass - lowest) % 12] for beat in beats]
    part = piece.part(piece.ensemble.bass, 100 - 34 * piece.qualities["melodiousness"])
    piece.play(part, beats, pitches)
    return [part]


def dissonance_part(piece: Piece) -> list[Part]:
    """Compose high clusters of semitones against the chords, louder as dissonance rises.

    Returns
    -------
    list of Part
        One part; none where dissonance is below 0.35.
    """
    dissonance = piece.qualities["dissonance"]
    if dissonance < 0.35:
        return []
    rng = named_rng(piece.seed, "cluster")
    part = piece.part(piece.ensemble.cluster, (36 + 44 * dissonance) * (1.0 - 0.3 * piece.qualities["melodiousness"]))
    part.detune = 35 * dissonance
    octave = 12 * int(rng.choice([0, 1, 1, 2]))
    beats = [chord.start for chord in piece.chords]
    if rng.random() < 0.5:
        beats = piece.onsets("chords", piece.density)
    pitches = []
    for chord in (chord_at(piece.chords, beat) for beat in beats):
        root = piece.ensemble.chord_centre - (piece.ensemble.chord_centre - chord.triad[0]) % 12 + octave
        pitches.append([root, root + 1, root + 6, root + 7, root + 13][: 2 + round(3 * dissonance)])
    piece.play(part, beats, pitches, level=12 * dissonance - 8)
    return [part]


def percussion_parts(piece: Piece) -> list[Part]:
    """Compose percussion layers: a pulse on the beats in three of four pieces, and up to four more with complexity.

    A layer is played on drums or on a pitched percussion instrument.

    Returns
    -------
    list of Part
        None to five parts.
    """
    rng = named_rng(piece.seed, "pulse")
    has_pulse, has_drums = rng.random() < 0.75, rng.random() < 0.4 and bool(piece.ensemble.kit)
    count = int(has_pulse) + round(4 * piece.qualities["rhythmic_complexity"])
    rates = rng.choice([1.0, 1.0, 2.0, 0.5, 0.5], 5)
    parts = []
    for index in range(count):
        beats = piece.onsets(f"pulse {index}", 1.0 if index == 0 and has_pulse else float(rates[index]))
        is_drum = has_drums and index < len(piece.ensemble.kit)
        volume = ((48 if is_drum else 70) + 16 * piece.qualities["articulation"]) * (
            1.0 - 0.4 * piece.qualities["melodiousness"]
        )
        volume *= 1.0 if index == 0 and has_pulse else 1.12
        part = piece.part(0 if is_drum else piece.ensemble.layers[index], volume, drums=is_drum)
        pitches = []
        for beat in beats:
            chord = chord_at(piece.chords, beat)
            if is_drum:
                pitches.append([piece.ensemble.kit[index]])
            else:
                lowest = (40, 52, 60, 64, 55)[index]
                pitches.append([lowest + (chord.triad[0 if index != 2 else 2] - lowest) % 12])
        piece.play(part, beats, pitches, level=2)
        parts.append(part)
    return parts
