"""The composed music, read back from its MIDI messages and measured in ways the composer does not use."""

from collections import defaultdict
from itertools import combinations, pairwise
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moodfader.models.common.constants import MIDLEVEL
from moodfader.models.common.errors import InputError
from moodfader.models.composition.compose import compose
from moodfader.models.composition.harmony import in_key_fraction, plan_chords
from moodfader.models.composition.timing import Timing, onset_pattern
from moodfader.models.synthesis.labelled_music import draw_qualities

SEEDS = range(24)
# Krumhansl & Kessler's (1982) probe tone profiles.
MAJOR = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
MINOR = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])


class Heard(NamedTuple):
    channel: int
    pitch: int
    start: float
    end: float
    power: float


def notes_of(midi):
    """Notes of a MIDI file by its messages; power as a General MIDI synthesiser makes it of velocity and volume."""
    notes, sounding, volume, now = [], {}, defaultdict(lambda: 100), 0.0
    for message in midi:
        now += message.time
        if message.type == "control_change" and message.control == 7:
            volume[message.channel] = message.value
        elif message.type == "note_on" and message.velocity:
            key = (message.channel, message.note)
            assert key not in sounding, "a note begins that sounds already"
            sounding[key] = (now, (message.velocity * volume[message.channel] / 127**2) ** 4)
        elif message.type in ("note_off", "note_on"):
            start, power = sounding.pop((message.channel, message.note))
            notes.append(Heard(message.channel, message.note, start, now, power))
    assert not sounding, "a note never ends"
    return notes


def pieces(feature, value, *, seconds=11.0, **fixed):
    for seed in SEEDS:
        qualities = {**draw_qualities(seed), **fixed, feature: value}
        yield notes_of(compose(qualities, seed=seed, seconds=seconds))


def measured(measure, feature, values=(0.0, 0.5, 1.0), **fixed):
    """The mean of a measure over all seeds for each value of a knob, and the share of seeds that rise end to end."""
    table = np.array([[measure(notes) for notes in pieces(feature, value, **fixed)] for value in values])
    return table.mean(axis=1), float(np.mean(table[-1] > table[0]))


def pitched(notes):
    return [note for note in notes if note.channel != 9]


def profile(notes):
    weights = np.zeros(12)
    for note in pitched(notes):
        weights[note.pitch % 12] += (note.end - note.start) * np.sqrt(note.power)
    return weights


def best_key(notes, key):
    weights = profile(notes)
    return max(np.corrcoef(weights, np.roll(key, k))[0, 1] for k in range(12))


def seconds_a_note(notes):
    return float(np.mean([note.end - note.start for note in pitched(notes)]))


def share_of_rough_intervals(notes):
    """Of all pairs that sound together at ten moments, the share of seconds, sevenths and tritones."""
    rough = total = 0
    for moment in np.linspace(0.4, 10.0, 25):
        now = [note.pitch for note in pitched(notes) if note.start <= moment < note.end]
        for one, other in combinations(now, 2):
            rough += (one - other) % 12 in (1, 11, 2, 10, 6)
            total += 1
    return rough / max(total, 1)


def pulse(notes):
    """How strongly the onsets agree on one period: the resultant length of their phases, at its best period."""
    onsets = np.array([note.start for note in notes])
    return max(abs(np.exp(2j * np.pi * onsets / period).mean()) for period in np.geomspace(0.2, 1.0, 400))


def distinct_gaps(notes):
    """Entropy in bits of the gaps between successive onsets, in steps of 25 ms, summed over the layers."""
    bits = 0.0
    for channel, pitch in {(note.channel, note.pitch if note.channel == 9 else 0) for note in notes}:
        layer = [n.start for n in notes if n.channel == channel and (channel != 9 or n.pitch == pitch)]
        gaps = np.diff(np.unique(np.round(layer, 2)))
        counts = np.bincount((gaps[gaps > 0.03] / 0.025).round().astype(int), minlength=1)
        shares = counts[counts > 0] / max(counts.sum(), 1)
        bits -= float((shares * np.log2(shares)).sum())
    return bits


def sung_line(notes):
    """The best of the single-voiced channels: its share of the power times its share of steps up to a third."""
    total, best = sum(note.power for note in pitched(notes)), 0.0
    for channel in {note.channel for note in pitched(notes)}:
        line = sorted((n for n in notes if n.channel == channel), key=lambda note: note.start)
        starts = np.array([note.start for note in line])
        if len(line) < 4 or np.mean(np.diff(starts) < 0.02) > 0.1 or np.median([n.pitch for n in line]) < 57:
            continue
        moves = np.abs(np.diff([note.pitch for note in line]))
        best = max(best, float(np.mean((moves > 0) & (moves < 5))) * sum(note.power for note in line) / total)
    return best


unit = st.floats(0.0, 1.0)


@settings(max_examples=60, deadline=None)
@given(st.tuples(*[unit] * 7), st.integers(0, 2**31), st.floats(1.0, 13.0))
def test_any_setting_gives_a_valid_piece(values, seed, seconds):
    midi = compose(dict(zip(MIDLEVEL, values, strict=True)), seed=seed, seconds=seconds)
    assert midi.length == pytest.approx(seconds, abs=0.001)
    notes = notes_of(midi)
    assert len(pitched(notes)) >= 3
    assert all(21 <= note.pitch <= 108 for note in pitched(notes))
    assert all(0.0 <= note.start < note.end <= seconds + 0.001 for note in notes)
    assert min(note.start for note in notes) < 1.0


@given(st.integers(0, 2**31))
@settings(max_examples=15, deadline=None)
def test_the_seed_decides_everything(seed):
    qualities = draw_qualities(seed)
    first, again = compose(qualities, seed=seed), compose(qualities, seed=seed)
    assert [t.copy() for t in first.tracks] == [t.copy() for t in again.tracks]
    assert notes_of(first) != notes_of(compose(qualities, seed=seed + 1))


def test_articulation_shortens_notes():
    means, falls = measured(lambda notes: -seconds_a_note(notes), "articulation", (0.0, 0.25, 0.5, 0.75, 1.0))
    assert np.all(np.diff(means) > 0)
    assert falls == 1.0
    assert means[0] < 5 * means[-1]


def test_modality_turns_the_key_minor():
    fixed = {"tonal_stability": 1.0, "dissonance": 0.0}
    means, rises = measured(lambda notes: best_key(notes, MINOR) - best_key(notes, MAJOR), "modality", **fixed)
    assert means[0] < means[2]
    assert rises >= 0.8
    assert means[0] < -0.02


def test_each_setting_of_modality_is_a_piece_of_its_own():
    """Ten seconds of chords of 400 seeds: a quarter of them, whose mode changed at one place, had three or four."""
    bars = [4.0 * bar for bar in range(8)]
    for seed in range(400):
        plans = [
            plan_chords(bars, home_fraction=1.0, modality=knob, dissonance=0, seed=seed, beat_s=0.35)
            for knob in (0.0, 0.25, 0.5, 0.75, 1.0)
        ]
        minor = [np.mean([(chord.scale[2] - chord.tonic) % 12 == 3 for chord in plan]) for plan in plans]
        assert len({tuple(chord.scale for chord in plan) for plan in plans}) == 5, seed
        assert (minor[0], minor[-1]) == (0.0, 1.0), seed
        assert 0.25 < minor[2] < 0.75, (seed, minor)


def test_tonal_stability_keeps_to_one_key():
    means, rises = measured(
        lambda notes: max(best_key(notes, MAJOR), best_key(notes, MINOR)), "tonal_stability", dissonance=0.2
    )
    assert np.all(np.diff(means) > 0)
    assert rises >= 0.9


def test_as_many_steps_stay_in_the_key_as_tonal_stability_says():
    """Twelve chords, about ten seconds, of 400 seeds: a modulation is a step from chord to chord that changes key."""
    bars = [4.0 * bar for bar in range(13)]
    stays = []
    for knob in (0.0, 0.25, 0.5, 0.75, 1.0):
        home_fraction = in_key_fraction(knob)
        plans = [
            plan_chords(bars, home_fraction=home_fraction, modality=0, dissonance=0, seed=seed, beat_s=0.25)
            for seed in range(400)
        ]
        stays.append(np.mean([a.tonic == b.tonic for plan in plans for a, b in pairwise(plan)]))
    assert np.all(np.diff(stays) > 0.08), stays
    np.testing.assert_allclose(stays, (0.0, 0.25, 0.5, 0.75, 1.0), atol=0.15)


def test_dissonance_makes_rough_intervals():
    means, rises = measured(share_of_rough_intervals, "dissonance", (0.0, 0.25, 0.5, 0.75, 1.0))
    assert np.all(np.diff(means) > 0)
    assert rises >= 0.95
    assert means[0] < 0.2 < means[-1]


def test_rhythmic_stability_gives_a_pulse():
    means, rises = measured(pulse, "rhythmic_stability", rhythmic_complexity=0.3)
    assert np.all(np.diff(means) > 0)
    assert rises >= 0.9


def test_rhythmic_complexity_mixes_gaps():
    means, rises = measured(distinct_gaps, "rhythmic_complexity", rhythmic_stability=1.0)
    assert np.all(np.diff(means) > 0)
    assert rises >= 0.9


def test_melodiousness_brings_a_line_forward():
    means, rises = measured(sung_line, "melodiousness", (0.0, 0.25, 0.5, 0.75, 1.0), dissonance=0.2)
    steps = np.diff(means)
    assert np.all(steps > 0)
    # no half of the knob is all of it: a straight one had an eighth of the line in its lower half
    assert steps[:2].sum() > 0.17 * steps.sum()
    assert rises >= 0.9


@pytest.mark.parametrize("feature", ["modality", "tonal_stability"])
def test_pitch_knobs_leave_time_alone(feature):
    # All but a few onsets: where two voices of a part meet on one pitch, one of their two onsets is lost.
    for low, high in zip(pieces(feature, 0.0), pieces(feature, 1.0), strict=True):
        one, other = ({round(note.start, 3) for note in notes} for notes in (low, high))
        assert len(one ^ other) <= 0.06 * len(one | other)


def test_articulation_leaves_pitches_and_onsets_alone():
    for low, high in zip(pieces("articulation", 0.0), pieces("articulation", 1.0), strict=True):
        assert {(n.pitch, round(n.start, 3)) for n in high} == {(n.pitch, round(n.start, 3)) for n in low}


def test_simple_rhythm_is_on_the_beat():
    timing = Timing(seed=3, tempo=120.0, meter=4, stability=1.0, seconds=10.0)
    simple = onset_pattern(timing.bars, per_beat=1.0, complexity=0.0, seed=3, name="x")
    assert simple == [float(beat) for beat in range(int(timing.bars[-1]))]
    assert timing.seconds(8.0) == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("change", "words"),
    [({"modality": 7.0}, "modality: 7.0"), ({"modallity": 0.5}, "modallity"), ({"modality": float("nan")}, "nan")],
)
def test_wrong_qualities_are_named(change, words):
    qualities = dict.fromkeys(MIDLEVEL, 0.5)
    with pytest.raises(InputError, match=words):
        compose({**qualities, **change}, seed=1)
    with pytest.raises(InputError, match="seconds"):
        compose(qualities, seed=1, seconds=11000)


def test_drawn_qualities_are_independent():
    drawn = np.array([list(draw_qualities(seed).values()) for seed in range(3000)])
    correlation = np.corrcoef(drawn.T) - np.eye(7)
    assert np.abs(correlation).max() < 0.08
    assert drawn.min() >= 0.0
    assert drawn.max() <= 1.0
    assert np.all(np.mean((drawn < 0.1) | (drawn > 0.9), axis=0) > 0.25)
