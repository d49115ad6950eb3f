"""Which tracks a batch is about, and that no two get the same name."""

import os
import zipfile

import pytest
from moodfader.engine.batch.inputs.fetching import fetched
from moodfader.engine.batch.inputs.manifests import read_manifest
from moodfader.engine.batch.inputs.naming import make_tasks
from moodfader.engine.batch.inputs.sources import find_sources
from moodfader.models.common.errors import InputError


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(path.name.encode())
    return path


def names(sources, *, suffix=".flac", settings=None):
    settings = settings or {"toward": 1}
    tasks = make_tasks("steer", [(s, settings) for s in sources], suffixes=[suffix] * len(sources), folder="sounds")
    return [task.name for task in tasks], [task.output for task in tasks]


def test_a_folder_is_searched_to_its_depths(tmp_path):
    for name in ("b/2.mp3", "a/x/1.wav", "c.FLAC", "cover.jpg", ".hidden/3.wav", "a/._1.wav"):
        touch(tmp_path / "m" / name)
    touch(tmp_path / "m" / "out" / "sounds" / "4.wav")
    (tmp_path / "m" / "a" / "loop").symlink_to(tmp_path / "m")
    (tmp_path / "m" / "dangling.wav").symlink_to(tmp_path / "nowhere")
    found = find_sources(str(tmp_path / "m"), but=str(tmp_path / "m" / "out"))
    assert [source.path for source in found] == ["a/x/1.wav", "b/2.mp3", "c.FLAC", "dangling.wav"]
    assert found[0].stamp == (5, str((tmp_path / "m/a/x/1.wav").stat().st_mtime_ns))


def test_a_glob_names_files_below_its_fixed_part(tmp_path):
    for name in ("a/1.wav", "a/b/2.wav", "a/3.txt"):
        touch(tmp_path / name)
    found = find_sources(f"{tmp_path}/a/**/*.wav")
    assert [source.path for source in found] == ["1.wav", "b/2.wav"]
    assert [source.path for source in find_sources(f"{tmp_path}/a/*.txt")] == ["3.txt"]
    touch(tmp_path / "odd[1].wav")
    assert [source.path for source in find_sources(f"{tmp_path}/odd[1].wav")] == ["odd[1].wav"]


@pytest.mark.parametrize("pattern", ["zip://*.wav", "zip://", "zip://inner"])
def test_an_archive_is_a_source(tmp_path, pattern):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("inner/one.wav" if pattern != "zip://*.wav" else "one.wav", b"content")
        archive.writestr("notes.txt", b"no sound")
    (source,) = find_sources(f"{pattern}::{tmp_path}/all.zip")
    assert source.path.endswith("one.wav")
    with fetched(source) as path:
        assert path.read_bytes() == b"content"
        assert path.suffix == ".wav"
    assert not path.exists()


def test_a_pipe_in_a_library_is_no_track(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    (source,) = find_sources(str(tmp_path))
    with pytest.raises(InputError, match="a pipe or a device"), fetched(source):
        pass


def test_same_names_are_told_apart_by_their_folders(tmp_path):
    for name in ("x/music/a/song.wav", "y/music/a/song.wav", "y/music/only.wav"):
        touch(tmp_path / name)
    sources = [s for root in "xy" for s in find_sources(str(tmp_path / root / "music"))]
    assert names(sources)[0] == ["x/music/a/song.wav", "y/music/a/song.wav", "only.wav"]
    assert names(sources)[1] == ["sounds/x/music/a/song.flac", "sounds/y/music/a/song.flac", "sounds/only.flac"]


def test_same_stems_keep_their_endings(tmp_path):
    for name in ("song.wav", "song.mp3", "other.wav"):
        touch(tmp_path / name)
    assert names(find_sources(str(tmp_path)))[1] == [
        "sounds/other.flac",
        "sounds/song.mp3.flac",
        "sounds/song.wav.flac",
    ]


def test_the_same_file_counts_once_and_twice_with_other_settings(tmp_path):
    touch(tmp_path / "song.wav")
    (source,) = find_sources(str(tmp_path))
    assert names([source, source])[0] == ["song.wav"]
    tasks = make_tasks("steer", [(source, {"a": 1}), (source, {"a": 2})], suffixes=[".wav"] * 2, folder="sounds")
    assert [task.output for task in tasks] == ["sounds/song.wav", "sounds/song-2.wav"]
    assert tasks[0].settings_digest != tasks[1].settings_digest


def test_manifests_in_both_formats(tmp_path):
    import pyarrow
    import pyarrow.parquet

    touch(tmp_path / "a" / "1.wav")
    (tmp_path / "m.csv").write_text("\ufefffile,tender,keep\na/1.wav,0.1,happy\na/none.wav,,\n", encoding="utf-8")
    table = pyarrow.table({"file": ["a/1.wav", "a/none.wav"], "tender": [0.1, None], "keep": ["happy", None]})
    pyarrow.parquet.write_table(table, tmp_path / "m.parquet")
    read = [read_manifest(str(tmp_path / name)) for name in ("m.csv", "m.parquet")]
    assert read[0] == read[1]
    (number, source, options), (_, missing, empty) = read[0]
    assert (number, source.path, options) == (2, "1.wav", {"tender": "0.1", "keep": "happy"})
    assert (missing.stamp, empty) == ((0, ""), {})


@pytest.mark.parametrize(
    "content",
    [
        "file;tender;keep\n\na/1.wav;0,1;happy,sad\n",
        "sep=;\nFile;tender;keep\n\na/1.wav;0,1;happy,sad\n",
        'file\ttender\tkeep\n\na/1.wav\t0,1\t"happy,sad"\n',
        'file,tender,keep\n,,\na/1.wav,0.1,"happy,sad",,\n',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_a_manifest_from_a_spreadsheet_is_read(tmp_path, content, encoding):
    (tmp_path / "m.csv").write_text(content, encoding=encoding)
    ((number, source, options),) = read_manifest(str(tmp_path / "m.csv"))
    assert (number, source.path, options) == (3, "1.wav", {"tender": "0.1", "keep": "happy,sad"})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('file,a\n"x,1\n', "row 2: not a row of a CSV table"),
        ("", "no row"),
        ("file\n", "no row"),
        ("file,a\n,1\n", "row 2: the column `file` is empty"),
        ("name\nx\n", "no column `file`"),
        ("file\nx,y\n", "more cells than the head"),
    ],
)
def test_a_manifest_that_cannot_be_used(tmp_path, content, words):
    (tmp_path / "m.csv").write_text(content)
    with pytest.raises(InputError, match=words):
        read_manifest(str(tmp_path / "m.csv"))
