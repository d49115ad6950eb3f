"""The plan that all parts of a piece share, how notes are added from it, and the melody and texture parts."""

from dataclasses import dataclass

from .harmony import Chord, chord_at
from .melody import MelodyNote, compose_melody
from .midi_parts import Part, named_rng
from .orchestration import Ensemble
from .timing import Timing, onset_pattern


@dataclass(frozen=True)
class Piece:
    """What all parts of a piece have in common.

    Attributes
    ----------
    qualities
        Generator parameters by feature name, 0..1 (see `compose.py`).
    seed
        Seed of the piece.
    seconds
        Length of the piece.
    timing
        Bars, and conversion of beats to seconds.
    chords
        The chords, in order.
    ensemble
        Instruments and their settings.
    loudness
        Mean velocity, 1..127.
    slope
        Crescendo (positive) or diminuendo, in velocity per second.
    density
        Onsets per beat of the accompaniment.
    """

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
        """Return an empty part with the ensemble's reverb (less of it in a staccato piece) and chorus.

        Parameters
        ----------
        program
            General MIDI program, from 0.
        volume
            MIDI controller value, 0..127.
        drums
            Whether it is a percussion part.
        """
        wet = self.ensemble.reverb * (1.0 - 0.6 * self.qualities["articulation"])
        return Part(program, drums=drums, volume=round(volume), reverb=round(wet), chorus=self.ensemble.chorus)

    def play(
        self,
        part: Part,
        beats: list[float],
        pitches: list[list[int]],
        *,
        level: float = 0.0,
    ) -> None:
        """Add chords to a part; their duration follows from the piece's articulation.

        Parameters
        ----------
        part
            The part that gets the notes.
        beats
            Onsets in beats, ascending; those after the end of the piece are left out.
        pitches
            The MIDI numbers that sound at each onset.
        level
            Added to the velocity of the piece.
        """
        articulation = self.qualities["articulation"]
        times = [self.timing.seconds(beat) for beat in beats]
        for index, (beat, time) in enumerate(zip(beats, times, strict=True)):
            if time >= self.seconds:
                break
            next_time = times[index + 1] if index + 1 < len(times) else time + self.timing.beat_s
            duration = note_duration(next_time - time, articulation)
            start = max(time + self.timing.jitter(), 0.0)
            velocity = self.loudness + level + self.slope * (time - self.seconds / 2) + self.timing.accent(beat)
            for pitch in pitches[index]:
                part.add(start, duration, pitch, velocity)

    def add_note(self, part: Part, tone: MelodyNote, pitch: int, *, level: float = 0.0) -> None:
        """Add one melody note to a part.

        Parameters
        ----------
        part
            The part that gets the note.
        tone
            Onset, length and accent of the note; one that begins after the end of the piece is left out.
        pitch
            MIDI number, in place of the melody note's own.
        level
            Added to the velocity of the piece.
        """
        time = self.timing.seconds(tone.start)
        if time >= self.seconds:
            return
        duration = note_duration(self.timing.seconds(tone.start + tone.length) - time, self.qualities["articulation"])
        swell = self.slope * (time - self.seconds / 2)
        velocity = self.loudness + level + tone.strength + swell + 0.8 * self.timing.accent(tone.start)
        part.add(max(time + self.timing.jitter(), 0.0), duration, pitch, velocity)

    def onsets(self, layer: str, per_beat: float, *, shared: bool = False) -> list[float]:
        """Return the onset pattern of a layer, as complex as the piece; as `timing.onset_pattern`.

        Parameters
        ----------
        layer
            Name of the layer; layers of one name have one pattern.
        per_beat
            Onsets per beat: 0.25, 0.5, 1, 2.
        shared
            Never make this layer a polyrhythm.

        Returns
        -------
        list of float
            Onsets in beats, ascending.
        """
        complexity = self.qualities["rhythmic_complexity"]
        return onset_pattern(
            self.timing.bars, per_beat=per_beat, complexity=complexity, seed=self.seed, name=layer, shared=shared
        )

    def chord(self, beat: float) -> Chord:
        """Return the chord at a position in beats."""
        return chord_at(self.chords, beat)


def note_duration(interval_s: float, articulation: float) -> float:
    """Return the duration of a note from the time to the next onset.

    Parameters
    ----------
    interval_s
        Time to the next onset in seconds.
    articulation
        0 is legato: 108 % of the interval, up to 6 s; 1 is staccato: 16 % of it, up to 0.11 s.

    Returns
    -------
    float
        Seconds, at least 0.07.
    """
    gate: float = 1.08 * (0.16 / 1.08) ** articulation
    longest: float = 6.0 * (0.11 / 6.0) ** articulation
    return max(min(interval_s * gate, longest), 0.07)


def close_voicing(chord: Chord, centre: int, voices: int) -> list[int]:
    """Return the triad of a chord in close position.

    Parameters
    ----------
    chord
        The chord.
    centre
        MIDI number around which the lowest three notes lie.
    voices
        Number of notes, 3..6.

    Returns
    -------
    list of int
        MIDI numbers, ascending.
    """
    order = [chord.triad[k % 3] for k in range(voices)]
    base = [pitch for pitch in range(centre - 5, centre + 7) if pitch % 12 in order[:3]]
    return sorted([*base, *(pitch + 12 for pitch in base)])[:voices]


def melody_part(piece: Piece) -> list[Part]:
    """Compose the melody part.

    Its volume falls with the prominence of the melody; below 0.1 there is no melody.

    Returns
    -------
    list of Part
        One part, or none.
    """
    prominence = piece.qualities["melodiousness"]
    if prominence < 0.1:
        return []
    tones = compose_melody(
        piece.timing.bars,
        piece.chords,
        melodiousness=prominence,
        complexity=0.7 * piece.qualities["rhythmic_complexity"],
        tonal_stability=piece.qualities["tonal_stability"],
        centre=piece.ensemble.lead_centre,
        seed=piece.seed,
    )
    part = piece.part(piece.ensemble.lead, 60 + 67 * prominence)
    doubling_threshold = named_rng(piece.seed, "doubling").uniform(0.3, 1.3)
    for tone in tones:
        time = piece.timing.seconds(tone.start)
        if time >= piece.seconds:
            continue
        duration = note_duration(
            piece.timing.seconds(tone.start + tone.length) - time, piece.qualities["articulation"]
        )
        velocity = piece.loudness + 12 * prominence + tone.strength + 0.5 * piece.timing.accent(tone.start)
        start = max(time + piece.timing.jitter(), 0.0)
        part.add(start, duration, tone.pitch, velocity)
        if piece.qualities["dissonance"] > doubling_threshold:  # doubled a semitone below
            part.add(start, duration, tone.pitch - 1, velocity - 12)
    part.detune, part.vibrato = (
        12 * piece.qualities["dissonance"],
        round(36 * prominence * (1 - piece.qualities["articulation"])),
    )
    return [part]


def texture_part(piece: Piece) -> list[Part]:
    """Compose the part that replaces a weak melody: a drone, repeated notes or scattered notes.

    It gets louder as the prominence of the melody falls; above 0.7 there is none.

    Returns
    -------
    list of Part
        One part, or none.
    """
    rng = named_rng(piece.seed, "texture")
    kind, per_beat = (
        str(rng.choice(["drone", "repeated", "scattered", "none"])),
        float(rng.choice([0.5, 1.0, 2.0])),
    )
    weight = 1.0 - piece.qualities["melodiousness"]
    if kind == "none" or weight < 0.3:
        return []
    part = piece.part(piece.ensemble.texture, 40 + 70 * weight)
    beats = piece.onsets("shared", 0.25 if kind == "drone" else per_beat, shared=True)
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
