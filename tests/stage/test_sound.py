"""What is heard: the original beside the delta, the end of a show, a full disk, blocks that came late."""

import resource
import time
from pathlib import Path

import numpy as np
import pytest
from helpers import jack_server
from helpers.show import Show
from helpers.waiting import settled, until

RATE = 44100


def test_original_and_delta_together_are_not_silent(jack, long_song, tmp_path):
    with Show(long_song, backend="jack", **jack.environment) as show:
        show.until(lambda show: show.value("transport/position") > 0.5)
        show.presses("db")
        show.until(lambda show: show.value("delta") and show.value("bypass"))
        time.sleep(0.5)
        recorder = jack.recorder(tmp_path / "tape")
        assert recorder.stdout.readline().strip() == "connected"
        until(lambda: (tmp_path / "tape.f32").stat().st_size > RATE * 8)
        recorder.terminate()
        recorder.wait(60)
        show.sees("original (A/B)")
    noise = jack_server.Tape(tmp_path / "tape").samples[:, 0]
    assert np.abs(noise[len(noise) // 2 :]).mean() > 0.05, "it is silent"


def test_a_show_that_is_quit_by_key_fades_out(jack, long_song, tmp_path):
    with Show(long_song, backend="jack", **jack.environment) as show:
        recorder = jack.recorder(tmp_path / "tape")
        assert recorder.stdout.readline().strip() == "connected"
        show.until(lambda show: show.value("transport/position") > 1)
        show.presses("q")
        time.sleep(0.3)
        if show.process.poll() is None:
            show.presses("y")
        assert show.ends() == 0
    recorder.terminate()
    recorder.wait(60)
    noise = jack_server.Tape(tmp_path / "tape").samples[:, 0]
    end = np.flatnonzero(noise)[-1] + 1
    loudness = [float(np.abs(noise[end - k - 441 : end - k]).mean()) for k in range(0, 8820, 441)]  # backwards
    assert loudness[0] < 0.02, f"it ends at full level: {loudness[0]:.3f}"
    assert loudness[0] < loudness[6] < loudness[15]


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="needs Linux, to limit the files of a running program")
def test_a_disk_that_is_full_ends_the_recording_and_not_the_show(long_song, tmp_path):
    with Show(long_song, folder=tmp_path) as show:
        show.until(lambda show: show.recorded("transport/play"))
        resource.prlimit(show.process.pid, resource.RLIMIT_FSIZE, (2000, 2000))
        for number in range(60):
            show.set("master", -number / 10)
            time.sleep(0.03)
        stood = show.value("transport/position")
        show.until(lambda show: show.value("transport/position") > stood)
        text = settled(show.kept.read_text)
        assert text.endswith("}\n"), f"the last line is cut off: {text[-80:]!r}"
        assert 1500 < len(text) <= 2000
        show.sees("the recording ends here")


def test_blocks_that_come_late_are_counted_without_jack(long_song):
    with Show(long_song) as show:
        show.until(lambda show: show.value("transport/position") > 1)

        def lost(show):
            return show.value("meter/dropouts") + show.value("meter/late")

        before = settled(lambda: lost(show))
        with show.held_up():
            time.sleep(1)
        show.until(lambda show: lost(show) > before)


def test_the_first_move_of_a_fader_loads_nothing_into_the_processes_that_make_sound(tmp_path, pulses):
    """What is imported in the middle of a show costs the sound a block."""

    def libraries(process):
        maps = Path(f"/proc/{process}/maps").read_text().splitlines()
        return {line.split()[-1] for line in maps if ".so" in line}

    with Show(pulses(tmp_path / "song.wav", 3.0), "--paused", folder=tmp_path) as show:
        show.until(lambda show: show.recorded("track/ready"))
        show.set("transport/play", 1)
        show.until(lambda show: show.value("transport/position") > 0.2)
        makers = [one for one in show.children() if not any("torch" in name for name in libraries(one))]
        assert makers
        before = {one: libraries(one) for one in makers}
        show.set("midlevel/modality", 6.0)
        show.until(lambda show: show.recorded("midlevel/modality"))
        time.sleep(1)
        loaded = {name for one in makers for name in libraries(one) - before[one]}
    assert not loaded
