"""Readers, on small made-up copies of the layouts in which the datasets are downloaded, and on the real data."""

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from moodfader.models.datasets import (
    Clip,
    normalised_album,
    read_midlevel,
    read_perceptual,
    read_soundtracks,
    read_table,
    split_by_group,
)
from moodfader.models.errors import InputError
from moodfader.models.vocabulary import EMOTIONS, MIDLEVEL


def sound(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.sin(np.arange(22050) / 9), 22050)


@pytest.fixture
def downloaded_set1(tmp_path):
    """mean_ratings_set1.csv with a byte-order mark, mp3s nested as in the archive."""
    for number in (1, 2, 3):
        sound(tmp_path / "set1" / "set1" / "mp3" / "Soundtrack360_mp3" / f"{number:03d}.mp3")
    rows = [f"{n},{','.join(str(1 + (n + k) % 9) for k in range(8))},HAPPY" for n in (1, 2, 3, 4)]
    header = "number,valence,energy,tension,anger,fear,happy,sad,tender,TARGET"
    (tmp_path / "mean_ratings_set1.csv").write_text("\n".join([header, *rows]), encoding="utf-8-sig")
    return tmp_path


def test_set_1_as_downloaded(downloaded_set1):
    clips = read_soundtracks(downloaded_set1)
    assert [clip.path.stem for clip in clips] == ["001", "002", "003"]  # 004 has no sound
    assert clips[0].ratings == pytest.approx({name: (1 + (1 + k) % 9) / 10 for k, name in enumerate(EMOTIONS)})


@pytest.mark.parametrize(
    ("cell", "complaint"),
    [("", "row 3: energy is '', not a number"), ("loud", "'loud', not a number"), ("55", "outside of 0..10")],
)
def test_a_bad_rating_is_named(downloaded_set1, cell, complaint):
    table = downloaded_set1 / "mean_ratings_set1.csv"
    lines = table.read_text(encoding="utf-8-sig").splitlines()
    cells = lines[2].split(",")
    cells[2] = cell
    lines[2] = ",".join(cells)
    table.write_text("\n".join(lines))
    with pytest.raises(InputError, match=complaint):
        read_soundtracks(downloaded_set1)


def test_old_excel_tables_are_explained(tmp_path):
    (tmp_path / "mean_ratings_set1.csv").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
    with pytest.raises(InputError, match=r"not a CSV table.*xls"):
        read_soundtracks(tmp_path)
    with pytest.raises(InputError, match="save them as CSV"):
        read_soundtracks(tmp_path / "nothing")


@pytest.mark.parametrize(
    "header",
    [
        "song_id,melody,articulation,rhythm_complexity,rhythm_stability,dissonance,tonal_stability,mode",
        "song_id,melody,articulation,rhythm complexity,rhythm stability,dissonance,atonality,modality/minorness",
        "id,first,second,third,fourth,fifth,sixth,seventh",
    ],
)
def test_midlevel_as_downloaded_in_several_spellings(tmp_path, header):
    sound(tmp_path / "audio" / "12.mp3")
    folder = tmp_path / "metadata_annotations"
    folder.mkdir()
    (folder / "metadata.csv").write_text("song id;Source;Artist\n12;jamendo;Someone\n")
    (folder / "annotations.csv").write_text(f"{header}\n12,1,2,3,4,5,6,7\n13,1,1,1,1,1,1,1\n")
    (clip,) = read_midlevel(tmp_path)
    assert clip.group == "someone"
    assert clip.ratings == pytest.approx({name: (k + 1) / 10 for k, name in enumerate(MIDLEVEL)})


def test_any_table_with_missing_ratings(tmp_path):
    sound(tmp_path / "a.wav")
    sound(tmp_path / "b.wav")
    table = tmp_path / "mine.csv"
    table.write_text("file,modality,valence,group\na.wav,0.25,,x\nb.wav,,1,x\n")
    first, second = read_table(table)
    assert (first.ratings, second.ratings) == ({"modality": 0.25}, {"valence": 1.0})
    assert first.group == second.group == "x"
    assert read_table(table, prefix="known_")[0].ratings == {"known_modality": 0.25}
    table.write_text("file,modality\nc.wav,0.5\n")
    with pytest.raises(InputError, match=r"row 2: no such audio file"):
        read_table(table)
    table.write_text("name,mood\nc.wav,0.5\n")
    with pytest.raises(InputError, match="needs a column 'file'"):
        read_table(table)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=120), st.integers(2, 6), st.integers(0, 9))
def test_no_group_is_split(groups, folds, seed):
    clips = [Clip(path=None, group=str(group)) for group in groups]
    if len(set(groups)) < folds:
        with pytest.raises(InputError, match="cannot be split"):
            split_by_group(clips, folds, seed=seed)
        return
    parts = split_by_group(clips, folds, seed=seed)
    assert sorted(i for part in parts for i in part) == list(range(len(clips)))
    homes = [{groups[i] for i in part} for part in parts]
    assert sum(len(home) for home in homes) == len(set(groups))
    assert parts == split_by_group(clips, folds, seed=seed)


def test_spellings_of_one_album():
    assert normalised_album("The Omen ") == normalised_album("Omen") == "omen"
    assert normalised_album("The Portait of a Lady") == normalised_album("Portrait of a Lady")


def test_the_real_clips(soundtracks):
    clips = read_soundtracks(soundtracks)
    heard = read_perceptual(soundtracks, groups={clip.path: clip.group for clip in clips})
    assert (len(clips), len(heard)) == (323, 85)
    assert {clip.group for clip in heard} <= {clip.group for clip in clips}
