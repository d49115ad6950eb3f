"""Set list files: what is read of playlists and of our own, and that what is wrong with one is said in one line."""

import random
import shutil
from pathlib import Path

import pytest
from moodfader.control.cli import run
from moodfader.control.set_lists.set_list import read_set_list
from moodfader.models.common.errors import InputError

DEMO = Path(__file__).parents[2] / "presets" / "demo.ogg"
HEAD = 'format = "moodfader set list"\nversion = 1\n'
FULL = (
    HEAD
    + """
[[track]]
file = "a.ogg"
title = "Opening"
preset = "dolce"
cues = { 1 = 12.5, 9 = 3 }

[[track.snapshot]]
slot = 2
name = "Chorus"
faders = { dissonance = 6, modality = -3.5 }
wet = 0.5

[[track.snapshot]]
slot = 3
targets = { tender = 0.1 }

[[track]]
file = "b c.ogg"
"""
)


@pytest.fixture
def folder(tmp_path):
    for name in ("a.ogg", "b c.ogg", "ü.ogg"):
        shutil.copy(DEMO, tmp_path / name)
    return tmp_path


def read(path, text):
    path.write_text(text, encoding="utf-8")
    return read_set_list([path])


def test_a_playlist_of_another_program_is_read(folder):
    text = f"#EXTM3U\r\n#EXTINF:45,Somebody - Opening\r\na.ogg\r\n\r\n# a remark\r\n{folder / 'ü.ogg'}\r\n"
    text += f"#EXTINF:1\r\nfile://{folder}/b%20c.ogg\r\n"
    tracks = read(folder / "set.m3u8", "\ufeff" + text)
    assert [track.file.name for track in tracks] == ["a.ogg", "ü.ogg", "b c.ogg"]
    assert [track.shown for track in tracks] == ["Somebody - Opening", "ü", "b c"]


def test_a_playlist_from_windows_or_a_mac_finds_its_files(folder):
    (folder / "sets").mkdir()
    shutil.move(folder / "a.ogg", folder / "sets" / "a.ogg")
    tracks = read(folder / "set.m3u8", "sets\\a.ogg\r\nu\u0308.ogg\r\n")  # (the accent is a letter of its own)
    assert [track.file for track in tracks] == [folder / "sets" / "a.ogg", folder / "ü.ogg"]
    (folder / "old.m3u").write_bytes("#EXTM3U\r\n#EXTINF:1,Für\r\nü.ogg\r\n".encode("cp1252"))
    (track,) = read_set_list([folder / "old.m3u"])
    assert (track.file.name, track.shown) == ("ü.ogg", "Für")


def test_our_own_has_presets_cues_and_snapshots(folder):
    first, second = read(folder / "show.toml", FULL)
    assert (first.file, first.shown, second.shown) == (folder / "a.ogg", "Opening", "b c")
    assert first.settings.preset == "dolce"
    assert first.settings.cues == {1: 12.5, 9: 3.0}
    chorus = first.settings.snapshots[2]
    assert (chorus.name, chorus.track, chorus.snapshot.wet) == ("Chorus", 0, 0.5)
    assert chorus.snapshot.faders_db == (0, 0, 0, 0, 6.0, 0, -3.5)
    assert first.settings.snapshots[3].snapshot.targets == {"tender": 0.1}
    assert first.settings.snapshots[3].track == -1  # its targets are not solved for this track
    assert second.settings.preset == ""
    assert not second.settings.cues


def test_lists_and_files_can_be_given_together(folder):
    (folder / "one.m3u8").write_text("a.ogg\n")
    (folder / "two.toml").write_text(FULL)
    tracks = read_set_list([folder / "one.m3u8", folder / "ü.ogg", folder / "two.toml"])
    assert [track.file.name for track in tracks] == ["a.ogg", "ü.ogg", "a.ogg", "b c.ogg"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no track"),
        ("#EXTM3U\n", "no track"),
        ("missing.ogg", "line 1: there is no file 'missing.ogg'"),
        ("a.ogg\n\n../nowhere/a.ogg", "line 3"),
        ("http://radio.example/stream", "not on this machine"),
        ("file://elsewhere/a.ogg", "not on this machine"),
        ("a.ogg\0", "there is no file"),
        ("a.ogg\n" * 2001, "more than 2000"),
        ("x" * (5 << 20), "larger than"),
    ],
)
def test_what_is_wrong_with_a_playlist_is_one_line(folder, text, said):
    refused(folder / "set.m3u8", text, said)


def refused(path, text, said):
    with pytest.raises(InputError, match=said) as caught:
        read(path, text)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 900


def track(more):
    return HEAD + '[[track]]\nfile = "a.ogg"\n' + more


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[track]", "not a TOML"),
        ('version = 1\n[[track]]\nfile = "a.ogg"\n', "no set list"),
        (HEAD.replace("1", "2"), "version 2"),
        (HEAD.replace("1", "true"), "version True"),
        (HEAD, "a \\[\\[track\\]\\] for each"),
        (HEAD + "track = 3", "for each"),
        (HEAD + "colour = 3\n" + '[[track]]\nfile = "a.ogg"\n', "nothing else"),
        (HEAD + "[[track]]\ntitle = 'x'\n", "track 1: it has no file"),
        (HEAD + "[[track]]\nfile = 3\n", "track 1: file"),
        (HEAD + '[[track]]\nfile = "none.ogg"\n', "track 1: there is no file 'none.ogg'"),
        (track("colour = 1"), "no field 'colour'"),
        (track('preset = "dolse"'), "did you mean dolce"),
        (track("cues = 3"), "no cue points"),
        (track("cues = { 0 = 3 }"), "cue 0"),
        (track("cues = { 1 = -3 }"), "cue 1 at -3"),
        (track("cues = { 1 = nan }"), "finite"),
        (track("snapshot = 3"), "at most 9"),
        (track("[[track.snapshot]]\nslot = 10"), "slot 10"),
        (track("[[track.snapshot]]\nname = 'x'"), "slot None"),
        (track("[[track.snapshot]]\nslot = 1\n[[track.snapshot]]\nslot = 1"), "one slot"),
        (track("[[track.snapshot]]\nslot = 1\nfaders = { loudness = 3 }"), "no fader 'loudness'"),
        (track("[[track.snapshot]]\nslot = 1\nfaders = { modality = 13 }"), "modality at 13"),
        (track("[[track.snapshot]]\nslot = 1\nfaders = { modality = 'x' }"), "no number"),
        (track("[[track.snapshot]]\nslot = 1\ntargets = { tender = 0.3 }"), "target tender"),
        (track("[[track.snapshot]]\nslot = 1\nwet = 2"), "wet 2"),
        (track("[[track.snapshot]]\nslot = 1\nname = '" + "x" * 50 + "'"), "name"),
        (track('title = "' + "x" * 300 + '"'), "title"),
        (HEAD + '[[track]]\nfile = "a.ogg"\n' * 2001, "more than 2000"),
        ("x = " + "[" * 5000, "nested"),
    ],
)
def test_what_is_wrong_with_a_set_list_is_one_line(folder, text, said):
    refused(folder / "show.toml", text, said)


def test_mutated_set_lists_are_read_or_refused_in_one_line(folder):
    chance, good = random.Random(3), FULL.encode()
    pieces = [b"\xff", b"[", b"]", b"{", b'"', b"=", b"\n", b"nan", b"-1", b"9" * 400, b"\0", b"../", b"1e999"]
    for number in range(400):
        text = bytearray(good)
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(len(text))
            text[at : at + chance.randrange(6)] = chance.choice(pieces)
        path = folder / ("x.toml" if number % 2 else "x.m3u8")
        path.write_bytes(text)
        said = refusal(path)
        assert "\n" not in said


def refusal(path):
    """Why a list is not read; empty if it is."""
    try:
        read_set_list([path])
    except InputError as error:
        return str(error)
    return ""


def test_play_without_files_says_what_it_wants(capfd):
    assert run(["play", "--backend", "null", "--no-osc"]) == 2
    assert "which files?" in capfd.readouterr().err


def test_play_names_what_is_wrong_with_a_set_list(folder, capfd):
    (folder / "show.toml").write_text(track('preset = "dolse"'))
    assert run(["play", str(folder / "show.toml"), "--backend", "null", "--no-osc"]) == 2
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert "did you mean dolce" in said
