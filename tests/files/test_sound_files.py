"""Sound files as pipes, recorders, radio and editors leave them: read whole, written as they are."""

import base64
import json
import struct
import subprocess

import av
import mutagen
import numpy as np
import pytest
import soundfile
from files.conftest import RATE, plucked, wav_chunk
from mutagen.flac import FLAC, Picture
from mutagen.id3 import APIC, ID3, TIT2, TXXX


def duration(program, path) -> float:
    ended = program("predict", path, "--json")
    assert ended.code == 0, ended.err
    return json.loads(ended.out)["duration_s"]


def without_first_frame(content: bytes) -> bytes:
    """An MP3 without its Xing frame, as written to a pipe."""
    second = content.index(content[:2], 4)
    while content[second : second + 2] != content[:2] or b"Info" in content[second : second + 200]:
        second = content.index(content[:2], second + 1)
    return content[second:]


def ffmpeg_samples(path) -> int:
    with av.open(str(path)) as container:
        return sum(frame.samples for frame in container.decode(audio=0))


def test_an_mp3_from_a_pipe_is_read_to_its_end(program, sound):
    path = sound("pipe.mp3", 6.0, rate=44100)
    path.write_bytes(without_first_frame(path.read_bytes()))
    assert duration(program, path) * 44100 == pytest.approx(ffmpeg_samples(path), abs=1)
    assert duration(program, path) > 5.9


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_an_ogg_made_with_cat_is_read_to_its_end(program, tmp_path, subtype):
    parts = []
    for number in range(3):
        part = tmp_path / f"{number}.ogg"
        soundfile.write(part, plucked(3.0, 2, 48000), 48000, format="OGG", subtype=subtype)
        parts.append(part.read_bytes())
    whole = tmp_path / "radio.ogg"
    whole.write_bytes(b"".join(parts))
    assert duration(program, whole) == pytest.approx(9.0, abs=0.03)


def test_two_mp3_joined_with_cat_are_read_to_the_end(program, sound, tmp_path):
    part = sound("part.mp3", 3.0, rate=44100).read_bytes()
    joined = tmp_path / "joined.mp3"
    joined.write_bytes(part + part)
    assert duration(program, joined) == pytest.approx(6.0, abs=0.1)


def test_a_flac_from_a_stream_has_no_length_and_is_read(program, sound):
    path = sound("stream.flac")
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0  # STREAMINFO's number of samples: the last 36 bits of bytes 18 to 25
    content[22:26] = bytes(4)
    path.write_bytes(content)
    assert duration(program, path) == 2.0


def test_a_flac_with_an_old_tag_behind_it_is_read(program, sound):
    path = sound("tagged.flac")
    path.write_bytes(path.read_bytes() + b"TAG" + b"title".ljust(125, b"\0"))
    assert duration(program, path) == 2.0


def test_a_wav_of_a_recorder_that_crashed_is_read_with_a_note(program, sound):
    path = sound("crashed.wav")
    content = bytearray(path.read_bytes())
    at = content.index(b"data") + 4
    content[4:8] = content[at : at + 4] = bytes(4)
    path.write_bytes(content)
    ended = program("predict", path, "--json")
    assert json.loads(ended.out)["duration_s"] == 2.0
    assert "88,200 bytes" in ended.err


def test_an_mp3_that_an_editor_cut_is_read_with_a_note(program, sound):
    path = sound("cut.mp3", 6.0, rate=44100)
    content = path.read_bytes()
    second = content.index(without_first_frame(content))
    spaces = [at for at in range(second, len(content) - 1) if content[at : at + 2] == content[:2]]
    size = np.bincount(np.diff(spaces)).argmax()
    path.write_bytes(content[: next(at for at in spaces if at > len(content) / 2 and at - size in spaces)])
    ended = program("predict", path, "--json")
    assert ended.code == 0, ended.err
    assert 2.0 < json.loads(ended.out)["duration_s"] < 4.5
    assert "header is of a longer file" in ended.err


def test_sound_comes_from_standard_input_and_from_a_named_pipe(sound, program, tmp_path):
    from files.conftest import shell

    sound("pipe.wav")
    done = shell(
        "mkfifo fifo; cat pipe.wav > fifo & cat pipe.wav | $M predict --json - <(cat pipe.wav) fifo", tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["duration_s"] for line in done.stdout.splitlines()] == [2.0] * 3
    endless = program("predict", "/dev/zero")
    assert endless.code == 2
    assert len(endless.err.splitlines()) == 1


# what is written


@pytest.fixture
def rendered(program, model_file, quick_analysis, tmp_path):
    """Render with neutral faders (unless others are given) to a name, in no time."""

    def go(path, name, *options):
        analysis = quick_analysis(path, tmp_path / "quick.npz")
        output = tmp_path / name
        ended = program("render", path, "-o", output, "--analysis", analysis, "--model", model_file, *options)
        assert ended.code == 0, ended.err
        return output, ended

    return go


def layout(path) -> str:
    with av.open(str(path)) as container:
        return container.streams.audio[0].codec_context.layout.name


def with_mask(path, mask: int) -> None:
    content = bytearray(path.read_bytes())
    at = content.index(b"fmt ") + 8 + 20
    content[at : at + 4] = struct.pack("<I", mask)
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("channels", "mask", "name"), [(8, 0x63F, "7.1"), (4, 0x107, "4.0"), (6, 0x60F, "5.1(side)")]
)
@pytest.mark.parametrize("ending", ["wav", "flac"])
def test_loudspeakers_stay_where_they_are(rendered, tmp_path, channels, mask, name, ending):
    path = tmp_path / "surround.wav"
    soundfile.write(path, plucked(1.2, channels), RATE, format="WAVEX")
    with_mask(path, mask)
    output, _ = rendered(path, f"out.{ending}", "--set", "articulation=6")
    assert layout(output) == name


def test_sounds_of_an_explanation_keep_the_loudspeakers(program, tmp_path, quick_analysis, model_file):
    path = tmp_path / "surround.wav"
    soundfile.write(path, plucked(1.2, 4), RATE, format="WAVEX")
    with_mask(path, 0x107)
    folder, analysis = tmp_path / "why", quick_analysis(path, tmp_path / "a.npz")
    options = ("--feature", "modality", "--format", "png", "--analysis", analysis, "--model", model_file)
    ended = program("explain", path, "-o", folder, *options)
    assert ended.code == 0, ended.err
    assert {layout(sound) for sound in folder.glob("*.wav")} == {"4.0"}


def test_ogg_refuses_loudspeakers_that_it_cannot_name(program_line, tmp_path, quick_analysis, model_file):
    path = tmp_path / "front.wav"
    soundfile.write(path, plucked(1.2, 4), RATE, format="WAVEX")
    with_mask(path, 0x107)
    analysis = quick_analysis(path, tmp_path / "a.npz")
    line = program_line("render", path, "-o", tmp_path / "o.ogg", "--analysis", analysis, "--model", model_file)
    assert "loudspeakers" in line
    assert not (tmp_path / "o.ogg").exists()


def test_tags_of_a_wav_are_kept(rendered, sound):
    path = sound("info.wav")
    content = path.read_bytes()
    info = b"INFO" + wav_chunk(b"INAM", "Stück\0".encode("cp1252")) + wav_chunk(b"IART", b"Nobody\0")
    content += wav_chunk(b"LIST", info)
    path.write_bytes(content[:4] + struct.pack("<I", len(content) - 8) + content[8:])
    for name, title in (("out.flac", "title"), ("out.wav", "TIT2")):
        output, _ = rendered(path, name)
        tags = mutagen.File(output).tags
        assert [str(text) for text in tags[title]] == ["Stück"]


@pytest.mark.parametrize("odd", ["Größe", "", "a=b"])
def test_one_odd_tag_does_not_cost_the_others(rendered, sound, odd):
    path = sound("tags.mp3", rate=44100)
    tags = ID3()
    tags.add(TIT2(encoding=3, text="A title"))
    tags.add(TXXX(encoding=3, desc=odd, text="odd"))
    tags.add(APIC(encoding=3, mime="image/png", type=3, desc="", data=b"cover"))
    tags.save(path)
    output, _ = rendered(path, "out.flac")
    kept = FLAC(output)
    assert kept["title"] == ["A title"]
    assert [picture.data for picture in kept.pictures] == [b"cover"]


def test_front_and_back_cover_are_both_kept(rendered, sound):
    path = sound("covers.flac")
    file = FLAC(path)
    for kind, data in ((3, b"front"), (4, b"back")):
        picture = Picture()
        picture.type, picture.mime, picture.data = kind, "image/png", data
        file.add_picture(picture)
    file.save()
    output, _ = rendered(path, "out.wav")
    assert {(frame.type, frame.data) for frame in mutagen.File(output).tags.getall("APIC")} == {
        (3, b"front"),
        (4, b"back"),
    }
    output, _ = rendered(path, "out.ogg")
    kept = mutagen.File(output)["metadata_block_picture"]
    assert {Picture(base64.b64decode(text)).data for text in kept} == {b"front", b"back"}


@pytest.mark.parametrize("ending", ["wav", "flac"])
def test_16_bits_are_rounded_not_cut_off(rendered, tmp_path, ending):
    path = tmp_path / "quiet.wav"
    rng = np.random.default_rng(1)
    sound = (plucked(2.0) * 0.01 + rng.uniform(-1, 1, (2 * RATE, 1)) * 1e-4).astype(np.float32)
    soundfile.write(path, sound, RATE, subtype="PCM_24")
    output, _ = rendered(path, f"out.{ending}", "--bit-depth", "16")
    error = (soundfile.read(output)[0] - soundfile.read(path)[0]) * 2**15
    assert abs(error.mean()) < 0.01
    assert np.abs(error).max() <= 0.5


def test_dither_is_an_option(rendered, sound):
    path = sound("high.wav", subtype="PCM_24")
    plain, _ = rendered(path, "plain.wav", "--bit-depth", "16")
    dithered, _ = rendered(path, "dithered.wav", "--bit-depth", "16", "--dither")
    difference = (soundfile.read(plain)[0] - soundfile.read(dithered)[0]) * 2**15
    assert 0.5 < difference.std() < 1.2
    assert abs(difference.mean()) < 0.02


def test_an_output_that_was_turned_down_says_so_and_why(rendered, tmp_path):
    path = tmp_path / "hot.wav"
    soundfile.write(path, plucked(2.0) * 5, RATE, subtype="FLOAT")
    output, ended = rendered(path, "out.wav")
    peak_db = 20 * np.log10(np.abs(plucked(2.0) * 5).max())
    assert f"turned down by {peak_db:.1f} dB" in ended.err
    assert "will equal the input" not in ended.err
    assert "above the ceiling" in ended.err
    assert np.abs(soundfile.read(output)[0]).max() <= 1
    _, ended = rendered(path, "float.wav", "--bit-depth", "float")
    assert "turned down" not in ended.err


@pytest.mark.parametrize(
    ("subtype", "name", "depth", "said"),
    [
        ("PCM_16", "out.wav", "16", "will equal the input"),
        ("PCM_24", "out.flac", "24", "will equal the input"),
        ("PCM_24", "out.wav", "16", "will be the input, rounded to 16 bits"),
        ("FLOAT", "out.wav", "24", "will be the input, rounded to 24 bits"),
        ("FLOAT", "out.wav", "float", "will equal the input"),
        ("DOUBLE", "out.wav", "float", "will be the input, rounded to 32 bits (float)"),
        ("PCM_16", "out.ogg", "24", "will be the input as Ogg Vorbis keeps it"),
    ],
)
def test_what_a_neutral_render_keeps_is_said_truly(rendered, tmp_path, subtype, name, depth, said):
    path = tmp_path / "in.wav"
    soundfile.write(path, plucked(2.0).astype(np.float64) / 3, RATE, subtype=subtype)
    output, ended = rendered(path, name, "--bit-depth", depth)
    assert said in ended.err
    before, after = soundfile.read(path)[0], soundfile.read(output)[0]
    assert np.array_equal(before, after) == ("equal" in said)


def test_an_output_that_is_a_link_is_written_through(rendered, sound, tmp_path):
    path = sound("in.wav")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "link.wav").symlink_to(elsewhere / "real.wav")
    (elsewhere / "real.wav").write_bytes(b"old")
    rendered(path, "link.wav", "--overwrite")
    assert (tmp_path / "link.wav").is_symlink()
    assert soundfile.info(elsewhere / "real.wav").frames == 2 * RATE
    assert [file.name for file in elsewhere.iterdir()] == ["real.wav"]


def test_a_device_is_not_replaced_by_a_file(program_line, sound, tmp_path):
    path = sound("in.wav")
    subprocess.run(["mkfifo", tmp_path / "fifo.npz"], check=True)
    assert "pipe or a device" in program_line("analyze", path, "-o", tmp_path / "fifo.npz")
