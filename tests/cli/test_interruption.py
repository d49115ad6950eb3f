"""Signals that end the program, at any moment: no lock stays taken, none is lost, nothing is left half made."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from moodfader.control import cli
from moodfader.control.console.interruption import StopRequest, Terminated, ended_by_signals, stopped_by_signals
from moodfader.control.console.output import Output
from moodfader.models.common.atomic_write import atomic_write
from moodfader.models.common.errors import InputError

TIMER = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there is no timer of the system's here")
POOLS = """
import os, random, signal, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
from moodfader.control.console import interruption

interruption._AGAIN_S = 0.0
random.seed(0)

def interrupt():
    while True:
        wanted.wait()
        wanted.clear()
        time.sleep(random.uniform(0.0, 0.002))
        signal.pthread_kill(threading.main_thread().ident, signal.SIGTERM)

wanted = threading.Event()
threading.Thread(target=interrupt, daemon=True).start()
interrupted = 0
with interruption.ended_by_signals():
    while interrupted < 60:
        pool = None
        try:
            pool = ThreadPoolExecutor(2)
            wanted.set()
            while True:
                list(pool.map(abs, range(8)))
        except interruption.Terminated:
            interrupted += 1
        if pool is not None:
            pool.shutdown()
print(interrupted)
sys.stdout.flush()
os._exit(0)
"""
STOPS = """
import os, random, signal, sys
from moodfader.control import cli
from moodfader.control.console.interruption import StopRequest

random.seed(0)
for _ in range(1500):
    stop = StopRequest()
    signal.signal(signal.SIGALRM, lambda *_: stop.set())
    signal.setitimer(signal.ITIMER_REAL, random.uniform(0.0001, 0.001))
    while not stop.wait(0.00005):
        pass
print("done")
sys.stdout.flush()
os._exit(0)
"""


def output_of(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)
    return done.stdout, done.stderr


@TIMER
@pytest.mark.parametrize("place", ["__enter__", "__exit__"])
def test_no_lock_stays_taken_by_a_signal(place):
    condition = threading.Condition(threading.Lock())

    def receive(frame, event, _argument):
        ours = frame.f_code.co_name == place and frame.f_globals["__name__"] == "threading"
        if ours and event == ("c_return" if place == "__enter__" else "call"):
            sys.setprofile(None)
            signal.getsignal(signal.SIGTERM)(signal.SIGTERM, frame)

    def wait_for_ever():
        with ended_by_signals():
            sys.setprofile(receive)
            with condition:
                pass
            while True:
                time.sleep(0.001)

    with pytest.raises(Terminated):
        wait_for_ever()
    assert not condition._lock.locked()


@TIMER
def test_pools_of_threads_end_wherever_they_are_interrupted():
    """The locks of `concurrent.futures` stayed taken at about one signal in 200, and the program waited for ever."""
    assert output_of(POOLS) == ("60\n", "")


@TIMER
def test_a_request_to_stop_may_come_at_any_moment_of_the_wait():
    assert output_of(STOPS) == ("done\n", "")


def test_a_request_is_there_for_all_who_ask():
    stop = StopRequest()
    assert not stop.wait(0.0)
    stop.set()
    stop.set()
    assert stop.is_set()
    assert all(stop.wait(60.0) for _ in range(4))


@TIMER
def test_a_signal_in_a_destructor_is_not_lost():
    class Ends:
        def __del__(self):
            signal.raise_signal(signal.SIGTERM)

    def wait_for_ever():
        with ended_by_signals():
            Ends()
            while True:
                time.sleep(0.001)

    with pytest.raises(Terminated):
        wait_for_ever()


@TIMER
def test_a_second_signal_does_not_disturb_what_is_put_away():
    steps = []

    def ended():
        with ended_by_signals():
            try:
                signal.raise_signal(signal.SIGINT)
            finally:
                signal.raise_signal(signal.SIGINT)
                signal.raise_signal(signal.SIGTERM)
                steps.append("put away")

    with pytest.raises(KeyboardInterrupt):
        ended()
    assert steps == ["put away"]


def test_handlers_are_as_before_afterwards():
    numbers = [signal.SIGINT, signal.SIGTERM]
    before = [signal.getsignal(number) for number in numbers], sys.unraisablehook
    with ended_by_signals(), stopped_by_signals():
        assert [signal.getsignal(number) for number in numbers] != before[0]
    assert ([signal.getsignal(number) for number in numbers], sys.unraisablehook) == before


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there is no such signal here")
def test_a_signal_that_is_ignored_stays_so_as_under_nohup():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ended_by_signals(), stopped_by_signals() as stop:
            signal.raise_signal(signal.SIGHUP)
            assert not stop.is_set()
            signal.raise_signal(signal.SIGTERM)
            assert stop.is_set()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_note_that_nobody_can_read_any_more_ends_nothing(monkeypatch):
    reads, writes = os.pipe()
    os.close(reads)
    with open(writes, "w") as nobody:  # noqa: PTH123
        monkeypatch.setattr(sys, "stderr", nobody)
        Output().note("the show goes on")
        monkeypatch.undo()
        with contextlib.suppress(BrokenPipeError):
            nobody.close()


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="there are no such terminals here")
@pytest.mark.parametrize("as_json", [True, False])
def test_a_result_for_a_terminal_that_was_closed_is_as_one_for_a_pipe_that_was(as_json, monkeypatch):
    ours, theirs = os.openpty()
    os.close(ours)
    with open(theirs, "w") as closed:  # noqa: PTH123
        monkeypatch.setattr(sys, "stdout", closed)
        with pytest.raises(BrokenPipeError):
            Output(as_json=as_json).result({"a": 1}, lambda: "a")
        monkeypatch.undo()
        with contextlib.suppress(OSError):
            closed.close()


def test_an_interrupt_just_after_the_temporary_file_was_made_leaves_none(tmp_path, monkeypatch):
    really = os.open

    def interrupted(*arguments, **keywords):
        really(*arguments, **keywords)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "open", interrupted)
    with pytest.raises(KeyboardInterrupt), atomic_write(tmp_path / "out.wav"):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [KeyboardInterrupt(), Terminated(signal.SIGTERM)])
def test_an_interrupt_that_python_wraps_is_one(monkeypatch, capsys, kind):
    """`RuntimeError: Error calling __set_name__` is what Python up to 3.11 makes of one while a class is made."""

    def interrupted(_command):
        try:
            raise kind
        except BaseException as error:
            raise RuntimeError("Error calling __set_name__") from error

    monkeypatch.setattr(cli, "make_app", interrupted)
    assert cli.run(["predict"]) == (130 if isinstance(kind, KeyboardInterrupt) else 143)
    assert capsys.readouterr().err.count("\n") == 1


def test_an_error_that_was_raised_from_itself_is_told(monkeypatch, capsys):
    """What reads files passes an error on by `raise error from error`; what is behind it is asked once."""

    def refused(_command):
        error = InputError("x.json: not text in UTF-8 (byte 128)")
        raise error from error

    monkeypatch.setattr(cli, "make_app", refused)
    assert cli.run(["predict"]) == 2
    assert capsys.readouterr().err == "moodfader: x.json: not text in UTF-8 (byte 128)\n"


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_while_the_program_is_imported_is_one_line(name, code):
    program = f"""
import signal, sys
from moodfader.control import start

class Interrupts:
    def find_spec(self, name, *more):
        if name == "moodfader.control.cli":
            signal.raise_signal(signal.{name})

sys.meta_path.insert(0, Interrupts())
start.main()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == code
    assert done.stderr.startswith("moodfader: ")
    assert done.stderr.count("\n") == 1
