"""Loops set while playing, by key and by OSC, over a real JACK server and under load: exact in what JACK is given."""

from itertools import pairwise

import numpy as np
import pytest
import soundfile
from helpers import jack_server
from helpers.show import Show
from helpers.waiting import settled, until

RATE = 44100
HOP = 512
STEADY = 1e-3  # second difference of the tone: .00007 in it, .3 at a jump


def runs_of(sound, track):
    """Stretches of the sound that are the track's own samples, as (first sample, place in the track, length)."""
    keys, wanted = (np.ascontiguousarray(samples).view(np.uint64)[:, 0] for samples in (track, sound))
    order = np.argsort(keys)
    found = order[np.searchsorted(keys, wanted, sorter=order).clip(0, len(keys) - 1)]
    places = np.where(keys[found] == wanted, found, -1)
    edges = np.flatnonzero(np.diff(places) != 1) + 1
    bounds = [0, *edges.tolist(), len(places)]
    runs = [(a, int(places[a]), b - a) for a, b in pairwise(bounds)]
    joined: list[tuple[int, int, int]] = []
    for at, place, length in (run for run in runs if run[1] >= 0 and run[2] > 1):
        if joined:
            begun, first, count = joined[-1]
            gap = slice(begun + count, at), slice(first + count, place)
            if at - begun == place - first and np.array_equal(sound[gap[0]], track[gap[1]]):
                joined[-1] = (begun, first, at - begun + length)  # (a sample between stands in the track twice)
                continue
        joined.append((at, place, length))
    return joined


def first_jump(runs, end):
    """Number of the run at whose end the position goes back for the first time, or None before that."""
    return next((n for n, (_, place, length) in enumerate(runs) if place + length > end - HOP), None)


def joints_of(sound, runs):
    """Pairs of runs between which something sounds on; the others are drop-outs, which the meters count."""
    pairs = pairwise(runs)
    return [(run, after) for run, after in pairs if sound[run[0] + run[2] : after[0]].any(axis=1).all()]


def returns(sound, track, start, end):
    """Joints at which a loop between two samples goes back from its end to its start."""
    runs = runs_of(sound, track)
    jump = first_jump(runs, end)
    joints = [] if jump is None else joints_of(sound, runs[jump:])
    return [joint for joint in joints if start <= joint[1][1] < joint[0][1] + joint[0][2]]


def tape_so_far(path):
    """What a recorder has written until now, float32 [samples, 2]."""
    samples = np.fromfile(path.with_suffix(".f32"), np.float32)
    return samples[: len(samples) // 2 * 2].reshape(-1, 2)


def by_key(show, name):
    """Set an edge of the loop, or the loop itself, as a performer at the keyboard does."""
    show.presses({"loop_start": "[", "loop_end": "]", "loop": "\\"}[name])


def by_osc(show, name):
    """The same as a controller does, which puts the edges where it hears the music."""
    value = 1 if name == "loop" else float(show.value("transport/position"))
    show.set(f"transport/{name}", value)


@pytest.mark.parametrize("seconds", [0.5, 2.0, pytest.param(10.0, marks=pytest.mark.slow)])
@pytest.mark.parametrize("set_", [by_key, by_osc])
def test_a_loop_set_while_playing_goes_round_to_the_sample_and_without_a_click(
    set_, seconds, jack, busy, long_song, tmp_path
):
    track = soundfile.read(long_song, dtype="float32")[0]
    with busy(), Show(long_song, folder=tmp_path, backend="jack", **jack.environment) as show:
        recorder = jack.recorder(tmp_path / "tape")
        assert recorder.stdout.readline().strip() == "connected"
        show.until(lambda show: show.value("transport/position") > 1)
        heard = show.value("transport/position")
        set_(show, "loop_start")
        show.until(lambda show: show.value("transport/loop_start") > 0)
        begun = show.value("transport/position")
        # where it was heard meanwhile, however long that took
        assert heard - 0.1 < show.value("transport/loop_start") < begun + 0.1
        show.until(lambda show: show.value("transport/position") > begun + seconds)
        heard = show.value("transport/position")
        set_(show, "loop_end")  # where it is heard: what renders is past it
        set_(show, "loop")
        show.until(lambda show: show.value("transport/loop"))
        show.until(lambda show: show.recorded("transport/loop_start") and show.recorded("transport/loop_end"))
        edges = settled(lambda: [show.recorded(f"transport/{name}")[-1] for name in ("loop_start", "loop_end")])
        start, end = (round(edge * RATE) for edge in edges)
        assert end / RATE > heard - 0.1
        assert (end - start) / RATE > seconds - 0.1
        until(lambda: len(returns(tape_so_far(tmp_path / "tape"), track, start, end)) >= 2, 120 + 10 * seconds)
        recorder.terminate()
        recorder.wait(60)
    sound = jack_server.Tape(tmp_path / "tape").samples
    runs = runs_of(sound, track)
    jump = first_jump(runs, end)
    assert runs[jump][1] + runs[jump][2] < end + RATE // 2, "the position runs on past the end of the loop"
    joints = joints_of(sound, runs[jump:])
    for (at, place, length), (next_at, next_place, _) in joints:
        between = next_at - at - length
        assert between <= HOP
        assert next_place == start + (place + length + between - start) % (end - start)
        tone = sound[max(at + length - 50, 0) : next_at + 50, 1]
        assert np.abs(np.diff(tone, 2)).max() < STEADY
    assert all(start <= place and place + length <= end for _, place, length in runs[jump + 1 :])
