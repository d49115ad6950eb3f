"""Readers, on small made-up copies of the layouts in which the datasets are downloaded, and on the real data."""

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from moodfader.models.common.constants import EMOTIONS, MIDLEVEL
from moodfader.models.common.errors import InputError
from moodfader.models.datasets.folds import group_folds
from moodfader.models.datasets.midlevel import read_midlevel
from moodfader.models.datasets.perceptual import read_perceptual
from moodfader.models.datasets.soundtracks import normalised_album, read_soundtracks
from moodfader.models.datasets.table import Clip, read_sweeps, read_table


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


def test_set_1_takes_its_own_sounds_where_both_sets_lie_together(downloaded_set1):
    """Both number their clips from 001; the tables alone tell them apart."""
    sound(downloaded_set1 / "Set2" / "set2" / "mp3" / "Soundtrack110_mp3" / "001.mp3")
    sound(downloaded_set1 / "1min" / "001.mp3")
    for clip in read_soundtracks(downloaded_set1):
        assert "Soundtrack360_mp3" in clip.path.parts


def test_the_track_list_names_the_albums(downloaded_set1):
    assert len({clip.group for clip in read_soundtracks(downloaded_set1)}) == 3, "each clip for itself"
    text = "Nro,Emotion,Album name,Track\n1,HAPPY,The Omen ,3\n2,SAD,Omen,4\n3,SAD,Batman,1\n"
    (downloaded_set1 / "set1_tracklist.csv").write_text(text, encoding="utf-8-sig")
    assert [clip.group for clip in read_soundtracks(downloaded_set1)] == ["omen", "omen", "batman"]


SET2 = "Number,Valence,Energy,Tension,Anger,Fear,Happy,Sad,Tender,TARGET,Beauty,Liking,soundtrack,link"


def test_set_2_alone(tmp_path):
    """Capitalised names, further columns, albums; the sounds of Set 1, should they lie there too, are not its own."""
    for folder in ("Set1/Soundtrack360_mp3", "Set2/Soundtrack110_mp3"):
        for number in (1, 2):
            sound(tmp_path / folder / f"{number:03d}.mp3")
    rows = [
        f"{n},1,2,3,4,5,6,7,8,ANGER_HIGH,4.5,5.5,{album},{n + 100}" for n, album in ((1, "The Alien"), (2, "Alien"))
    ]
    (tmp_path / "mean_ratings_set2.csv").write_text("\n".join([SET2, *rows]), encoding="utf-8-sig")
    clips = read_soundtracks(tmp_path)
    assert [clip.path.parent.name for clip in clips] == ["Soundtrack110_mp3"] * 2
    assert clips[0].ratings == pytest.approx({name: (k + 1) / 10 for k, name in enumerate(EMOTIONS)})
    assert {clip.group for clip in clips} == {"alien"}


def test_set_2_is_pooled_into_the_clips_it_links_to(tmp_path):
    """Set 2 on another scale (twice Set 1's, less one) is mapped back before it is averaged in."""
    rng = np.random.default_rng(0)
    first = rng.uniform(1, 5, (12, 8)).round(2)
    header = "number,valence,energy,tension,anger,fear,happy,sad,tender,TARGET"
    lines, linked = [header], [SET2]
    for n, row in enumerate(first, start=1):
        sound(tmp_path / "Set1" / f"{n:03d}.mp3")
        lines.append(f"{n},{','.join(map(str, row))},X")
        link = n if n < 12 else ""
        linked.append(f"{n},{','.join(f'{2 * v - 1:.2f}' for v in row)},X,5,5,Album,{link}")
    (tmp_path / "mean_ratings_set1.csv").write_text("\n".join(lines))
    alone = read_soundtracks(tmp_path)
    (tmp_path / "mean_ratings_set2.csv").write_text("\n".join(linked))
    for before, after in zip(alone, read_soundtracks(tmp_path), strict=True):
        assert after.ratings == pytest.approx(before.ratings, abs=1e-6)
    linked[1] = linked[1].replace(",X,", ",X,").replace(f"{2 * first[0, 0] - 1:.2f}", "9.99", 1)
    (tmp_path / "mean_ratings_set2.csv").write_text("\n".join(linked))
    assert read_soundtracks(tmp_path)[0].ratings["valence"] > alone[0].ratings["valence"] + 0.05


def test_songs_taken_from_soundtracks_stay_with_their_album(tmp_path):
    folder = tmp_path / "metadata_annotations"
    folder.mkdir()
    for song in (12, 13, 14):
        sound(tmp_path / "audio" / f"{song}.mp3")
    (folder / "metadata.csv").write_text(
        "song id;Source;ID at file source;Artist\n12;soundtracks;007;\n13;soundtracks;8.mp3;\n14;jamendo;7;Me\n"
    )
    rows = "".join(f"{song},1,2,3,4,5,6,7\n" for song in (12, 13, 14))
    (folder / "annotations.csv").write_text("song_id,a,b,c,d,e,f,g\n" + rows)
    assert [clip.group for clip in read_midlevel(tmp_path, albums={7: "omen"})] == ["omen", "clip 8", "me"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_tables_of_any_spreadsheet(tmp_path, delimiter):
    sound(tmp_path / "a.wav")
    table = tmp_path / "mine.csv"
    table.write_text("file,modality,mood\na.wav,0.25,1 2\n".replace(",", delimiter), encoding="utf-8-sig")
    assert read_table(table)[0].ratings == {"modality": 0.25}
    table.write_text("file,modality,valence\na.wav,,\n".replace(",", delimiter))
    with pytest.raises(InputError, match="not one rating"):
        read_table(table)


SERIES = "file,articulation,modality,quality,series,kind,group"


def test_series_of_known_music(tmp_path):
    sound(tmp_path / "a.wav")
    table = tmp_path / "known_music.csv"
    table.write_text(
        f"{SERIES}\na.wav,0,0.5,articulation,s1,score,p\na.wav,1,0.5,articulation,s1,score,p\na.wav,1,1,,,,\n"
    )
    first, second, free = read_sweeps(table)
    assert (first.quality, first.series, first.kind, first.clip.group) == ("articulation", "s1", "score", "p")
    assert second.clip.ratings == {"known_articulation": 1, "known_modality": 0.5}
    assert (free.quality, free.series) == ("", "")
    assert free.clip.group == "a.wav"
    assert [clip.ratings for clip in read_table(table, prefix="known_")] == [
        c.clip.ratings for c in (first, second, free)
    ]


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("a.wav,1,0.5,loudness,s1,score,p", "row 3: quality 'loudness'"),
        ("a.wav,1,0.5,articulation,,score,p", "row 3: quality and series belong together"),
        ("a.wav,1,0.5,modality,s1,score,p", "series 's1' must turn one quality"),
        ("a.wav,0,0.5,articulation,s1,score,p", "at least two values"),
    ],
)
def test_series_that_are_none(tmp_path, row, complaint):
    sound(tmp_path / "a.wav")
    table = tmp_path / "known_music.csv"
    table.write_text(f"{SERIES}\na.wav,0,0.5,articulation,s1,score,p\n{row}\n")
    with pytest.raises(InputError, match=complaint):
        read_sweeps(table)


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
            group_folds(clips, folds, seed=seed)
        return
    parts = group_folds(clips, folds, seed=seed)
    assert sorted(i for part in parts for i in part) == list(range(len(clips)))
    homes = [{groups[i] for i in part} for part in parts]
    assert sum(len(home) for home in homes) == len(set(groups))
    assert parts == group_folds(clips, folds, seed=seed)


def test_spellings_of_one_album():
    assert normalised_album("The Omen ") == normalised_album("Omen") == "omen"
    assert normalised_album("The Portait of a Lady") == normalised_album("Portrait of a Lady")


def test_the_real_clips(soundtracks):
    clips = read_soundtracks(soundtracks)
    heard = read_perceptual(soundtracks, groups={clip.path: clip.group for clip in clips})
    assert (len(clips), len(heard)) == (323, 85)
    assert {clip.group for clip in heard} <= {clip.group for clip in clips}
