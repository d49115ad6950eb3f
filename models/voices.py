"""The voices of a composed piece: what each role plays, given the plan (time, chords, ensemble) and the knobs."""

from dataclasses import dataclass

from .harmony import Chord, chord_at
from .melody import compose_melody
from .orchestration import Ensemble
from .patterns import Timing, layer_onsets
from .score import Part, stream


@dataclass(frozen=True)
class Piece:
    """Everything the voices share; `q` are the seven qualities, `density` onsets a beat, `slope` velocity a second."""

    q: dict[str, float]
    seed: int
    seconds: float
    timing: Timing
    chords: list[Chord]
    ensemble: Ensemble
    loudness: float
    slope: float
    density: float

    def part(self, program: int, volume: float, *, drums: bool = False) -> Part:
        """A part with the room of the ensemble; a staccato piece is not washed away by it."""
        wet = self.ensemble.reverb * (1.0 - 0.6 * self.q["articulation"])
        return Part(
            program, drums=drums, volume=round(volume), reverb=round(wet), chorus=self.ensemble.chorus
        )

    def play(
        self,
        part: Part,
        beats: list[float],
        pitches: list[list[int]],
        *,
        level: float = 0.0,
        room: float = 1.0,
    ) -> None:
        """Put chords of `pitches` at `beats` into a part, held for `room` of the time to the next onset at most.

        Articulation sets how long: 0 overlaps the next note, 1 leaves a tenth of a second.
        """
        short = self.q["articulation"]
        times = [self.timing.seconds(beat) for beat in beats]
        for index, (beat, time) in enumerate(zip(beats, times, strict=True)):
            if time >= self.seconds:
                break
            following = times[index + 1] if index + 1 < len(times) else time + self.timing.beat_s
            duration = held((following - time) * room, short)
            start = max(time + self.timing.jitter(), 0.0)
            velocity = (
                self.loudness + level + self.slope * (time - self.seconds / 2) + self.timing.accent(beat)
            )
            for pitch in pitches[index]:
                part.add(start, duration, pitch, velocity)


def held(interval_s: float, articulation: float) -> float:
    """How long a note sounds whose successor begins `interval_s` later: from overlapping to a tenth of a second."""
    gate = 1.08 * (0.16 / 1.08) ** articulation
    longest = 6.0 * (0.11 / 6.0) ** articulation
    return max(min(interval_s * gate, longest), 0.07)


def voicing(chord: Chord, centre: int, voices: int) -> list[int]:
    """Close position of the triad around a centre, with as many voices as asked (3 to 6)."""
    order = [chord.triad[k % 3] for k in range(voices)]
    base = [pitch for pitch in range(centre - 5, centre + 7) if pitch % 12 in order[:3]]
    return sorted([*base, *(pitch + 12 for pitch in base)])[:voices]


def lead_voice(piece: Piece) -> list[Part]:
    """The melody. It fades from the foreground into nothing as melodiousness falls to a tenth."""
    m = piece.q["melodiousness"]
    if m < 0.1:
        return []
    tones = compose_melody(
        piece.timing.bars,
        piece.chords,
        melodiousness=m,
        complexity=0.7 * piece.q["rhythmic_complexity"],
        tonal_stability=piece.q["tonal_stability"],
        centre=piece.ensemble.lead_centre,
        seed=piece.seed,
    )
    part = piece.part(piece.ensemble.lead, 60 + 67 * m)
    rub = stream(piece.seed, "doubling").uniform(0.3, 1.3)
    for tone in tones:
        time = piece.timing.seconds(tone.start)
        if time >= piece.seconds:
            continue
        duration = held(piece.timing.seconds(tone.start + tone.length) - time, piece.q["articulation"])
        velocity = piece.loudness + 12 * m + tone.strength + 0.5 * piece.timing.accent(tone.start)
        start = max(time + piece.timing.jitter(), 0.0)
        part.add(start, duration, tone.pitch, velocity)
        if piece.q["dissonance"] > rub:
            part.add(start, duration, tone.pitch - 1, velocity - 12)
    part.detune = 12 * piece.q["dissonance"]
    return [part]


def texture_voice(piece: Piece) -> list[Part]:
    """What stands where a melody would: a drone, repeated notes or scattered ones, the louder the less melody."""
    rng = stream(piece.seed, "texture")
    kind, per_beat = (
        str(rng.choice(["drone", "repeated", "scattered", "none"])),
        float(rng.choice([0.5, 1.0, 2.0])),
    )
    weight = 1.0 - piece.q["melodiousness"]
    if kind == "none" or weight < 0.3:
        return []
    part = piece.part(piece.ensemble.texture, 40 + 70 * weight)
    beats = layer_onsets(
        piece.timing.bars,
        per_beat=0.25 if kind == "drone" else per_beat,
        complexity=piece.q["rhythmic_complexity"],
        seed=piece.seed,
        name="shared",
        shared=True,
    )
    octaves = rng.choice([-12, 0, 0, 12, 24], len(beats))
    centre = piece.ensemble.lead_centre
    pitches = []
    for index, beat in enumerate(beats):
        chord = chord_at(piece.chords, beat)
        if kind == "scattered":
            pitches.append([centre - (centre - chord.triad[index * 2 % 3]) % 12 + int(octaves[index])])
        else:
            pitches.append([centre - (centre - chord.triad[0]) % 12, centre - (centre - chord.triad[2]) % 12])
    piece.play(part, beats, pitches)
    return [part]


def chord_voices(piece: Piece) -> list[Part]:
    """The accompaniment: chords or broken chords, one or two instruments, with the notes that rub among them."""
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
        pitches.append([notes[index % len(notes)], *rubs[:1]] if broken else notes + rubs)
    parts = []
    for program in [piece.ensemble.chord] + [piece.ensemble.second_chord] * doubled:
        part = piece.part(program, 96 - 44 * piece.q["melodiousness"])
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
    part = piece.part(piece.ensemble.bass, 100 - 26 * piece.q["melodiousness"])
    piece.play(part, beats, pitches)
    return [part]


def cluster_voice(piece: Piece) -> list[Part]:
    """High rubbing notes against the chord, coming in louder as dissonance rises above a third."""
    d = piece.q["dissonance"]
    if d < 0.35:
        return []
    rng = stream(piece.seed, "cluster")
    part = piece.part(piece.ensemble.cluster, (40 + 50 * d) * (1.0 - 0.3 * piece.q["melodiousness"]))
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
        pitches.append([root, root + 1, root + 6, root + 7, root + 11][: 2 + round(3 * d)])
    piece.play(part, beats, pitches, level=12 * d - 8)
    return [part]


def pulse_voices(piece: Piece) -> list[Part]:
    """Layers of struck sounds: a pulse on the beats in some pieces, and the more layers the more complex the rhythm."""
    rng = stream(piece.seed, "pulse")
    c = piece.q["rhythmic_complexity"]
    plain, drums = rng.random() < 0.6, rng.random() < 0.4 and bool(piece.ensemble.kit)
    wanted = int(plain) + round(3 * c)
    rates = rng.choice([1.0, 1.0, 2.0, 0.5, 0.5], 4)
    parts = []
    for index in range(min(wanted, 4)):
        beats = layer_onsets(
            piece.timing.bars,
            per_beat=1.0 if index == 0 and plain else float(rates[index]),
            complexity=c,
            seed=piece.seed,
            name=f"pulse {index}",
        )
        struck = drums and index < len(piece.ensemble.kit)
        volume = (48 if struck else 72) + 16 * piece.q["articulation"]
        part = piece.part(0 if struck else piece.ensemble.layers[index], volume, drums=struck)
        pitches = []
        for beat in beats:
            chord = chord_at(piece.chords, beat)
            if struck:
                pitches.append([piece.ensemble.kit[index]])
            else:
                low = (40, 52, 60, 64)[index]
                pitches.append([low + (chord.triad[0 if index != 2 else 2] - low) % 12])
        piece.play(part, beats, pitches, level=2)
        parts.append(part)
    return parts
