"""Reading: every format gives the samples that were put in, every kind of bad file one clear line."""

import re
from fractions import Fraction

import av
import mutagen
import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moodfader.engine.audio.track import load_track
from moodfader.models.common.constants import SAMPLE_RATE
from moodfader.models.common.errors import InputError
from mutagen.id3 import APIC


def noise(samples, channels=2, seed=0):
    """Noise that a 16-bit file holds exactly."""
    steps = np.random.default_rng(seed).integers(-9000, 9000, (samples, channels))
    return (steps / 32768).astype(np.float32)


def tone(sample_rate, seconds=2.0, channels=2, frequency=440.0):
    time = np.arange(round(sample_rate * seconds)) / sample_rate
    return np.repeat((0.5 * np.sin(2 * np.pi * frequency * time)).astype(np.float32)[:, None], channels, axis=1)


def write_m4a(path, sound, sample_rate, codec="aac"):
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream(codec, rate=sample_rate, layout="stereo")
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound.T), format="fltp", layout="stereo")
        frame.sample_rate, frame.time_base, frame.pts = sample_rate, Fraction(1, sample_rate), 0
        for part in av.AudioResampler(format=stream.codec_context.format, layout="stereo").resample(frame):
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))


def joined(blocks):
    return np.concatenate(list(blocks))


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".aiff"])
@pytest.mark.parametrize(("sample_rate", "channels"), [(8000, 1), (22050, 2), (44100, 2), (96000, 6), (192000, 8)])
def test_lossless_files_give_their_samples(tmp_path, suffix, sample_rate, channels):
    sound = noise(sample_rate + 77, channels)
    path = tmp_path / f"sound{suffix}"
    soundfile.write(path, sound, sample_rate, subtype="PCM_16")
    track = load_track(path)
    assert (track.sample_rate, track.channels, track.samples) == (sample_rate, channels, len(sound))
    assert track.duration_s == len(sound) / sample_rate
    assert track.sample_peak == np.abs(sound).max()
    np.testing.assert_array_equal(joined(track.blocks()), sound)


@pytest.mark.parametrize("suffix", [".ogg", ".mp3"])
def test_lossy_files_are_as_long_as_what_went_in_and_sound_alike(tmp_path, suffix):
    sound = tone(44100)
    soundfile.write(tmp_path / f"sound{suffix}", sound, 44100)
    decoded = joined(load_track(tmp_path / f"sound{suffix}").blocks())
    assert decoded.shape == sound.shape
    assert np.abs(decoded - sound)[4000:-4000].max() < 0.03


@pytest.mark.parametrize("codec", ["aac", "alac"])
def test_m4a_is_read_without_its_padding(tmp_path, codec):
    sound = tone(44100)
    write_m4a(tmp_path / "sound.m4a", sound, 44100, codec)
    decoded = joined(load_track(tmp_path / "sound.m4a").blocks())
    assert decoded.shape == sound.shape
    assert np.abs(decoded - sound)[2048:-2048].max() < (0.05 if codec == "aac" else 1e-4)


def test_the_digest_is_of_the_sound_not_of_the_file(tmp_path):
    sound = noise(44100)
    for name in ("a.wav", "b.flac", "c.aiff"):
        soundfile.write(tmp_path / name, sound, 44100, subtype="PCM_16")
    digests = {load_track(path).digest for path in tmp_path.iterdir()}
    assert len(digests) == 1
    changed = sound.copy()
    changed[20000, 1] += 1 / 32768
    soundfile.write(tmp_path / "d.wav", changed, 44100, subtype="PCM_16")
    soundfile.write(tmp_path / "e.wav", sound, 44099, subtype="PCM_16")
    assert len(digests | {load_track(tmp_path / name).digest for name in ("d.wav", "e.wav")}) == 3


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3", ".m4a"])
def test_any_start_and_any_block_length_give_the_same_samples(tmp_path, suffix):
    path = tmp_path / f"sound{suffix}"
    sound = tone(44100, seconds=60001 / 44100)  # (frames of a steady tone lean on each other in an MP3)
    if suffix == ".m4a":
        write_m4a(path, sound, 44100)
    else:
        soundfile.write(path, sound, 44100)
    track = load_track(path)
    whole = joined(track.blocks())

    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(start=st.integers(0, track.samples - 1), block_length=st.sampled_from([64, 512, 4097, 10**6]))
    def check(start, block_length):
        blocks = list(track.blocks(start=start, block_length=block_length))
        assert all(len(block) == block_length for block in blocks[:-1])
        np.testing.assert_array_equal(joined(blocks), whole[start:])

    check()


@pytest.mark.parametrize("sample_rate", [8000, 22050, 44100, 96000])
def test_the_mono_mix_is_the_tone_at_the_networks_rate(tmp_path, sample_rate):
    soundfile.write(tmp_path / "tone.wav", tone(sample_rate, seconds=2.5), sample_rate, subtype="FLOAT")
    track = load_track(tmp_path / "tone.wav")
    mono = joined(track.network_input_blocks())
    expected = tone(SAMPLE_RATE, seconds=2.5)[:, 0]
    assert abs(len(mono) - len(expected)) <= 1
    assert np.abs(mono[500:-500] - expected[500 : len(mono) - 500]).max() < 1e-3
    assert track.network_peak == pytest.approx(np.abs(mono).max(), rel=1e-2)


def test_the_mono_mix_is_the_mean_of_the_channels(tmp_path):
    sound = noise(SAMPLE_RATE, channels=5)
    soundfile.write(tmp_path / "five.wav", sound, SAMPLE_RATE, subtype="FLOAT")
    mono = joined(load_track(tmp_path / "five.wav").network_input_blocks())
    np.testing.assert_allclose(mono, sound.mean(axis=1), atol=1e-6)


def make_bad(folder, kind):
    """A file that cannot be worked on, and what its message must say."""
    path = folder / f"{kind}.wav"
    sound = noise(44100 * 2)
    match kind:
        case "missing":
            return path, "no such file"
        case "folder":
            path.mkdir()
            return path, "folder"
        case "empty":
            path.write_bytes(b"")
            return path, "empty"
        case "text":
            path.write_text("This is not a sound, whatever its name says.\n")
            return path, "text"
        case "garbage":
            path.write_bytes(np.random.default_rng(0).bytes(5000))
            return path, "not a sound file"
        case "playlist":
            path = path.with_suffix(".m4a")
            path.write_text("#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:9/x.aac\n")
            return path, "text"
        case "no samples":
            soundfile.write(path, sound[:0], 44100)
            return path, "zero"
        case "short":
            soundfile.write(path, sound[:44099], 44100)
            return path, "1.00 s|one second"
        case "silent":
            soundfile.write(path, sound * 0, 44100)
            return path, "silent"
        case "opposite":
            soundfile.write(path, sound[:, :1] * [1, -1], 44100)
            return path, "mono"
        case "nan" | "inf":
            sound[50000, 1] = float(kind)
            soundfile.write(path, sound, 44100, subtype="FLOAT")
            return path, r"no numbers.*1\.134 s"
        case "slow":
            soundfile.write(path, sound, 4000)
            return path, "sample rate"
        case "nine channels":
            soundfile.write(path, noise(44100, channels=9), 44100)
            return path, "9 channels"
    raise AssertionError(kind)


BAD = ["missing", "folder", "empty", "text", "garbage", "playlist", "short", "silent", "opposite"]


@pytest.mark.parametrize("kind", [*BAD, "nan", "inf", "slow", "no samples", "nine channels"])
def test_bad_files_get_one_line_that_names_them(tmp_path, kind):
    path, says = make_bad(tmp_path, kind)
    with pytest.raises(InputError) as caught:
        load_track(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    assert re.search(says, message)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".aiff", ".mp3", ".m4a"])
@pytest.mark.parametrize("kept", [0.3, 0.7])
def test_truncated_files_are_refused(tmp_path, capfd, suffix, kept):
    path = tmp_path / f"sound{suffix}"
    if suffix == ".m4a":
        write_m4a(path, noise(44100 * 5), 44100)
    else:
        soundfile.write(path, noise(44100 * 5), 44100)
    content = path.read_bytes()
    path.write_bytes(content[: round(len(content) * kept)])
    with pytest.raises(InputError, match="truncated"):
        load_track(path)
    assert capfd.readouterr() == ("", "")  # the decoders' own complaints would come beside the one line


@pytest.mark.parametrize("suffix", [".mp3", ".ogg"])
def test_tags_and_covers_do_not_look_like_missing_sound(tmp_path, suffix):
    path = tmp_path / f"sound{suffix}"
    soundfile.write(path, noise(44100 * 2), 44100)
    file = mutagen.File(path)
    if suffix == ".mp3":
        file.add_tags()
        file.tags.add(APIC(encoding=3, mime="image/png", type=3, desc="", data=bytes(200_000)))
    else:
        file["comment"] = "x" * 200_000
    file.save()
    assert load_track(path).samples == 44100 * 2


def test_a_wav_from_a_pipe_has_no_length_in_its_header_and_is_read(tmp_path):
    sound = noise(44100)
    soundfile.write(tmp_path / "pipe.wav", sound, 44100, subtype="PCM_16")
    content = bytearray((tmp_path / "pipe.wav").read_bytes())
    at = content.index(b"data") + 4
    content[4:8] = content[at : at + 4] = b"\xff\xff\xff\xff"
    (tmp_path / "pipe.wav").write_bytes(content)
    np.testing.assert_array_equal(joined(load_track(tmp_path / "pipe.wav").blocks()), sound)
