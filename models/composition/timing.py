"""Bars, beats and onsets of a piece: rhythmic stability and rhythmic complexity as parameters in 0..1.

Positions are in beats; `Timing` converts beats to seconds. Stability controls how regular time is: low values bend
the beats (rubato, drift, bars of odd length), add jitter to onsets and remove regular accents. Complexity controls
the patterns: high values syncopate onsets and give layers patterns of their own. Stability leaves the number of
onsets unchanged; complexity adds a few to each layer.
"""

import numpy as np

from .midi_parts import named_rng

SHIFTS = (-0.5, -0.25, 0.25, 0.5, 0.75, 1 / 3, -1 / 3)
"""Syncopations: shifts of an onset in beats."""
CROSS_STEPS = (0.75, 2 / 3, 1.5, 1.25, 0.6, 4 / 3)
"""Distances of onsets in polyrhythms, in beats."""


class Timing:
    """Bars, and the conversion of beats to seconds, of one piece.

    Parameters
    ----------
    seed
        Seed of the piece.
    tempo
        Beats per minute.
    meter
        Beats per bar.
    stability
        Rhythmic stability, 0..1.
    seconds
        Length of the piece.

    Attributes
    ----------
    bars : list of float
        Positions of the bar lines in beats, from 0 to beyond the end of the piece.
    meter : int
    beat_s : float
        Nominal length of a beat in seconds.
    length_s : float
        Length of the piece in seconds.
    """

    def __init__(self, *, seed: int, tempo: float, meter: int, stability: float, seconds: float) -> None:
        rng = named_rng(seed, "timing")
        self._instability: float = 1.0 - stability
        self.meter, self.beat_s, self.length_s = meter, 60.0 / tempo, seconds
        count = int(seconds / self.beat_s * 2) + 3 * meter + 16
        self.bars = [0.0]
        draws, changes = rng.random(count), rng.choice([-1, 1, 2], count)  # bars of odd length
        while self.bars[-1] < count - meter - 2:
            bar = len(self.bars)
            change = int(changes[bar]) if draws[bar] < 0.8 * self._instability**1.6 else 0
            self.bars.append(self.bars[-1] + max(meter + change, 2))
        beats = int(self.bars[-1]) + 1
        drift = np.cumsum(rng.normal(0, 1, beats))
        drift = 0.35 * (drift - drift.mean()) / (drift.std() + 1e-9)
        noise = 0.42 * rng.normal(0, 1, beats)
        holds = 0.7 * (rng.random(beats) < 0.12)
        log_stretch = np.clip(self._instability**1.5 * (drift + noise + holds), -0.8, 1.1)
        self._times: np.ndarray = np.concatenate([[0.0], np.cumsum(self.beat_s * np.exp(log_stretch))])
        self._jitter_rng = named_rng(seed, "shake")
        self._jitter_s: float = 0.004 + 0.05 * self._instability**1.5

    def seconds(self, beat: float) -> float:
        """Time of a position in seconds, without jitter."""
        return float(np.interp(beat, np.arange(len(self._times)), self._times))

    def jitter(self) -> float:
        """Draw the timing error of one onset in seconds; standard deviation 4 ms (stable) to 54 ms (unstable)."""
        return float(self._jitter_rng.normal(0, 1)) * self._jitter_s

    def accent(self, beat: float) -> float:
        """Draw the metrical accent of one onset, to be added to its velocity: regular if stable, random if not."""
        beat_in_bar = beat - max(line for line in self.bars if line <= beat + 1e-6)
        on_beat = abs(beat_in_bar - round(beat_in_bar)) < 0.05
        regular: float = 20.0 if beat_in_bar < 0.05 else (8.0 if on_beat else -10.0)
        irregular = float(self._jitter_rng.normal(0, 1))
        return regular * (1.0 - self._instability) + irregular * (2.0 + 12.0 * self._instability)


def onset_pattern(
    bars: list[float], *, per_beat: float, complexity: float, seed: int, name: str, shared: bool = False
) -> list[float]:
    """Draw the onset pattern of one layer.

    With complexity 0 the onsets are evenly spaced and repeat bar by bar. The higher the complexity, the more of them
    are syncopated or split in two; a layer may also become a polyrhythm that runs across the bars (three against two,
    five against four).

    Parameters
    ----------
    bars
        Bar lines in beats.
    per_beat
        Onsets per beat: 0.25, 0.5, 1, 2.
    complexity
        Rhythmic complexity, 0..1.
    seed
        Seed of the piece.
    name
        Name of the layer; layers of one name have one pattern.
    shared
        Never make this layer a polyrhythm.

    Returns
    -------
    list of float
        Onsets in beats, ascending, before the last bar line.
    """
    rng = named_rng(seed, f"layer {name}")
    step = 1.0 / per_beat
    crossing = rng.random() < 0.6
    cross_step = float(rng.choice(CROSS_STEPS)) * max(step, 0.5)
    cross_threshold, phase = rng.random(), float(rng.choice([0.0, 0.25, 0.5, 0.75]))
    size = 64
    shift_at, shifts, stays = (rng.permutation(size) + 0.5) / size, rng.choice(SHIFTS, size), rng.random(size)
    variations = rng.random(256)
    split_at, parts = (rng.permutation(size) + 0.5) / size, rng.choice([1 / 4, 1 / 3, 1 / 2, 3 / 4], size)
    if crossing and not shared and complexity > 0.35 + 0.4 * cross_threshold:
        return [float(b) for b in np.arange(phase, bars[-1], cross_step)]
    onsets: set[float] = set()
    for index in range(len(bars) - 1):
        line, next_line = bars[index], bars[index + 1]
        # A simple pattern repeats each bar; a complex one changes now and then.
        offset = 17 * int(variations[index % 256] < 0.5 * complexity) * (index % 5)
        for k in range(max(1, round((next_line - line) / step))):
            beat = k * step
            slot = (k + offset) % size
            if shift_at[slot] < complexity and not (beat == 0 and stays[slot] < 0.4):
                beat += float(shifts[slot]) * min(step, 1.0)
            onsets.add(round(max(line + beat, 0.0), 4))
            if split_at[slot] < 0.45 * complexity:
                onsets.add(round(max(line + beat, 0.0) + float(parts[slot]) * min(step, 1.0), 4))
    return sorted(onset for onset in onsets if onset < bars[-1])
