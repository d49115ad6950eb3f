"""Libraries of short tracks, and the program as a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from batch.library import write_tracks
from moodfader.control import cli

PROGRAM = (sys.executable, "-m", "moodfader.control.cli", "batch")


@pytest.fixture(scope="session")
def library(tmp_path_factory) -> Path:
    """Twelve tracks of one to two seconds in two folders, all different."""
    folder = tmp_path_factory.mktemp("library") / "music"
    write_tracks(folder, 12, folders=2)
    return folder


@pytest.fixture
def batch(model_file, capfd) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a batch with an untrained network to its end.

    In this process, whose server of workers has its modules imported already; one with an environment of its own is a
    process of its own.
    """

    def run(*arguments: object, code: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
        words = ["batch", *map(str, arguments), "--model", model_file]
        if environment:
            command = [*PROGRAM, *words[1:]]
            variables = {**os.environ, **environment}
            done = subprocess.run(command, capture_output=True, text=True, check=False, env=variables)
        else:
            capfd.readouterr()
            ended = cli.run(words)
            done = subprocess.CompletedProcess(words, ended, *capfd.readouterr())
        assert done.returncode == code, done.stderr + done.stdout
        assert "Traceback" not in done.stderr, done.stderr
        return done

    return run


@pytest.fixture
def started(model_file):
    """Start a batch as a process; it is ended with the test."""
    running = []

    def start(*arguments: object, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*PROGRAM, *map(str, arguments), "--model", model_file],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )
        running.append(process)
        return process

    yield start
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


def rows(folder: Path) -> list[dict]:
    """Rows of results.jsonl."""
    return [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]
