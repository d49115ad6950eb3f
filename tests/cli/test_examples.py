"""The examples in docstrings are run, in a folder with a short song.ogg in it."""

import doctest
import importlib
from pathlib import Path

import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).parents[2]
RATE = 22050


def modules_with_examples() -> list[str]:
    """Names of all modules whose text has an example."""
    paths = [path for folder in ("models", "engine", "control") for path in sorted((ROOT / folder).rglob("*.py"))]
    found = [path for path in (ROOT / "__init__.py", *paths) if ">>> " in path.read_text(encoding="utf-8")]
    names = [".".join(("moodfader", *path.relative_to(ROOT).with_suffix("").parts)) for path in found]
    return [name.removesuffix(".__init__") for name in names]


@pytest.fixture(scope="module")
def song(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("examples") / "song.ogg"
    time = np.arange(RATE) / RATE
    chord = sum(np.sin(2 * np.pi * hertz * time) for hertz in (220, 277.2, 329.6))
    soundfile.write(path, 0.15 * chord * np.exp(-6 * (time % 0.5)), RATE)
    return path


@pytest.mark.parametrize("name", modules_with_examples())
def test_what_an_example_shows_is_so(name, song, monkeypatch):
    monkeypatch.chdir(song.parent)
    module = importlib.import_module(name)
    found = doctest.testmod(module)
    assert found.attempted
    assert found.failed == 0  # (what differs is printed)


def test_no_example_is_left_out():
    for name in modules_with_examples():
        assert "+SKIP" not in Path(importlib.import_module(name).__file__).read_text(encoding="utf-8"), name
