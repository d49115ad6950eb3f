"""Presets: those that ship, the user's own, and what is refused."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moodfader.control.cli import run
from moodfader.control.session.presets import (
    available_presets,
    find_preset,
    read_preset,
    save_preset,
    user_preset_dir,
)
from moodfader.engine import Faders
from moodfader.models.common.constants import MIDLEVEL
from moodfader.models.common.errors import InputError


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MOODFADER_CONFIG", str(tmp_path / "config"))


def test_shipped_presets_are_usable_and_differ():
    found = [find_preset(name) for name in available_presets()]
    assert 6 <= len(found) <= 10
    for preset in found:
        assert not Faders.from_mapping(preset.gains_db).is_neutral, preset.name
        assert preset.summary.endswith("."), preset.name
        assert not preset.is_user
    assert len({tuple(sorted(preset.gains_db.items())) for preset in found}) == len(found)


@given(gains=st.dictionaries(st.sampled_from(MIDLEVEL), st.floats(-12, 12), min_size=1), summary=st.text(max_size=60))
def test_what_is_saved_is_read_again(gains, summary):
    saved = save_preset("mine", gains, summary=summary.encode("utf-8", "ignore").decode(), overwrite=True)
    assert dict(find_preset("mine").gains_db) == gains
    assert find_preset("mine") == saved
    assert saved.is_user


def test_own_presets_hide_shipped_ones(capsys):
    assert run(["presets", "save", "dolce", "--set", "modality=-3", "--summary", "Mine [dim] it is."]) == 0
    assert find_preset("dolce").gains_db == {"modality": -3.0}
    capsys.readouterr()
    assert run(["presets", "list", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["name"] for line in lines] == sorted(available_presets())
    dolce = next(line for line in lines if line["name"] == "dolce")
    assert dolce["gains_db"] == {**dict.fromkeys(MIDLEVEL, 0.0), "modality": -3.0}
    assert run(["presets", "show", "dolce"]) == 0
    assert "Mine [dim] it is." in capsys.readouterr().out  # brackets are the user's, not markup


def test_save_starts_from_another(capsys):
    assert run(["presets", "save", "mine", "--from", "dolce", "--set", "dissonance=0"]) == 0
    shipped = dict(find_preset("dolce").gains_db)
    assert find_preset("mine").gains_db == {**shipped, "dissonance": 0.0}


@pytest.mark.parametrize("name", ["../escape", "a/b", "", ".hidden", "a b", "x" * 65, "-option", "naïve", "con\n"])
def test_names_cannot_leave_the_folder(name):
    with pytest.raises(InputError, match="letters, digits"):
        save_preset(name, {"modality": 1.0})
    assert not user_preset_dir().exists()


def test_own_presets_are_replaced_only_when_told(capsys):
    save_preset("mine", {"modality": 1.0})
    assert run(["presets", "save", "mine", "--set", "modality=2"]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert find_preset("mine").gains_db == {"modality": 1.0}
    assert run(["presets", "save", "mine", "--set", "modality=2", "--overwrite"]) == 0
    assert find_preset("mine").gains_db == {"modality": 2.0}
    assert [path.name for path in user_preset_dir().iterdir()] == ["mine.toml"]


def test_a_preset_given_as_a_file_is_told_where_presets_are(refused, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[gains_db]\nmodality = 3\n")
    line = "presets go by name; copied to", user_preset_dir(), "--preset mine"
    refused(["render", tmp_path / "a.wav", "-o", tmp_path / "b.wav", "--preset", path], *line, place=tmp_path)


def test_a_near_miss_is_guessed():
    with pytest.raises(InputError, match="did you mean agitato"):
        find_preset("agitatto")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gains_db = [", "not a TOML file"),
        ('summary = "no gains"', "a table"),
        ("[gains_db]\nmelody = 3", "melody"),
        ("[gains_db]\nmodality = 13", "out of range"),
        ("[gains_db]\nmodality = nan", "not a finite number"),
        ('[gains_db]\nmodality = "3"', "not a number"),
        ("[gains_db]\nmodality = true", "not a number"),
        ("gain = 3\n[gains_db]\nmodality = 1", "nothing else"),
    ],
)
def test_broken_presets_say_what_is_wrong(text, said, tmp_path):
    path = tmp_path / "odd.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=said) as refused:
        read_preset(path)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_own_preset_with_a_name_that_cannot_be_loaded_is_named(capsys):
    folder = user_preset_dir()
    folder.mkdir(parents=True, exist_ok=True)
    odd = folder / "My Preset.toml"
    odd.write_text("[gains_db]\nmodality = 3\n")
    try:
        assert run(["presets", "list"]) == 2
        shown = capsys.readouterr()
        assert "My Preset.toml" in shown.err
        assert "letters, digits" in shown.err
        assert "dolce" in shown.out
    finally:
        odd.unlink()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_among_the_presets_does_not_hold_the_list_up(capsys):
    folder = user_preset_dir()
    folder.mkdir(parents=True, exist_ok=True)
    os.mkfifo(folder / "pipe.toml")
    try:
        assert run(["presets", "list"]) == 2
        assert "it is a pipe" in capsys.readouterr().err
    finally:
        (folder / "pipe.toml").unlink()
