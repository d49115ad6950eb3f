"""The README's commands are run, in its order, and print what it shows (numbers apart)."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()


def console_blocks() -> list[tuple[str, str]]:
    """(command, shown output) of every console block that calls the program."""
    blocks = re.findall(r"```console\n(.*?)```", README, re.S)
    return [tuple(block.split("\n", 1)) for block in blocks if block.startswith("$ moodfader ")]


def masked(text: str) -> list[str]:
    """Lines without their numbers, bars and blanks: another processor may differ in the last digit."""
    lines = (re.sub(r"[-+]?[\d.:]+|█+|\s+", "", line) for line in text.splitlines())
    return [line for line in lines if line]


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with song.ogg in it, as the README supposes, and an environment of its own."""
    folder = tmp_path_factory.mktemp("desk")
    shutil.copy(ROOT / "presets" / "demo.ogg", folder / "song.ogg")
    environment = {**os.environ, "COLUMNS": "100", "MOODFADER_CONFIG": str(folder / "configuration")}
    return folder, environment


def test_every_command_prints_what_the_readme_shows(desk):
    folder, environment = desk
    blocks = console_blocks()
    assert len(blocks) >= 7
    for command, shown in blocks:
        arguments = shlex.split(command.removeprefix("$ moodfader "))
        run = subprocess.run(
            [sys.executable, "-m", "moodfader.control.cli", *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        wrong = shown.startswith("moodfader: ")
        assert run.returncode == (2 if wrong else 0), f"{command}: {run.stderr}"
        printed = run.stderr if wrong else run.stdout
        if "--json" in arguments:
            assert shape(json.loads(printed)) == shape(json.loads(shown)), command
            continue
        left = iter(masked(printed))
        for line in masked(shown):
            assert any(line == other for other in left), f"{command} does not print: {line}"


def shape(value):
    return {key: shape(part) for key, part in value.items()} if isinstance(value, dict) else type(value)


def test_the_python_example_runs(desk):
    folder, environment = desk
    (code,) = re.findall(r"```python\n(.*?)```", README, re.S)
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    before, after = map(float, run.stdout.split())
    assert after > before, "more dissonance and less of a tune are more tension"


def test_what_the_readme_points_at_is_there():
    for target in re.findall(r"\]\((?!http|#)([^)]+)\)", README):
        assert (ROOT / target).exists(), target
