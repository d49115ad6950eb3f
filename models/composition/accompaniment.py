"""What stands behind the melody: chords, bass, rubbing clusters and layers of struck sounds."""

from .harmony import chord_at
from .midi_parts import Part, named_rng
from .piece import Piece, close_voicing
from .timing import onset_pattern


def chord_parts(piece: Piece) -> list[Part]:
    """Chords or broken chords on one or two instruments, with the notes that rub among them."""
    rng = named_rng(piece.seed, "chords")
    broken, voices, doubled = rng.random() < 0.35, int(rng.integers(3, 6)), rng.random() < 0.4
    beats = onset_pattern(
        piece.timing.bars,
        per_beat=piece.density,
        complexity=piece.qualities["rhythmic_complexity"],
        seed=piece.seed,
        name="chords",
    )
    pitches = []
    for index, beat in enumerate(beats):
        chord = chord_at(piece.chords, beat)
        notes = close_voicing(chord, piece.ensemble.chord_centre, voices)
        rubs = [notes[0] + (rub - notes[0]) % 12 for rub in chord.rubs]
        pitches.append([notes[index % len(notes)], *rubs[:2]] if broken else notes + rubs)
    parts = []
    for program in [piece.ensemble.chord] + [piece.ensemble.second_chord] * doubled:
        part = piece.part(program, 96 - 56 * piece.qualities["melodiousness"])
        part.detune = -25 * piece.qualities["dissonance"] * (1 if program == piece.ensemble.chord else -1)
        piece.play(part, beats, pitches, level=-6)
        parts.append(part)
    return parts


def bass_part(piece: Piece) -> list[Part]:
    """The bass: the chord's lowest note on the beats (where the piece is simple)."""
    rng = named_rng(piece.seed, "bass")
    if rng.random() < 0.12:
        return []
    per_beat = float(rng.choice([0.5, 0.5, 1.0, 1.0]))
    beats = onset_pattern(
        piece.timing.bars,
        per_beat=per_beat,
        complexity=piece.qualities["rhythmic_complexity"],
        seed=piece.seed,
        name="bass",
    )
    low = piece.ensemble.bass_centre
    pitches = [[low + (chord_at(piece.chords, beat).bass - low) % 12] for beat in beats]
    part = piece.part(piece.ensemble.bass, 100 - 34 * piece.qualities["melodiousness"])
    piece.play(part, beats, pitches)
    return [part]


def dissonance_part(piece: Piece) -> list[Part]:
    """High rubbing notes against the chord, coming in louder as dissonance rises above a third."""
    d = piece.qualities["dissonance"]
    if d < 0.35:
        return []
    rng = named_rng(piece.seed, "cluster")
    part = piece.part(piece.ensemble.cluster, (36 + 44 * d) * (1.0 - 0.3 * piece.qualities["melodiousness"]))
    part.detune = 35 * d
    octave = 12 * int(rng.choice([0, 1, 1, 2]))
    beats = [chord.start for chord in piece.chords]
    if rng.random() < 0.5:
        beats = onset_pattern(
            piece.timing.bars,
            per_beat=piece.density,
            complexity=piece.qualities["rhythmic_complexity"],
            seed=piece.seed,
            name="chords",
        )
    pitches = []
    for chord in (chord_at(piece.chords, beat) for beat in beats):
        root = piece.ensemble.chord_centre - (piece.ensemble.chord_centre - chord.triad[0]) % 12 + octave
        pitches.append([root, root + 1, root + 6, root + 7, root + 13][: 2 + round(3 * d)])
    piece.play(part, beats, pitches, level=12 * d - 8)
    return [part]


def percussion_parts(piece: Piece) -> list[Part]:
    """Layers of struck sounds: a pulse on the beats in some pieces, more layers where it is complex."""
    rng = named_rng(piece.seed, "pulse")
    c = piece.qualities["rhythmic_complexity"]
    plain, drums = rng.random() < 0.75, rng.random() < 0.4 and bool(piece.ensemble.kit)
    wanted = int(plain) + round(4 * c)
    rates = rng.choice([1.0, 1.0, 2.0, 0.5, 0.5], 5)
    parts = []
    for index in range(wanted):
        beats = onset_pattern(
            piece.timing.bars,
            per_beat=1.0 if index == 0 and plain else float(rates[index]),
            complexity=c,
            seed=piece.seed,
            name=f"pulse {index}",
        )
        struck = drums and index < len(piece.ensemble.kit)
        volume = ((48 if struck else 70) + 16 * piece.qualities["articulation"]) * (
            1.0 - 0.4 * piece.qualities["melodiousness"]
        )
        volume *= 1.0 if index == 0 and plain else 1.12
        part = piece.part(0 if struck else piece.ensemble.layers[index], volume, drums=struck)
        pitches = []
        for beat in beats:
            chord = chord_at(piece.chords, beat)
            if struck:
                pitches.append([piece.ensemble.kit[index]])
            else:
                low = (40, 52, 60, 64, 55)[index]
                pitches.append([low + (chord.triad[0 if index != 2 else 2] - low) % 12])
        piece.play(part, beats, pitches, level=2)
        parts.append(part)
    return parts
