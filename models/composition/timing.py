"""When things sound: rhythmic complexity as a knob on patterns, rhythmic stability as a knob on time itself.

Patterns are in beats; `Timing` turns beats into seconds. Complexity moves onsets off the beat and gives
layers patterns of their own; stability bends the beats (rubato, drift, irregular bars), shakes onsets and
takes accents away. Stability does not change how many onsets there are; complexity adds few to a layer.
"""

import numpy as np

from .midi_parts import named_rng

SHIFTS = (-0.5, -0.25, 0.25, 0.5, 0.75, 1 / 3, -1 / 3)
CROSS_STEPS = (0.75, 2 / 3, 1.5, 1.25, 0.6, 4 / 3)


class Timing:
    """Bars, beats and seconds of one piece.

    Parameters: the piece's `seed`, its `tempo` in beats a minute, `meter` in beats a bar, `stability` 0..1,
    length in seconds. `bars` are the beats of the bar lines, enough of them to reach past the end.
    """

    def __init__(self, *, seed: int, tempo: float, meter: int, stability: float, seconds: float) -> None:
        rng = named_rng(seed, "timing")
        self._loose: float = 1.0 - stability
        self.meter, self.beat_s, self.length_s = meter, 60.0 / tempo, seconds
        count = int(seconds / self.beat_s * 2) + 3 * meter + 16
        self.bars = [0.0]
        uneven, odd = rng.random(count), rng.choice([-1, 1, 2], count)
        while self.bars[-1] < count - meter - 2:
            k = len(self.bars)
            change = int(odd[k]) if uneven[k] < 0.8 * self._loose**1.6 else 0
            self.bars.append(self.bars[-1] + max(meter + change, 2))
        beats = int(self.bars[-1]) + 1
        drift = np.cumsum(rng.normal(0, 1, beats))
        drift = 0.35 * (drift - drift.mean()) / (drift.std() + 1e-9)
        uneven_beats = 0.42 * rng.normal(0, 1, beats)
        holds = 0.7 * (rng.random(beats) < 0.12)
        stretch = np.clip(self._loose**1.5 * (drift + uneven_beats + holds), -0.8, 1.1)
        self._times: np.ndarray = np.concatenate([[0.0], np.cumsum(self.beat_s * np.exp(stretch))])
        self._shake = named_rng(seed, "shake")
        self._error_s: float = 0.004 + 0.05 * self._loose**1.5

    def seconds(self, beat: float) -> float:
        """The time of a beat in seconds, without jitter."""
        return float(np.interp(beat, np.arange(len(self._times)), self._times))

    def jitter(self) -> float:
        """A small error of one onset in seconds: none worth hearing when stable, some 50 ms when not."""
        return float(self._shake.normal(0, 1)) * self._error_s

    def accent(self, beat: float) -> float:
        """What a beat adds to the velocity: clear accents when stable, arbitrary ones when not."""
        place = beat - max(line for line in self.bars if line <= beat + 1e-6)
        regular: float = 20.0 if place < 0.05 else (8.0 if abs(place - round(place)) < 0.05 else -10.0)
        return regular * (1.0 - self._loose) + float(self._shake.normal(0, 1)) * (2.0 + 12.0 * self._loose)


def onset_pattern(
    bars: list[float], *, per_beat: float, complexity: float, seed: int, name: str, shared: bool = False
) -> list[float]:
    """Onsets of one layer in beats over all bars.

    With complexity 0 they stand evenly on the beats (`per_beat` of them a beat: 0.25, 0.5, 1, 2, ...),
    repeated bar by bar; the higher it is the more of them are syncopated or split in two, and a layer that is
    not `shared` may run across the bars in a step of its own (three against two, five against four).
    """
    rng = named_rng(seed, f"layer {name}")
    step = 1.0 / per_beat
    crossing = rng.random() < 0.6
    cross_step = float(rng.choice(CROSS_STEPS)) * max(step, 0.5)
    keep, phase = rng.random(), float(rng.choice([0.0, 0.25, 0.5, 0.75]))
    size = 64
    threshold, move, drop = (rng.permutation(size) + 0.5) / size, rng.choice(SHIFTS, size), rng.random(size)
    changes = rng.random(256)
    splits, parts = (rng.permutation(size) + 0.5) / size, rng.choice([1 / 4, 1 / 3, 1 / 2, 3 / 4], size)
    if crossing and not shared and complexity > 0.35 + 0.4 * keep:
        return [float(b) for b in np.arange(phase, bars[-1], cross_step)]
    onsets: set[float] = set()
    for index in range(len(bars) - 1):
        line, following = bars[index], bars[index + 1]
        # A simple pattern repeats each bar; a complex one changes now and then.
        turn = 17 * int(changes[index % 256] < 0.5 * complexity) * (index % 5)
        for k in range(max(1, round((following - line) / step))):
            place = k * step
            slot = (k + turn) % size
            if threshold[slot] < complexity and not (place == 0 and drop[slot] < 0.4):
                place += float(move[slot]) * min(step, 1.0)
            onsets.add(round(max(line + place, 0.0), 4))
            if splits[slot] < 0.45 * complexity:
                onsets.add(round(max(line + place, 0.0) + float(parts[slot]) * min(step, 1.0), 4))
    return sorted(onset for onset in onsets if onset < bars[-1])
