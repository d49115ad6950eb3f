"""Loops set while playing, by key and by OSC, over a real JACK server and under load: exact in what JACK is given."""

import time
from itertools import pairwise

import numpy as np
import pytest
import soundfile
from helpers import jack_server
from helpers.show import Show, settled

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
    recorder = None
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
        time.sleep(2.6 * seconds + 0.3)
        recorder.terminate()
        recorder.wait(20)
        edges = settled(lambda: [show.recorded(f"transport/{name}")[-1] for name in ("loop_start", "loop_end")])
    start, end = (round(edge * RATE) for edge in edges)
    assert end / RATE > heard - 0.1
    assert (end - start) / RATE > seconds - 0.1
    sound = jack_server.Tape(tmp_path / "tape").samples
    track = soundfile.read(long_song, dtype="float32")[0]
    runs = runs_of(sound, track)
    jump = next(n for n, (_, place, length) in enumerate(runs) if place + length > end - HOP)
    assert runs[jump][1] + runs[jump][2] < end + RATE // 2, "the position runs on past the end of the loop"
    rounds, roughest = 0, 0.0
    for (at, place, length), (next_at, next_place, _) in pairwise(runs[jump:]):
        between = sound[at + length : next_at]
        if not between.any(axis=1).all():
            continue  # a drop-out, which the meters count
        assert len(between) <= HOP
        expected = start + (place + length + len(between) - start) % (end - start)
        assert next_place == expected
        rounds += next_place < place + length
        tone = sound[max(at + length - 50, 0) : next_at + 50, 1]
        roughest = max(roughest, float(np.abs(np.diff(tone, 2)).max()))
    assert rounds >= 2
    assert roughest < STEADY
    assert all(start <= place and place + length <= end for _, place, length in runs[jump + 1 :])
