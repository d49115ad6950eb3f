"""A library with broken files of twenty kinds: all others are done, each broken one is a row with its reason."""

import csv
import os
from pathlib import Path

import pytest
from batch.conftest import rows
from batch.library import lines_of, wait_for, write_broken, write_tracks


@pytest.mark.parametrize(
    ("tracks", "broken"), [(40, 20), pytest.param(4950, 50, marks=[pytest.mark.slow, pytest.mark.soak])]
)
def test_all_but_the_broken_files_are_done(started, tmp_path, tracks, broken):
    music, out = tmp_path / "music", tmp_path / "out"
    write_tracks(music, tracks, folders=8, seconds=1.0)
    names = write_broken(music / "broken", broken)
    process = started("predict", music, "-o", out, "--jobs", "2")

    def held() -> int:
        """Memory of the parent in bytes, while it runs."""
        return int(Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def alive() -> bool:
        return process.poll() is None

    measured = []
    for share in (0.2, 0.9):
        until = share * (tracks + broken)
        wait_for(lambda until=until: lines_of(out) > until, seconds=3000, alive=alive)
        if alive():
            measured.append(held())
    stdout, stderr = process.communicate()
    assert process.returncode == 3, stderr
    assert f"{tracks} of {tracks + broken} tracks done, {broken} failed" in stdout
    assert len(rows(out)) == tracks
    with (out / "failures.csv").open(newline="") as file:
        failures = list(csv.DictReader(file))
    assert sorted(row["file"].rsplit("/", 1)[1] for row in failures) == sorted(names)
    for row in failures:
        assert 5 < len(row["reason"]) < 200, row
        assert "\n" not in row["reason"]
        assert "fault of the program" not in row["reason"], row
    assert "Traceback" not in stderr
    if len(measured) == 2:
        assert measured[1] - measured[0] < 20e6  # (the parent holds no results)
