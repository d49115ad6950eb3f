"""Sound files that are cut off, damaged in the middle, or something else: told in one line."""

import json
from fractions import Fraction

import av
import numpy as np
import pytest
import soundfile
from files.conftest import RATE, plucked
from moodfader.engine.audio.containers.declared_length import declared_end


def encoded(path, codec: str, container: str | None = None, streams: int = 1):
    """Write two seconds as FFmpeg does; `streams` of them beside each other."""
    with av.open(str(path), "w", format=container) as output:
        for stream in [output.add_stream(codec, rate=48000, layout="mono") for _ in range(streams)]:
            stream.bit_rate = 64000
            samples = plucked(2.0, rate=48000).T
            kinds = stream.codec_context.codec.audio_formats
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 48000, 0, Fraction(1, 48000)
            resampler = av.AudioResampler(format=kinds[0].name, rate=48000, frame_size=stream.frame_size or 4096)
            for part in [*resampler.resample(frame), *resampler.resample(None), None]:
                for packet in stream.encode(part):
                    output.mux(packet)
    return path


def cut(path, fraction: float = 0.5):
    content = path.read_bytes()
    path.write_bytes(content[: round(len(content) * fraction)])
    return path


@pytest.mark.parametrize(
    ("name", "codec", "container"),
    [
        ("a.mkv", "flac", None),
        ("a.webm", "libopus", None),
        ("a.au", "pcm_s16be", "au"),
        ("a.w64", "pcm_s16le", "w64"),
        ("a.caf", "pcm_s16le", "caf"),
        ("a.avi", "pcm_s16le", "avi"),
        ("a.wma", "wmav2", "asf"),
        ("a.tta", "tta", "tta"),
    ],
)
def test_half_a_file_of_any_container_is_refused_as_truncated(
    program, program_line, tmp_path, name, codec, container
):
    path = encoded(tmp_path / name, codec, container)
    whole = program("predict", path, "--json")
    assert whole.code == 0, whole.err
    assert json.loads(whole.out)["duration_s"] == pytest.approx(2.0, abs=0.06)
    assert "truncated" in program_line("predict", cut(path))


def test_half_an_rf64_is_refused_as_truncated(program, program_line, tmp_path):
    path = tmp_path / "long.wav"
    soundfile.write(path, plucked(2.0), RATE, format="RF64")
    assert program("predict", path).code == 0
    assert "truncated" in program_line("predict", cut(path))


@pytest.mark.parametrize("name", ["a.webm", "a.mkv"])
def test_a_recording_of_a_browser_that_states_no_length_is_read(program, tmp_path, name):
    path = encoded(tmp_path / name, "libopus")
    content = bytearray(path.read_bytes())
    at = content.index(b"\x18\x53\x80\x67") + 4
    content[at : at + 8] = b"\x01" + b"\xff" * 7  # a segment of unknown size
    path.write_bytes(content[: len(content) * 3 // 4])
    assert program("predict", path).code == 0


def test_a_wav_of_a_recorder_that_stopped_between_two_headers_says_what_is_left_out(program, sound):
    path = sound("stopped.wav")
    content = bytearray(path.read_bytes())
    content[40:44] = (44100).to_bytes(4, "little")  # one second
    path.write_bytes(content)
    ended = program("predict", path, "--json")
    assert json.loads(ended.out)["duration_s"] == 1.0
    assert "44,100 bytes behind the sound" in ended.err
    content[-44100 - 8 : -44100] = b"LIST" + (44100).to_bytes(4, "little")  # (a large tag is none of this)
    content[40:44] = (44100 - 8).to_bytes(4, "little")
    path.write_bytes(content + b"\0\0")
    assert "bytes behind" not in program("predict", path, "--json").err


def test_an_mp3_damaged_in_the_middle_is_read_with_a_note(program, sound):
    path = sound("scratched.mp3", 6.0, rate=44100)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 300] = np.random.default_rng(0).bytes(300)
    path.write_bytes(content)
    ended = program("predict", path, "--json")
    assert ended.code == 0, ended.err
    assert 5.7 < json.loads(ended.out)["duration_s"] < 6.1
    (line,) = ended.err.splitlines()  # (the decoder's own complaints are not shown)
    assert "damaged at byte" in line


def test_an_mp3_with_tags_and_padding_around_it_is_not_damaged(program, sound):
    path = sound("tagged.mp3", 3.0, rate=44100)
    plain = json.loads(program("predict", path, "--json").out)["duration_s"]
    tag = b"ID3\x04\0\0\0\0\0\x0a" + bytes(10)
    path.write_bytes(tag + tag + path.read_bytes() + bytes(4000) + b"TAG" + bytes(125))
    ended = program("predict", path, "--json")
    assert json.loads(ended.out)["duration_s"] == pytest.approx(plain, abs=0.06)
    assert ended.err == ""


@pytest.mark.parametrize("content", [b"\xff" * 50_000, np.random.default_rng(2).bytes(90_000)])
@pytest.mark.parametrize("name", ["noise.mp3", "noise.wav", "noise.ogg"])
def test_noise_with_the_name_of_a_sound_file_is_one_line(program, tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    ended = program("predict", path)
    assert ended.code == 2
    (line,) = ended.err.splitlines()
    assert "not a sound file" in line


@pytest.mark.parametrize(
    ("beginning", "kind"),
    [(b"MThd\0\0\0\6", "MIDI"), (b"PK\3\4", "zip"), (b"%PDF-1.7", "PDF"), (b"\x89PNG", "picture")],
)
def test_a_file_of_another_kind_is_called_what_it_is(program_line, tmp_path, beginning, kind):
    path = tmp_path / "song.mp3"
    path.write_bytes(beginning + np.random.default_rng(0).bytes(2000))
    assert kind in program_line("predict", path)


def test_an_m4a_named_mp3_is_read_without_a_word_of_the_decoder(program, tmp_path):
    path = encoded(tmp_path / "a.m4a", "aac").rename(tmp_path / "a.mp3")
    ended = program("predict", path, "--json")
    assert json.loads(ended.out)["duration_s"] == 2.0
    assert ended.err == ""


def test_of_two_sounds_in_one_file_a_note_says_which_is_read(program, tmp_path):
    path = encoded(tmp_path / "film.mka", "flac", "matroska", streams=2)
    ended = program("predict", path)
    assert ended.code == 0
    assert "2 sounds are in it" in ended.err


def test_a_sound_just_below_a_second_is_not_said_to_last_one(program_line, tmp_path):
    path = tmp_path / "short.wav"
    soundfile.write(path, plucked(2.0)[: RATE - 1], RATE)
    assert "0.999 s" in program_line("predict", path)


@pytest.mark.parametrize("channels", [1, 2])
def test_a_click_alone_is_not_blamed_on_a_channel(program_line, tmp_path, channels):
    path = tmp_path / "click.wav"
    sound = np.zeros((2 * RATE, channels), np.float32)
    sound[RATE] = 1
    soundfile.write(path, sound, RATE)
    line = program_line("predict", path)
    assert "clicks apart" in line
    assert "channel" not in line


def test_a_channel_turned_upside_down_is_named(program_line, tmp_path):
    path = tmp_path / "wired_wrongly.wav"
    soundfile.write(path, plucked(2.0, 2) * np.float32([1, -1]), RATE)
    assert "upside down" in program_line("predict", path)


def test_a_sound_that_is_too_high_for_the_network_is_said_to_be(program_line, tmp_path):
    path = tmp_path / "whistle.wav"
    time = np.arange(3 * 96_000) / 96_000
    soundfile.write(path, 0.5 * np.sin(2 * np.pi * 30_000 * time) * np.hanning(len(time)), 96_000)
    assert "above 11 kHz" in program_line("predict", path)


def test_a_short_sound_between_silence_is_analysed_and_rendered(program, tmp_path, model_file):
    path = tmp_path / "door.wav"
    sound = np.zeros((6 * RATE, 1), np.float32)
    sound[3 * RATE : 3 * RATE + 2000] = plucked(2000 / RATE)
    soundfile.write(path, sound, RATE)
    ended = program(
        *("render", path, "-o", tmp_path / "out.wav", "--set", "modality=6", "--quality", "draft"),
        *("--model", model_file),
    )
    assert ended.code == 0, ended.err
    assert soundfile.info(tmp_path / "out.wav").frames == len(sound)


@pytest.mark.parametrize("place", [0, 2 * RATE - 2000])
def test_a_short_sound_at_an_end_is_predicted(program, tmp_path, place):
    path = tmp_path / "click.wav"
    sound = np.zeros((2 * RATE, 1), np.float32)
    sound[place : place + 2000] = plucked(2000 / RATE)
    soundfile.write(path, sound, RATE)
    assert program("predict", path).code == 0


def test_samples_that_are_none_are_told_as_what_goes_in(program_line, tmp_path):
    path = tmp_path / "float.wav"
    soundfile.write(path, np.where(np.arange(2 * RATE) % 2, 3e38, -3e38).astype(np.float32), RATE, subtype="FLOAT")
    line = program_line("render", path, "-o", tmp_path / "out.wav", "--set", "modality=3")
    assert "3e+38, full scale is 1" in line


def test_a_chunk_that_would_lie_beyond_every_file_system_is_no_traceback(tmp_path):
    """The lengths in headers are whatever they are: nothing beyond the file's end is sought."""
    for head, name in (
        (b"caff\0\1\0\0" + b"desc" + (1 << 47).to_bytes(8, "big"), "odd.caf"),
        (b"RF64\xff\xff\xff\xffWAVEds64" + (1 << 31).to_bytes(4, "little") + bytes(28), "odd.rf64"),
    ):
        path = tmp_path / name
        path.write_bytes(head + bytes(200))
        assert declared_end(path) is None
