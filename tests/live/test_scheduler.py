"""When steps are made: a simulated card, a machine that is busy or calm, and late accidents. No clock in here."""

import os
import threading

import pytest
from moodfader.engine.live.scheduler import (
    MARGIN_IDLE_S,
    MARGIN_JITTER_S,
    MARGIN_LATE_S,
    MARGIN_LOAD_S,
    MARGIN_NOT_REALTIME_S,
    MARGIN_ROUGH_S,
    MARGIN_UNEVEN_S,
    MORE_FOR_A_STEP_S,
    RenderScheduler,
)
from moodfader.engine.processes import realtime
from moodfader.engine.processes.cpu_load import CpuLoadMonitor
from moodfader.engine.processes.ipc import MessageSender

RATE, HOP = 44100, 512


def played(pace, block, seconds, *, late=lambda take: 0.0, making_s=0.0005, busy=False, begun=10.0):
    """Let a card take blocks; returns drop-outs and, of each step, how long before its take it was begun."""
    pace.busy = busy
    written, read, now, dropouts, ahead = 3 * block, 0, 0.0, 0, []
    for take in range(round(seconds * RATE / block)):
        at = begun + take * block / RATE + late(take)
        while read:
            due = max(pace.next_deadline(written), now)
            if due > at or written - read + HOP > pace.max_buffered(block):
                break
            needed = pace.next_deadline(written) + pace.margin_s
            now = due + making_s
            pace.on_step_done(written, now)
            ahead.append(needed - due)
            written += HOP
        now = max(now, at)
        if written - read < block:
            dropouts += 1
        else:
            read += block
        pace.on_device_read(read, at, block)
    return dropouts, ahead


@pytest.mark.parametrize("block", [64, 256, 441, 512, 1024, 2048])
@pytest.mark.parametrize("busy", [False, True])
def test_steps_are_begun_a_margin_before_they_are_needed(block, busy):
    pace = RenderScheduler(sample_rate=RATE, step_length=HOP)
    dropouts, ahead = played(pace, block, 60, busy=busy)
    assert dropouts == 0
    expected = (MARGIN_LOAD_S if busy else MARGIN_IDLE_S) + max(block // HOP - 1, 0) * MORE_FOR_A_STEP_S
    assert pace.margin_s == expected
    settled = ahead[-200:]
    assert max(settled) < expected + 0.0001
    if block <= HOP:
        assert min(settled) > expected - 0.0001
    else:  # two steps in one go: the second waits for the first
        assert min(settled) > expected - 0.0011 * block / HOP


@pytest.mark.parametrize("block", [64, 256, 512, 1024, 2048])
def test_slow_steps_of_a_long_block_are_made_in_time_on_a_calm_machine(block):
    pace = RenderScheduler(sample_rate=RATE, step_length=HOP)
    assert played(pace, block, 120, making_s=0.002)[0] == 0
    assert pace.margin_s == MARGIN_IDLE_S + max(block // HOP - 1, 0) * MORE_FOR_A_STEP_S


def test_without_real_time_priority_the_shortest_margin_is_longer():
    pace = RenderScheduler(sample_rate=RATE, step_length=HOP)
    pace.idle_margin_s = MARGIN_NOT_REALTIME_S
    assert played(pace, 512, 60, making_s=0.002)[0] == 0
    assert pace.margin_s == MARGIN_NOT_REALTIME_S > MARGIN_IDLE_S


def test_a_margin_that_was_asked_for_stays():
    pace = RenderScheduler(sample_rate=RATE, step_length=HOP, margin_s=0.01)
    assert played(pace, 512, 30, busy=True)[0] == 0
    assert pace.margin_s == 0.01


def test_a_late_take_is_an_accident_and_not_a_new_grid():
    pace = RenderScheduler(sample_rate=RATE, step_length=HOP, margin_s=0.01)
    dropouts, ahead = played(pace, 512, 30, late=lambda take: 0.008 if take % 50 == 49 else 0.0)
    assert dropouts == 0
    assert max(ahead) < 0.0101
    assert min(ahead[10:]) > 0.0085


def test_the_later_a_step_the_more_careful_for_a_while():
    pace = RenderScheduler(sample_rate=RATE, step_length=HOP)
    played(pace, 512, 60)
    written, blocks = 512 * 10, RATE // 512 * 512
    for second, late_s, expected in (
        (0, 0.0025, MARGIN_IDLE_S), (1, 0.0035, MARGIN_UNEVEN_S), (8, 0.001, MARGIN_UNEVEN_S),
        (10, 0.001, MARGIN_IDLE_S), (23, 0.005, MARGIN_JITTER_S), (42, 0.0035, MARGIN_JITTER_S),
        (44, 0.001, MARGIN_UNEVEN_S), (52, 0.001, MARGIN_IDLE_S),
        (64, 0.009, MARGIN_ROUGH_S), (65, 0.005, MARGIN_ROUGH_S), (93, 0.001, MARGIN_ROUGH_S),
        (95, 0.001, MARGIN_IDLE_S),
        (96, 0.015, MARGIN_LATE_S), (125, 0.001, MARGIN_LATE_S), (127, 0.001, MARGIN_IDLE_S),
    ):  # fmt: skip
        pace.on_device_read(512 * 8 + round(second * blocks), 100.0 + second, 512)
        at = written + round(second * blocks)
        pace.on_step_done(at, pace.next_deadline(at) + late_s)
        assert pace.margin_s == expected, second


def test_the_first_seconds_are_the_most_careful():
    """The program is still loading its surfaces when the first sound leaves."""
    pace = RenderScheduler(sample_rate=RATE, step_length=HOP)
    pace.busy = False
    pace.on_device_read(512, 10.0, 512)
    for second, expected in ((0.0, MARGIN_LATE_S), (2.9, MARGIN_LATE_S), (3.1, MARGIN_IDLE_S)):
        at = round(second * RATE) // 512 * 512
        pace.on_device_read(512 + at, 10.0 + at / RATE, 512)
        pace.on_step_done(1024 + at, pace.next_deadline(1024 + at))
        assert pace.margin_s == expected, second


def test_a_busy_moment_is_not_taken_for_a_rough_one():
    pace = RenderScheduler(sample_rate=RATE, step_length=HOP)
    played(pace, 512, 60)
    assert pace.margin_s == MARGIN_IDLE_S
    played(pace, 512, 10, busy=True, begun=100.0)
    assert pace.margin_s == MARGIN_LOAD_S


def test_a_card_that_is_gone_gets_no_more_than_a_few_blocks():
    pace = RenderScheduler(sample_rate=RATE, step_length=HOP)
    pace.on_device_read(512, 10.0, 512)
    assert pace.next_deadline(512 + 20 * 512) > pace.next_deadline(512)
    assert pace.max_buffered(512) < 7 * 512


def stat(path, **ticks):
    names = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
    path.write_text("cpu  " + " ".join(str(ticks.get(name, 0)) for name in names) + " 0 0\ncpu0 1 2 3\n")


def test_a_machine_is_calm_when_it_has_been_idle_for_some_looks(tmp_path):
    path = tmp_path / "stat"
    stat(path, user=100, idle=100)
    machine = CpuLoadMonitor(path)
    answers = []
    for look in range(1, 12):
        stat(path, user=100 + 10 * look, idle=100 + 40 * look)
        answers.append(machine.is_loaded())
    assert answers == [True] * 7 + [False] * 4
    stat(path, user=300, nice=40, idle=560)
    assert machine.is_loaded()  # little was left
    for look in range(1, 10):
        stat(path, user=300, nice=40, idle=560 + 50 * look, steal=2 * (look == 9))
        calm = not machine.is_loaded()
        assert calm is (look == 8)  # and at the ninth look the host had taken a processor away


def test_a_machine_that_tells_nothing_counts_as_busy(tmp_path):
    machine = CpuLoadMonitor(tmp_path / "none")
    assert machine.is_loaded()
    path = tmp_path / "odd"
    path.write_text("what?\n")
    assert CpuLoadMonitor(path).is_loaded()


def test_without_the_right_to_real_time_it_is_as_nice_as_allowed(monkeypatch):
    def refused(*_):
        raise PermissionError

    asked = []
    monkeypatch.setattr(os, "sched_setscheduler", refused)
    monkeypatch.setattr(os, "setpriority", lambda *arguments: asked.append(arguments))
    assert not realtime.realtime_allowed()
    assert not realtime.set_realtime(realtime.RT_RENDER)
    realtime.set_background_priority()
    realtime.set_normal_priority()
    assert [niceness for _, _, niceness in asked] == [-8, -14, 5, 0]
    monkeypatch.setattr(os, "setpriority", refused)
    assert not realtime.set_realtime(realtime.RT_OUTPUT)


def test_an_outbox_never_waits_and_keeps_the_order():
    class Slow:
        def __init__(self):
            self.sent, self.free = [], threading.Event()

        def send(self, message):
            self.free.wait(120)
            self.sent.append(message)

    pipe = Slow()
    outbox = MessageSender(pipe)
    for number in range(1000):
        outbox.send(("applied", number))
    assert pipe.sent == []
    pipe.free.set()
    outbox.close(10)
    assert pipe.sent == [("applied", number) for number in range(1000)]
