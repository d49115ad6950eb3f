"""Writing: what was given comes back, and what cannot be written says so before anything is lost."""

import os
import subprocess
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moodfader.engine.audio.track import load_track
from moodfader.engine.render.audio_writer import AudioWriter, validate_output
from moodfader.models.common.atomic_write import atomic_write
from moodfader.models.common.errors import InputError


def noise(samples, channels=2, bits=16):
    steps = np.random.default_rng(0).integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (samples, channels))
    return (steps / 2 ** (bits - 1)).astype(np.float32)


def write(path, sound, *, sample_rate=44100, block_length=5000, **options):
    options = {"samples": len(sound), **options}
    with AudioWriter(path, sample_rate=sample_rate, channels=sound.shape[1], **options) as writer:
        for start in range(0, len(sound), block_length):
            writer.write(sound[start : start + block_length])
    return writer


def read(path):
    return soundfile.read(path, dtype="float32", always_2d=True)[0]


@pytest.mark.parametrize("sample_rate", [8000, 22050, 44100, 96000, 192000])
@pytest.mark.parametrize("channels", [1, 2, 6, 8])
@pytest.mark.parametrize(
    ("suffix", "bit_depth", "bits"),
    [(".wav", "16", 16), (".wav", "24", 24), (".wav", "float", 24), (".flac", "16", 16), (".flac", "24", 24)],
)
def test_lossless_files_give_back_what_they_can_hold(tmp_path, sample_rate, channels, suffix, bit_depth, bits):
    sound = noise(7001, channels, bits)
    writer = write(tmp_path / f"sound{suffix}", sound, sample_rate=sample_rate, bit_depth=bit_depth)
    assert writer.clipped == 0
    np.testing.assert_array_equal(read(tmp_path / f"sound{suffix}"), sound)
    assert soundfile.info(tmp_path / f"sound{suffix}").samplerate == sample_rate


def low_tones(channels):
    """Another low tone in each channel (the low-frequency channel of Vorbis holds nothing else)."""
    time = np.arange(44100 * 2 + 77)[:, None] / 44100
    return (0.3 * np.sin(2 * np.pi * (40 + 15 * np.arange(channels)) * time)).astype(np.float32)


@pytest.mark.parametrize("channels", range(1, 9))
def test_vorbis_sounds_alike_and_is_as_long(tmp_path, channels):
    sound = low_tones(channels)
    write(tmp_path / "sound.ogg", sound)
    decoded = np.concatenate(list(load_track(tmp_path / "sound.ogg").blocks()))
    assert decoded.shape == sound.shape
    off = np.abs(decoded - sound)[4000:-4000].max(axis=0)
    assert np.all(np.delete(off, 3 if channels > 5 else []) < 0.03)  # (the low-frequency channel is a rough one)


@pytest.mark.parametrize("channels", [3, 5, 6, 7, 8])
@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg"])
def test_ffmpeg_finds_each_channel_in_its_place(tmp_path, channels, suffix):
    sound = low_tones(channels)
    write(tmp_path / f"sound{suffix}", sound)
    with av.open(str(tmp_path / f"sound{suffix}")) as container:
        interleaved = av.AudioResampler(format="flt")
        frames = [part.to_ndarray() for frame in container.decode(audio=0) for part in interleaved.resample(frame)]
    decoded = np.concatenate(frames, axis=1).reshape(-1, channels).T
    loudest = np.abs(np.fft.rfft(decoded[:, :88200].astype(np.float64))).argmax(axis=1) / 2  # Hz
    np.testing.assert_array_equal(np.round((loudest - 40) / 15), np.arange(channels))


def test_more_than_full_scale_survives_in_float_and_is_counted_in_integers(tmp_path):
    sound = noise(1000) * 2
    write(tmp_path / "float.wav", sound, bit_depth="float")
    np.testing.assert_array_equal(read(tmp_path / "float.wav"), sound)
    writer = write(tmp_path / "integer.wav", sound)
    assert writer.clipped == np.count_nonzero(np.abs(sound) > 1) > 0
    np.testing.assert_allclose(read(tmp_path / "integer.wav"), np.clip(sound, -1, 1), atol=2**-23)


def test_a_wav_that_would_pass_4_gb_is_rf64(tmp_path):
    write(tmp_path / "long.wav", noise(1000), samples=800_000_000)
    assert (tmp_path / "long.wav").read_bytes()[:4] == b"RF64"
    np.testing.assert_array_equal(read(tmp_path / "long.wav"), noise(1000))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(block_length=st.integers(1, 3000))
def test_dither_is_the_same_for_any_blocks_and_has_the_right_noise(tmp_path, block_length):
    sound = np.full((3000, 2), 0.3 / 32768, dtype=np.float32)
    for name, length in (("a.wav", 777), ("b.wav", block_length)):
        write(tmp_path / name, sound, bit_depth="16", dither_seed=3, block_length=length)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    steps = read(tmp_path / "a.wav").astype(np.float64) * 32768
    # Triangular dither: the mean is kept (plain rounding would give 0), the noise is a quarter of a step squared
    # above the rounding's twelfth... 1/6 + 1/12 in all.
    assert steps.mean() == pytest.approx(0.3, abs=0.03)
    assert steps.var() == pytest.approx(1 / 4, abs=0.03)


@pytest.mark.parametrize(("suffix", "bit_depth"), [(".wav", "float"), (".wav", "24"), (".flac", "24")])
def test_the_same_sound_gives_the_same_file_whatever_the_clock_says(tmp_path, suffix, bit_depth):
    contents = set()
    for seconds in (1_000_000_000, 1_700_000_000):
        path = tmp_path / f"{seconds}{suffix}"
        write(path, noise(3000), bit_depth=bit_depth)
        content = path.read_bytes()
        if bit_depth == "float":
            peak = content.index(b"PEAK")
            assert content[peak + 12 : peak + 16] == bytes(4)
        contents.add(content)
    assert len(contents) == 1


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("out.mp3", {}, r"\.wav, \.flac or \.ogg, not in \.mp3"),
        ("out", {}, r"not in nothing"),
        ("out.wav", {"bit_depth": "20"}, "'20' is not known"),
        ("out.flac", {"bit_depth": "float"}, "FLAC has no floating point"),
        ("missing/out.wav", {}, "does not exist"),
        ("folder.wav", {}, "is a folder"),
        ("there.wav", {}, "exists already"),
        ("source.wav", {"overwrite": True}, "the input itself"),
        ("link.wav", {"overwrite": True}, "the input itself"),
    ],
)
def test_outputs_that_are_refused(tmp_path, name, options, says):
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "there.wav").write_bytes(b"precious")
    (tmp_path / "source.wav").write_bytes(b"music")
    (tmp_path / "link.wav").symlink_to(tmp_path / "source.wav")
    with pytest.raises(InputError, match=says) as caught:
        validate_output(tmp_path / name, source=tmp_path / "source.wav", **options)
    assert "\n" not in str(caught.value)
    assert (tmp_path / "there.wav").read_bytes() == b"precious"


def test_an_output_that_exists_is_fine_when_asked_for(tmp_path):
    (tmp_path / "there.wav").write_bytes(b"old")
    validate_output(tmp_path / "there.wav", overwrite=True)
    validate_output(tmp_path / "NEW.FLAC")


def test_a_folder_that_is_not_writable_is_refused(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="not writable"):
        validate_output(tmp_path / "out.wav")


def test_more_channels_than_the_format_has_get_one_line(tmp_path):
    with pytest.raises(InputError, match="FLAC cannot hold 9 channels at 44100 Hz") as caught:
        AudioWriter(tmp_path / "out.flac", sample_rate=44100, channels=9, samples=10)
    assert "\n" not in str(caught.value)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one megabyte; only root can make one."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        done = False
    if not done:
        pytest.skip("no small disk can be mounted here (needs root)")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg"])
def test_a_full_disk_gets_one_line_and_leaves_nothing(small_disk, suffix):
    output = small_disk / f"out{suffix}"
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, (44100 * 30, 2)).astype(np.float32)
    with (
        pytest.raises(InputError, match=r"out.*cannot be written \(is the disk full") as caught,
        atomic_write(output) as beside,
    ):
        write(beside, sound, name=output)
    assert str(caught.value).startswith(str(output))
    assert list(Path(small_disk).iterdir()) == []
