"""Every module of the package can be imported: one that no other imports at the top is not found broken by a user."""

import importlib
import pkgutil

import moodfader
import pytest

_LEFT_OUT = ("tests", "docs", "presets")


def test_every_module_is_imported():
    names = [
        module.name
        for module in pkgutil.walk_packages(moodfader.__path__, "moodfader.")
        if module.name.split(".")[1] not in _LEFT_OUT
    ]
    assert len(names) > 300
    for name in names:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or error.name.split(".")[0] in ("moodfader", "numpy", "torch"):
                raise
        except OSError as error:  # (a library of the system, such as PortAudio)
            if not any(extra in str(error).lower() for extra in ("portaudio", "jack", "library")):
                raise


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["evaluate", "--steering", "gone.wav"], "gone.wav: no such file"),
        (["train", "-o", ".", "--table", "t.csv"], "ends in .safetensors"),
        (["train", "-o", "m.safetensors", "--consistency", "nan"], "consistency nan"),
        (["train", "-o", "m.safetensors", "--consistency", "inf"], "consistency inf"),
        (["train", "-o", "m.safetensors", "--threads", "100000"], "threads 100000: at most"),
        (["train", "-o", "m.safetensors", "--synthetic-clips", "-1"], "--synthetic-clips -1"),
        (["listen-test", "lt", "SONG", "--set", "modality=0", "--question", "modality"], "0 dB moves nothing"),
        (["listen-test", "lt", "SONG", "--set", "modality=0"], "0 dB moves nothing"),
    ],
)
def test_slips_of_research_commands_are_one_line(capsys, song, tmp_path, monkeypatch, arguments, words):
    from moodfader.control.cli import run

    monkeypatch.chdir(tmp_path)
    assert run([str(song) if word == "SONG" else word for word in arguments]) == 2
    shown = capsys.readouterr()
    (line,) = shown.err.splitlines()
    assert words in line
    assert list(tmp_path.iterdir()) == []
