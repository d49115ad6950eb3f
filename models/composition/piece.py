"""The plan of a piece, how notes are played from it, and its foreground: the melody or what replaces it."""

from dataclasses import dataclass

from .harmony import Chord, chord_at
from .melody import MelodyNote, compose_melody
from .midi_parts import Part, named_rng
from .orchestration import Ensemble
from .timing import Timing, onset_pattern


@dataclass(frozen=True)
class Piece:
    """What all voices share; `q` the seven qualities, `density` onsets a beat, `slope` velocity a second."""

    qualities: dict[str, float]
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
        wet = self.ensemble.reverb * (1.0 - 0.6 * self.qualities["articulation"])
        return Part(program, drums=drums, volume=round(volume), reverb=round(wet), chorus=self.ensemble.chorus)

    def play(
        self,
        part: Part,
        beats: list[float],
        pitches: list[list[int]],
        *,
        level: float = 0.0,
        room: float = 1.0,
    ) -> None:
        """Put chords of `pitches` at `beats` into a part, `level` louder than the piece.

        Articulation sets how long: 0 overlaps the next note, 1 leaves a tenth of a second.
        """
        short = self.qualities["articulation"]
        times = [self.timing.seconds(beat) for beat in beats]
        for index, (beat, time) in enumerate(zip(beats, times, strict=True)):
            if time >= self.seconds:
                break
            following = times[index + 1] if index + 1 < len(times) else time + self.timing.beat_s
            duration = note_duration(following - time, short)
            start = max(time + self.timing.jitter(), 0.0)
            velocity = self.loudness + level + self.slope * (time - self.seconds / 2) + self.timing.accent(beat)
            for pitch in pitches[index]:
                part.add(start, duration, pitch, velocity)

    def add_note(self, part: Part, tone: MelodyNote, pitch: int, *, level: float = 0.0) -> None:
        """Put one tone of a melody into a part, as `pitch`; nothing after the piece's end."""
        time = self.timing.seconds(tone.start)
        if time >= self.seconds:
            return
        duration = note_duration(self.timing.seconds(tone.start + tone.length) - time, self.qualities["articulation"])
        swell = self.slope * (time - self.seconds / 2)
        velocity = self.loudness + level + tone.strength + swell + 0.8 * self.timing.accent(tone.start)
        part.add(max(time + self.timing.jitter(), 0.0), duration, pitch, velocity)

    def chord(self, beat: float) -> Chord:
        """The chord that sounds at a beat."""
        return chord_at(self.chords, beat)


def note_duration(interval_s: float, articulation: float) -> float:
    """Seconds a note sounds when the next begins after `interval_s`: overlapping to a tenth of a second."""
    gate: float = 1.08 * (0.16 / 1.08) ** articulation
    longest: float = 6.0 * (0.11 / 6.0) ** articulation
    return max(min(interval_s * gate, longest), 0.07)


def close_voicing(chord: Chord, centre: int, voices: int) -> list[int]:
    """Close position of the triad around a centre, with as many voices as asked (3 to 6)."""
    order = [chord.triad[k % 3] for k in range(voices)]
    base = [pitch for pitch in range(centre - 5, centre + 7) if pitch % 12 in order[:3]]
    return sorted([*base, *(pitch + 12 for pitch in base)])[:voices]


def melody_part(piece: Piece) -> list[Part]:
    """The melody. It fades from the foreground into nothing as melodiousness falls to a tenth."""
    m = piece.qualities["melodiousness"]
    if m < 0.1:
        return []
    tones = compose_melody(
        piece.timing.bars,
        piece.chords,
        melodiousness=m,
        complexity=0.7 * piece.qualities["rhythmic_complexity"],
        tonal_stability=piece.qualities["tonal_stability"],
        centre=piece.ensemble.lead_centre,
        seed=piece.seed,
    )
    part = piece.part(piece.ensemble.lead, 60 + 67 * m)
    rub = named_rng(piece.seed, "doubling").uniform(0.3, 1.3)
    for tone in tones:
        time = piece.timing.seconds(tone.start)
        if time >= piece.seconds:
            continue
        duration = note_duration(
            piece.timing.seconds(tone.start + tone.length) - time, piece.qualities["articulation"]
        )
        velocity = piece.loudness + 12 * m + tone.strength + 0.5 * piece.timing.accent(tone.start)
        start = max(time + piece.timing.jitter(), 0.0)
        part.add(start, duration, tone.pitch, velocity)
        if piece.qualities["dissonance"] > rub:
            part.add(start, duration, tone.pitch - 1, velocity - 12)
    part.detune, part.vibrato = (
        12 * piece.qualities["dissonance"],
        round(36 * m * (1 - piece.qualities["articulation"])),
    )
    return [part]


def texture_part(piece: Piece) -> list[Part]:
    """In the place of a melody: a drone, repeated notes or scattered ones, the louder the less melody."""
    rng = named_rng(piece.seed, "texture")
    kind, per_beat = (
        str(rng.choice(["drone", "repeated", "scattered", "none"])),
        float(rng.choice([0.5, 1.0, 2.0])),
    )
    weight = 1.0 - piece.qualities["melodiousness"]
    if kind == "none" or weight < 0.3:
        return []
    part = piece.part(piece.ensemble.texture, 40 + 70 * weight)
    beats = onset_pattern(
        piece.timing.bars,
        per_beat=0.25 if kind == "drone" else per_beat,
        complexity=piece.qualities["rhythmic_complexity"],
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
