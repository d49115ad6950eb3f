"""What cannot be written is told before the work where it can be, and leaves no part of a result behind."""

import contextlib
import subprocess

import mutagen
import numpy as np
import pytest
import soundfile
from moodfader.engine.plotting import export
from moodfader.engine.render import tags
from moodfader.models.common.atomic_write import check_folder, new_files
from moodfader.models.common.errors import InputError
from mutagen.flac import FLAC, Picture


@pytest.fixture
def explained(song, analysis_file, model_file):
    """The arguments of a quick explanation, into a folder."""
    common = ("--feature", "modality", "--format", "png", "--analysis", analysis_file, "--model", model_file)
    return lambda folder: ("explain", song, "-o", folder, *common)


@contextlib.contextmanager
def read_only(folder):
    """A folder on a file system that is read-only; None where this user may mount none."""
    mount = ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        folder.chmod(0o500)
        yield
        folder.chmod(0o700)
        return
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_folder_that_cannot_be_made_is_told_before_the_work(place, song, model_file, refused, monkeypatch):
    worked = []
    monkeypatch.setattr("moodfader.engine.analysis.cache.analyze", lambda *a, **k: worked.append(1))
    monkeypatch.setattr("moodfader.control.listening.pairs.make_pairs", lambda *a, **k: worked.append(1))
    with read_only(place):
        refused(["explain", song, "-o", place / "why", "--model", model_file], "is not writable")
        refused(["listen-test", place / "test", song, "--toward", "tender=0.1"], "is not writable")
    assert worked == []


def test_a_file_in_the_way_of_a_folder_is_named(tmp_path):
    (tmp_path / "song.wav").write_bytes(b"")
    with pytest.raises(InputError, match=r"song\.wav: is a file"):
        check_folder(tmp_path / "song.wav" / "why" / "not")
    check_folder(tmp_path / "new" / "folder")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("there", ["nothing", "a folder", "an explanation"])
def test_an_explanation_that_does_not_fit_leaves_nothing_of_it(
    explained, place, program, program_line, monkeypatch, there
):
    folder = place / "why"
    if there == "a folder":
        folder.mkdir()
    if there == "an explanation":
        assert program(*explained(folder)).code == 0

    def full(path, *rest):
        raise InputError(f"{path}: cannot be written (No space left on device)")

    monkeypatch.setattr(export, "write_sound", full)
    before = {path.name for path in folder.rglob("*")} if folder.exists() else None
    assert "No space left" in program_line(*explained(folder), "--overwrite")
    assert ({path.name for path in folder.rglob("*")} if folder.exists() else None) == before


def test_what_the_block_did_not_write_stays(tmp_path):
    folder = tmp_path / "why"

    def interrupted():
        with new_files(folder, [folder / "a", folder / "b"]):
            (folder / "a").write_text("ours")
            (folder / "c").write_text("of somebody else")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [path.name for path in folder.iterdir()] == ["c"]


@pytest.mark.parametrize("command", ["render", "steer"])
def test_tags_that_do_not_fit_are_told_of_the_output(command, place, noise, program_line, monkeypatch):
    source = place / "song.flac"
    soundfile.write(source, noise(2.0), 22050)
    picture = Picture()
    picture.data, picture.type = np.random.default_rng(0).bytes(1000), 3
    tagged = FLAC(source)
    tagged.add_picture(picture)
    tagged.save()

    def full(*_):
        raise mutagen.MutagenError(OSError(28, "No space left on device"))

    monkeypatch.setattr(tags, "_write", full)
    more = ("--toward", "tender=0.02") if command == "steer" else ("--set", "modality=3", "--quality", "draft")
    line = program_line(command, source, "-o", place / "out.wav", "-q", *more)
    assert line == f"moodfader: {place / 'out.wav'}: cannot be written (No space left on device)"
    assert [path.name for path in place.iterdir()] == ["song.flac"]
