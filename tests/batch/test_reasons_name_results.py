"""What is said of a track that failed names what the user knows, no unfinished file."""

import csv

import soundfile
from batch.library import write_tracks
from moodfader.engine.audio.containers.wav_chunks import write_channel_mask


def test_a_sound_that_the_format_cannot_hold_is_told_by_its_name(batch, tmp_path):
    write_tracks(tmp_path / "music", 1)
    (made,) = (path for path in (tmp_path / "music").rglob("*") if path.is_file())
    sound, rate = soundfile.read(made, dtype="float32", always_2d=True)
    soundfile.write(tmp_path / "front.wav", sound[:, :1] * [[1, 1, 1, 1]], rate, format="WAVEX")
    write_channel_mask(tmp_path / "front.wav", 0x107)
    arguments = ("--set", "modality=3", "--evaluations", "64", "--coupled", "--format", "ogg", "--jobs", "1")
    batch("render", tmp_path / "front.wav", "-o", tmp_path / "out", "--cache", tmp_path / "cache", *arguments, code=3)
    (row,) = csv.DictReader((tmp_path / "out" / "failures.csv").open(encoding="utf-8"))
    assert row["reason"].startswith("sounds/front.ogg: Ogg Vorbis has no place for these 4 loudspeakers")
