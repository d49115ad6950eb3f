"""Real scores with seven knobs: measured in notes on a made-up hymn, and read from music21's corpus where it is."""

import importlib.util
import json
import sys
from dataclasses import asdict, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moodfader.models.common.constants import MIDLEVEL
from moodfader.models.common.errors import InputError
from moodfader.models.composition.orchestration import draw_ensemble
from moodfader.models.composition.timing import Timing
from moodfader.models.scores import arrange as arrangement
from moodfader.models.scores.arrange import arrange
from moodfader.models.scores.corpus import KINDS, Score, list_scores, read_score
from moodfader.models.scores.key_tracking import track_keys
from moodfader.models.scores.passage import Passage
from moodfader.models.synthesis.labelled_music import draw_qualities

SEEDS = range(12)
NEUTRAL = dict.fromkeys(MIDLEVEL, 0.5)
real = pytest.mark.skipif(importlib.util.find_spec("music21") is None, reason="music21 is not installed")


def without_music21(monkeypatch):
    """Make importing music21 fail, as if it were not installed."""
    for module in ("music21", "music21.corpus"):
        monkeypatch.setitem(sys.modules, module, None)


def hymn():
    """Eight bars in C major, four voices on beats and half beats: tonic, fourth and fifth steps."""
    chords = [(72, 67, 64, 48), (72, 69, 65, 53), (71, 67, 62, 55), (72, 67, 64, 48)] * 2
    voices = [[], [], [], []]
    for bar, chord in enumerate(chords):
        for beat in range(4):
            voices[0].append((bar, float(beat), 1.0, (chord[0], 74, 76, 77, 76)[beat if beat % 2 else 0]))
            voices[2] += [(bar, float(beat), 0.5, chord[2]), (bar, beat + 0.5, 0.5, chord[2])]
        for index in (1, 3):
            voices[index] += [(bar, 0.0, 2.0, chord[index]), (bar, 2.0, 2.0, chord[index])]
    return Score("hymn", "chorale", 4, voices, [0] * 8, [False] * 8)


@pytest.fixture
def _hymn(monkeypatch):
    monkeypatch.setattr(arrangement, "draw_score", lambda seed, part="train": hymn())


def notes_of(midi):
    """Notes of the pitched channels as [channel, pitch, start, end]."""
    notes, sounding, now = [], {}, 0.0
    for message in midi:
        now += message.time
        if message.type in ("note_on", "note_off") and message.channel != 9:
            key = (message.channel, message.note)
            if key in sounding:
                notes.append((*key, sounding.pop(key), now))
            if message.type == "note_on" and message.velocity:
                sounding[key] = now
    return np.array(notes)


def swept(measure, feature, values=(0.0, 0.5, 1.0), **fixed):
    """The mean over seeds of a measure of the arranged hymn for each value, and the share of seeds that rise."""
    rows = []
    for seed in SEEDS:
        others = {**draw_qualities(seed), **fixed}
        rows.append([measure(notes_of(arrange({**others, feature: v}, seed=seed))) for v in values])
    table = np.array(rows)
    return table.mean(axis=0), float(np.mean(table[:, -1] > table[:, 0]))


def weights(notes):
    table = np.zeros(12)
    for _, pitch, start, end in notes:
        table[int(pitch) % 12] += end - start
    return table


def minor_triads(notes):
    """By how much more the sound of each 0.7 s is a minor triad than a major one."""
    differences = []
    for moment in np.arange(0.2, 10.0, 0.7):
        sounding = [n for n in notes if n[2] < moment + 0.7 and n[3] > moment]
        w = weights([(c, p, max(s, moment), min(e, moment + 0.7)) for c, p, s, e in sounding])
        major, minor = (max(w[k] + w[(k + third) % 12] + w[(k + 7) % 12] for k in range(12)) for third in (4, 3))
        differences.append((minor - major) / max(w.sum(), 1e-9))
    return float(np.mean(differences))


def one_collection(notes):
    """The greatest share of the sound that seven neighbours on the circle of fifths take."""
    w = weights(notes)
    return max(w[[(k + 7 * i) % 12 for i in range(7)]].sum() for k in range(12)) / w.sum()


def rough_pairs(notes):
    rough = total = 0
    for moment in np.linspace(0.4, 10.0, 25):
        now = [n[1] for n in notes if n[2] <= moment < n[3]]
        intervals = [abs(a - b) % 12 for i, a in enumerate(now) for b in now[:i]]
        rough, total = rough + sum(i in (1, 2, 6, 10, 11) for i in intervals), total + len(intervals)
    return rough / max(total, 1)


def pulse(notes):
    return max(abs(np.exp(2j * np.pi * notes[:, 2] / p).mean()) for p in np.geomspace(0.2, 1.2, 300))


@pytest.mark.usefixtures("_hymn")
@pytest.mark.parametrize(
    ("feature", "measure", "fixed"),
    [
        ("articulation", lambda n: -np.mean(n[:, 3] - n[:, 2]), {}),
        ("modality", minor_triads, {"dissonance": 0.2}),
        ("tonal_stability", one_collection, {"dissonance": 0.2}),
        ("dissonance", rough_pairs, {}),
        ("rhythmic_stability", pulse, {"rhythmic_complexity": 0.3}),
        ("rhythmic_complexity", lambda n: -pulse(n), {"rhythmic_stability": 1.0}),
    ],
)
def test_every_knob_moves_what_it_is_for(feature, measure, fixed):
    means, rises = swept(measure, feature, **fixed)
    assert np.all(np.diff(means) > 0), means
    assert rises >= 0.9


@pytest.mark.usefixtures("_hymn")
def test_melodiousness_lets_the_tune_be_heard_as_it_is_written():
    tune = [pitch for _, _, _, pitch in hymn().voices[0]]
    found = []
    for m in (0.3, 1.0):
        for seed in SEEDS:
            fixed = {"melodiousness": m, "modality": 0.0, "tonal_stability": 1.0, "rhythmic_stability": 1.0}
            notes = notes_of(arrange({**NEUTRAL, **fixed, "dissonance": 0.0}, seed=seed))
            line = [int(n[1]) for n in sorted(notes.tolist(), key=lambda n: n[2]) if n[0] == 0][:12]
            moves = np.diff(line).tolist()
            written = [np.diff((tune * 2)[k : k + len(line)]).tolist() for k in range(len(tune))]
            found.append(max(np.mean([a == b for a, b in zip(moves, w, strict=True)]) for w in written))
    low, high = np.mean(found[: len(SEEDS)]), np.mean(found[len(SEEDS) :])
    assert high > 0.95 > 0.6 > low


def test_where_there_is_no_tune_no_other_voice_takes_its_place(monkeypatch):
    score = hymn()
    walk = [(bar, float(beat), 1.0, (60, 62, 64, 65)[beat]) for bar in range(8) for beat in range(4)]
    lively = replace(score, voices=[score.voices[0], walk, *score.voices[2:]])
    monkeypatch.setattr(arrangement, "draw_score", lambda seed, part="train": lively)

    def walking(m):
        shares = []
        for seed in SEEDS:
            fixed = {"rhythmic_complexity": 0.0, "dissonance": 0.0, "tonal_stability": 1.0}
            midi = arrange({**NEUTRAL, **fixed, "melodiousness": m}, seed=seed)
            played = draw_ensemble(articulation=0.5, dissonance=0.0, seed=seed).second_chord
            channels = {x.channel for x in midi if x.type == "program_change" and x.program == played}
            notes = sorted((n for n in notes_of(midi).tolist() if n[0] in channels), key=lambda n: n[2])
            shares.append(np.mean(np.diff([n[1] % 12 for n in notes]) != 0))
        return float(np.mean(shares))

    shares = [walking(m) for m in (0.0, 0.2, 1.0)]
    assert np.all(np.diff(shares) > 0.1), shares


def test_a_passage_is_one_in_which_the_tune_moves(monkeypatch):
    score = hymn()
    late = [[(bar + 8 * k, *note) for k in range(5) for bar, *note in voice] for voice in score.voices]
    resting = replace(
        score,
        voices=[[note for note in late[0] if note[0] >= 20], *late[1:]],
        tonics=[0] * 40,
        minor=[False] * 40,
    )
    monkeypatch.setattr(arrangement, "draw_score", lambda seed, part="train": resting)
    for seed in range(30):
        notes = notes_of(arrange({**NEUTRAL, "melodiousness": 1.0}, seed=seed))
        assert np.sum(notes[:, 0] == 0) >= 10, seed


@pytest.mark.usefixtures("_hymn")
@given(st.tuples(*[st.floats(0.0, 1.0)] * 7), st.integers(0, 2**31), st.floats(1.0, 30.0))
@settings(max_examples=30, deadline=None)
def test_any_setting_gives_a_valid_piece_and_the_same_one_again(values, seed, seconds):
    qualities = dict(zip(MIDLEVEL, values, strict=True))
    midi = arrange(qualities, seed=seed, seconds=seconds)
    assert midi.length == pytest.approx(seconds, abs=0.001)
    notes = notes_of(midi)
    assert len(notes) >= 3
    assert notes[:, 1].min() >= 21
    assert notes[:, 1].max() <= 108
    again = arrange(qualities, seed=seed, seconds=seconds)
    assert [list(t) for t in again.tracks] == [list(t) for t in midi.tracks]


@pytest.mark.parametrize("minor", [False, True])
def test_a_passage_turns_into_the_parallel_key_and_no_further(minor):
    score, timing = hymn(), Timing(seed=1, tempo=100.0, meter=4, stability=1.0, seconds=8.0)
    pure = Passage(
        score, timing, first=0, transposition=2, home_fraction=1.0, modality=float(minor), seed=1
    )  # C major, a tone higher
    scale = {(2 + step) % 12 for step in ((0, 2, 3, 5, 7, 8, 10, 11) if minor else (0, 2, 4, 5, 7, 9, 11))}
    for index, voice in enumerate(score.voices):
        tones = pure.voice(index)
        assert {tone.pitch % 12 for tone in tones} <= scale
        written = [pitch + 2 for _, _, _, pitch in voice]
        assert all(abs(tone.pitch - pitch) <= int(minor) for tone, pitch in zip(tones, written, strict=False))
    assert all(segment.tonic == 2 and segment.minor == minor for segment in pure.segments)


def test_half_of_the_cells_turn_at_a_half():
    timing = Timing(seed=1, tempo=100.0, meter=4, stability=1.0, seconds=20.0)
    passage = Passage(hymn(), timing, first=0, transposition=0, home_fraction=0.5, modality=0.5, seed=3)
    few = passage.segments[:8]
    assert sum(segment.minor for segment in few) in (3, 4, 5)
    assert sum(segment.transposition == 0 for segment in few) in (3, 4, 5)


def test_stability_keeps_one_key_where_the_score_has_two_and_takes_its_accidentals_back():
    timing = Timing(seed=1, tempo=100.0, meter=4, stability=1.0, seconds=19.0)
    motif = enumerate((72, 73, 74, 76))  # C, C sharp rising to D, E; each second bar a third lower, in A
    notes = [(float(beat), pitch) for beat, pitch in motif]
    tune = [(bar, beat, 1.0, pitch - 3 * (bar % 2)) for bar in range(8) for beat, pitch in notes]
    score = Score("two keys", "tune", 4, [tune], [0, 9] * 4, [False] * 8)
    steady, loose = (
        Passage(score, timing, first=0, transposition=0, home_fraction=t, modality=0.0, seed=5) for t in (1.0, 0.0)
    )
    assert {segment.tonic for segment in steady.segments} == {0}
    assert [tone.pitch for tone in steady.voice(0)] == [72, 72, 74, 76] * 8  # the bars in A are brought home
    assert len({segment.tonic for segment in loose.segments}) > 4
    bent = [
        (tone.pitch - segment.transposition - note[3], tone.strength)
        for tone, note in zip(loose.voice(0), score.voices[0], strict=True)
        for segment in [loose.segment_at(tone.start)]
    ]
    assert {change for change, strength in bent if strength} == {0}
    assert 0.3 < np.mean([change != 0 for change, strength in bent if not strength]) < 0.6
    assert {change for change, _ in bent} == {-1, 0, 1}


def test_keys_of_bars_follow_a_modulation():
    c_major, a_flat = np.zeros(12), np.zeros(12)
    c_major[[0, 2, 4, 5, 7, 9, 11]] = [4, 1, 2, 1, 3, 1, 1]
    a_flat[[8, 10, 0, 1, 3, 5, 7]] = [4, 1, 2, 1, 3, 1, 1]
    keys = track_keys(np.array([c_major] * 5 + [a_flat] * 5))
    assert keys == [(0, False)] * 5 + [(8, False)] * 5
    odd = track_keys(np.array([c_major] * 3 + [np.roll(c_major, 7)] + [c_major] * 3))
    assert odd == [(0, False)] * 7  # one bar on the dominant is no new key


@real
def test_a_chorale_is_read_with_its_key_and_kept(monkeypatch):
    score = read_score("bach/bwv66.6.mxl", "chorale")
    assert (score.meter, len(score.voices)) == (4, 4)
    assert set(zip(score.tonics, score.minor, strict=True)) <= {(6, True), (9, False), (4, False), (1, True)}
    means = [np.mean([pitch for *_, pitch in voice]) for voice in score.voices]
    assert all(a > b for a, b in pairwise(means))
    assert [pitch for *_, pitch in score.voices[0]][:4] == [69, 71, 73, 76]  # the upbeat is left out
    without_music21(monkeypatch)
    assert read_score("bach/bwv66.6.mxl", "chorale") == score


@real
def test_train_and_test_share_no_work():
    train, test = list_scores("train"), list_scores("test")
    works = [{name.rsplit("/", 1)[0] for name in part["quartet"]} for part in (train, test)]
    assert not works[0] & works[1]
    for kind in KINDS:
        assert not set(train[kind]) & set(test[kind])
        assert len(test[kind]) >= 3
        assert len(train[kind]) > 2 * len(test[kind])


@real
def test_a_fiddle_tune_gets_an_accompaniment(monkeypatch):
    name = list_scores("train")["tune"][0]
    monkeypatch.setattr(arrangement, "draw_score", lambda seed, part="train": read_score(name, "tune"))
    notes = notes_of(arrange({**NEUTRAL, "melodiousness": 1.0}, seed=4))
    assert len(set(notes[:, 0])) >= 2


def test_what_is_missing_or_wrong_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("MOODFADER_CACHE", str(tmp_path / "empty"))
    without_music21(monkeypatch)
    with pytest.raises(InputError, match=r"moodfader\[scores\]"):
        arrange(NEUTRAL, seed=1)
    with pytest.raises(InputError, match="modality: 7"):
        arrange({**NEUTRAL, "modality": 7.0}, seed=1)
    with pytest.raises(InputError, match="train and test"):
        arrange(NEUTRAL, seed=1, part="all")


def test_a_cache_that_is_there_needs_no_music21(monkeypatch, tmp_path):
    monkeypatch.setenv("MOODFADER_CACHE", str(tmp_path))
    without_music21(monkeypatch)
    with pytest.raises(InputError, match="music21"):
        list_scores("train")
    (folder,) = tmp_path.iterdir()
    (folder / "index.json").write_text(json.dumps({kind: ["a/hymn.mxl"] for kind in KINDS}))
    (folder / "a_hymn.mxl.json").write_text(json.dumps(asdict(hymn())))
    part = "train" if any(list_scores("train").values()) else "test"
    assert len(notes_of(arrange(NEUTRAL, seed=1, part=part))) > 10
