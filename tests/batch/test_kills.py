"""A batch that is killed at random moments and started again ends as one that nobody disturbed."""

import random

import pytest
from batch.library import journal_names, lines_of, tree, wait_for, write_tracks
from moodfader.control.cli import run

COMMON = ("--emotions-every", "0.5", "--jobs", "2")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tracks", "kills"), [(8, 3), pytest.param(200, 20, marks=[pytest.mark.slow, pytest.mark.soak])]
)
def test_killed_at_random_moments(batch, started, model_file, tmp_path, tracks, kills):
    music, out = tmp_path / "music", tmp_path / "out"
    write_tracks(music, tracks, folders=2)
    undisturbed = ["batch", "predict", str(music), "-o", str(tmp_path / "undisturbed"), *COMMON, "--quiet"]
    assert run([*undisturbed, "--model", model_file]) == 0
    moments = random.Random(tracks)
    for kill in range(kills):
        process = started("predict", music, "-o", out, *COMMON)
        aim = lines_of(out) + moments.randint(0 if kill else 1, tracks // kills)
        wait_for(lambda aim=aim: lines_of(out) > aim, alive=lambda p=process: p.poll() is None)
        process.kill()
        process.communicate()
        assert lines_of(out) > 1
    batch("predict", music, "-o", out, *COMMON)
    assert tree(out) == tree(tmp_path / "undisturbed")
    assert journal_names(out) == journal_names(tmp_path / "undisturbed")
    assert set(journal_names(out).values()) == {1}
