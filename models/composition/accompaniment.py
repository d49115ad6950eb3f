"""What stands behind the melody: chords, bass, rubbing clusters and layers of struck sounds."""

from .harmony import chord_at
from .midi_parts import Part, stream
from .piece import Piece, voicing
from .timing import layer_onsets


def chord_voices(piece: Piece) -> list[Part]:
    """Chords or broken chords on one or two instruments, with the notes that rub among them."""
    rng = stream(piece.seed, "chords")
    broken, voices, doubled = rng.random() < 0.35, int(rng.integers(3, 6)), rng.random() < 0.4
    beats = layer_onsets(
        piece.timing.bars,
        per_beat=piece.density,
        complexity=piece.q["rhythmic_complexity"],
        seed=piece.seed,
        name="chords",
    )
    pitches = []
    for index, beat in enumerate(beats):
        chord = chord_at(piece.chords, beat)
        notes = voicing(chord, piece.ensemble.chord_centre, voices)
        rubs = [notes[0] + (rub - notes[0]) % 12 for rub in chord.rubs]
        pitches.append([notes[index % len(notes)], *rubs[:2]] if broken else notes + rubs)
    parts = []
    for program in [piece.ensemble.chord] + [piece.ensemble.second_chord] * doubled:
        part = piece.part(program, 96 - 56 * piece.q["melodiousness"])
        part.detune = -25 * piece.q["dissonance"] * (1 if program == piece.ensemble.chord else -1)
        piece.play(part, beats, pitches, level=-6)
        parts.append(part)
    return parts


def bass_voice(piece: Piece) -> list[Part]:
    """The bass: the chord's lowest note on the beats (where the piece is simple)."""
    rng = stream(piece.seed, "bass")
    if rng.random() < 0.12:
        return []
    per_beat = float(rng.choice([0.5, 0.5, 1.0, 1.0]))
    beats = layer_onsets(
        piece.timing.bars,
        per_beat=per_beat,
        complexity=piece.q["rhythmic_complexity"],
        seed=piece.seed,
        name="bass",
    )
    low = piece.ensemble.bass_centre
    pitches = [[low + (chord_at(piece.chords, beat).bass - low) % 12] for beat in beats]
    part = piece.part(piece.ensemble.bass, 100 - 34 * piece.q["melodiousness"])
    piece.play(part, beats, pitches)
    return [part]


def cluster_voice(piece: Piece) -> list[Part]:
    """High rubbing notes against the chord, coming in louder as dissonance rises above a third."""
    d = piece.q["dissonance"]
    if d < 0.35:
        return []
    rng = stream(piece.seed, "cluster")
    part = piece.part(piece.ensemble.cluster, (36 + 44 * d) * (1.0 - 0.3 * piece.q["melodiousness"]))
    part.detune = 35 * d
    octave = 12 * int(rng.choice([0, 1, 1, 2]))
    beats = [chord.start for chord in piece.chords]
    if rng.random() < 0.5:
        beats = layer_onsets(
            piece.timing.bars,
            per_beat=piece.density,
            complexity=piece.q["rhythmic_complexity"],
            seed=piece.seed,
            name="chords",
        )
    pitches = []
    for chord in (chord_at(piece.chords, beat) for beat in beats):
        root = piece.ensemble.chord_centre - (piece.ensemble.chord_centre - chord.triad[0]) % 12 + octave
        pitches.append([root, root + 1, root + 6, root + 7, root + 13][: 2 + round(3 * d)])
    piece.play(part, beats, pitches, level=12 * d - 8)
    return [part]


def pulse_voices(piece: Piece) -> list[Part]:
    """Layers of struck sounds: a pulse on the beats in some pieces, more layers where it is complex."""
    rng = stream(piece.seed, "pulse")
    c = piece.q["rhythmic_complexity"]
    plain, drums = rng.random() < 0.75, rng.random() < 0.4 and bool(piece.ensemble.kit)
    wanted = int(plain) + round(4 * c)
    rates = rng.choice([1.0, 1.0, 2.0, 0.5, 0.5], 5)
    parts = []
    for index in range(wanted):
        beats = layer_onsets(
            piece.timing.bars,
            per_beat=1.0 if index == 0 and plain else float(rates[index]),
            complexity=c,
            seed=piece.seed,
            name=f"pulse {index}",
        )
        struck = drums and index < len(piece.ensemble.kit)
        volume = ((48 if struck else 70) + 16 * piece.q["articulation"]) * (1.0 - 0.4 * piece.q["melodiousness"])
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
