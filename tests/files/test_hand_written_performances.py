"""Performances written or changed by hand: what has no effect is said, what plays nothing is no file."""

import json
import struct

import av
import pytest
import soundfile
from files.conftest import RATE, plucked

HEAD = {
    "format": "moodfader-performance",
    "version": 1,
    "sample_rate": 22050,
    "channels": 1,
    "ceiling_dbtp": -1.0,
    "tracks": ["a.wav"],
    "faders": "decoupled",
}
PLAY = {"at": 0, "address": "/moodfader/transport/play", "value": 1}
END = {"at": 22050, "end": True}


@pytest.fixture
def performance(tmp_path, sound):
    """The arguments that render lines of a performance of a second of sound."""

    def made(*lines, **head):
        path = tmp_path / "show.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in ({**HEAD, **head}, *lines)))
        return ["render", sound("a.wav"), "-o", tmp_path / "out.wav", "--automation", path]

    return made


def change(address, value, at=100):
    return {"at": at, "address": f"/moodfader/{address}", "value": value}


def test_an_address_with_a_slip_is_named(program, performance):
    ended = program(*performance(PLAY, change("midlevl/modality", 6), END))
    assert ended.code == 0, ended.err
    assert "/moodfader/midlevl/modality" in ended.err


def test_faders_that_act_on_nothing_are_told(program, performance):
    ended = program(*performance(PLAY, change("midlevel/modality", 6), END))
    assert ended.code == 0, ended.err
    assert "faders move, but no line with /moodfader/track/ready" in ended.err


def test_an_ordinary_performance_has_no_notes(program, performance):
    assert program(*performance(PLAY, change("master", -3.0), change("fade_out", 0.2, at=900), END)).err == ""


def test_a_performance_in_which_nothing_plays_is_no_file(program_line, performance, tmp_path):
    assert "nothing is played" in program_line(*performance())
    assert not (tmp_path / "out.wav").exists()


@pytest.mark.parametrize("value", ["x", -1, None, 1e30])
def test_a_fade_that_is_none_is_refused(program_line, performance, value):
    assert "line 3: /moodfader/fade_out is" in program_line(*performance(PLAY, change("fade_out", value), END))


def test_faders_of_an_unknown_kind_are_refused(program_line, performance):
    assert "coupled or decoupled, not 'free'" in program_line(*performance(PLAY, END, faders="free"))


QUAD, FRONT_AND_BACK = 0x33, 0x107


@pytest.fixture
def surround(tmp_path):
    """Write a plucked sound of four channels that names its loudspeakers."""

    def made(name, mask):
        path = tmp_path / name
        soundfile.write(path, plucked(1.2, 4), RATE, format="WAVEX")
        content = bytearray(path.read_bytes())
        at = content.index(b"fmt ") + 8 + 20
        content[at : at + 4] = struct.pack("<I", mask)
        path.write_bytes(content)
        return path

    return made


def played(path, tracks):
    head = {**HEAD, "channels": 4, "tracks": [str(track) for track in tracks]}
    path.write_text("".join(json.dumps(line) + "\n" for line in (head, PLAY, END)))
    return path


@pytest.mark.parametrize(
    ("others", "layout"),
    [((), "4.0"), ((("b.wav", FRONT_AND_BACK),), "4.0"), ((("b.wav", QUAD),), "quad")],
    ids=["alone", "alike", "they differ"],
)
@pytest.mark.parametrize("ending", ["wav", "flac"])
def test_loudspeakers_of_a_performance_are_those_of_its_tracks(program, surround, tmp_path, others, layout, ending):
    tracks = [surround("a.wav", FRONT_AND_BACK), *(surround(*other) for other in others)]
    output = tmp_path / f"out.{ending}"
    depth = ("--bit-depth", "24")
    ended = program("render", tracks[0], "-o", output, "--automation", played(tmp_path / "s.jsonl", tracks), *depth)
    assert ended.code == 0, ended.err
    with av.open(str(output)) as container:
        assert container.streams.audio[0].codec_context.layout.name == layout


def test_a_mono_track_leaves_the_loudspeakers_of_the_others(program, surround, sound, tmp_path):
    tracks = [surround("a.wav", FRONT_AND_BACK), sound("mono.wav")]
    output = tmp_path / "out.wav"
    ended = program("render", tracks[0], "-o", output, "--automation", played(tmp_path / "s.jsonl", tracks))
    assert ended.code == 0, ended.err
    with av.open(str(output)) as container:
        assert container.streams.audio[0].codec_context.layout.name == "4.0"


def test_a_performance_is_no_ogg_where_ogg_cannot_name_its_loudspeakers(program_line, surround, tmp_path):
    track = surround("a.wav", FRONT_AND_BACK)
    output = tmp_path / "out.ogg"
    line = program_line("render", track, "-o", output, "--automation", played(tmp_path / "s.jsonl", [track]))
    assert "loudspeakers" in line
    assert not output.exists()


def test_a_track_of_more_channels_than_were_played_is_told_so(program_line, surround, tmp_path):
    track = surround("a.wav", FRONT_AND_BACK)
    head = {**HEAD, "channels": 2, "tracks": [str(track)]}
    show = tmp_path / "s.jsonl"
    show.write_text("".join(json.dumps(line) + "\n" for line in (head, PLAY, END)))
    line = program_line("render", track, "-o", tmp_path / "out.wav", "--automation", show)
    assert line.endswith("it has 4 channels, the performance was played with 2")
