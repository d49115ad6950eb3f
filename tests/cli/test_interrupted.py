"""A full disk and Ctrl-C: one line, and what was there before is there still."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

RATE = 22050


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", **more}


def program(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "moodfader.control.cli", *map(str, arguments)]


def test_a_full_disk(song, model_file, analysis_file, place):
    """A file system of 128 kB if this user may mount one; else the system's limit on the size of a file."""
    common = ["--model", model_file, "--analysis", analysis_file, "--set", "modality=3", "--bit-depth", "float"]
    command = program("render", song, "-o", place / "out.wav", *common)
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(place)]
    mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        limit = [] if mounted else ["sh", "-c", 'ulimit -f 64; trap "" XFSZ; exec "$@"', "sh"]
        done = subprocess.run([*limit, *command], capture_output=True, text=True, check=False, env=environment())
        assert done.returncode == 2, done.stderr
        assert done.stdout == ""
        assert done.stderr.count("\n") == 1
        assert str(place / "out.wav") in done.stderr
        assert list(place.iterdir()) == []
    finally:
        if mounted:
            subprocess.run(["umount", str(place)], check=True)


@pytest.fixture(scope="module")
def long_song(tmp_path_factory, noise, quick_analysis) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("long")
    path = folder / "long.wav"
    soundfile.write(path, np.tile(noise(30.0, channels=2), (8, 1)), RATE)
    return path, quick_analysis(path, folder / "long.npz")


@pytest.mark.parametrize("overwrite", [False, True])
def test_an_interrupted_render_leaves_nothing(overwrite, long_song, model_file, place):
    path, analysis = long_song
    output = place / "out.wav"
    if overwrite:
        output.write_bytes(b"as it was")
    command = program(
        "render", path, "-o", output, "--model", model_file, "--analysis", analysis, "--set", "modality=6"
    )
    if overwrite:
        command.append("--overwrite")
    for _ in range(5):  # (it may be done before it is interrupted, where this process has to wait for a processor)
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
            waited_for(lambda: [p for p in place.iterdir() if p != output and p.stat().st_size > 0], running)
            running.send_signal(signal.SIGINT)
            output_text, complaint = running.communicate(timeout=60)
        if running.returncode != 0:
            break
        output.write_bytes(b"as it was") if overwrite else output.unlink()
    assert running.returncode == 130, complaint
    assert output_text == ""
    assert complaint == "moodfader: interrupted\n"
    assert [p.read_bytes() for p in place.iterdir()] == ([b"as it was"] if overwrite else [])


def test_an_interrupted_analysis_leaves_nothing(long_song, model_file, place):
    command = program("analyze", long_song[0], "--model", model_file, "--passes", "100000")
    cache = environment(MOODFADER_CACHE=str(place))
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=cache) as running:
        assert waited_for(lambda: (place / "analyses").is_dir(), running)
        time.sleep(1)
        running.send_signal(signal.SIGINT)
        output_text, complaint = running.communicate(timeout=120)
    assert (running.returncode, output_text, complaint) == (130, "", "moodfader: interrupted\n")
    assert [p for p in place.rglob("*") if p.is_file()] == []


def test_the_exit_code_is_that_of_an_interrupt_wherever_it_comes():
    """Python ends itself by the signal where the interrupt came while it executed text, as in many imports."""
    code = """
from moodfader.control import cli

def run(arguments):
    try:
        exec("raise KeyboardInterrupt")
    except KeyboardInterrupt:
        return cli.INTERRUPTED

cli.run = run
cli.main()
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 130


def waited_for(happened, running: subprocess.Popen, seconds: float = 120):
    """What `happened` says as soon as it says something, or nothing if the program ends first."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and running.poll() is None:
        if found := happened():
            return found
        time.sleep(0.002)
    return None
