"""A destination on a disk that becomes full: a tmpfs in a mount namespace of its own, which is made larger later."""

import os
import shutil
import subprocess

import pytest
from batch.conftest import PROGRAM

NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-e", "-c")
SCRIPT = """
place=$1; plenty=$2; shift 2
mount -t tmpfs -o size=400k tmpfs "$place"
code=0; "$@" > "$plenty/first.out" 2> "$plenty/first.err" || code=$?
echo "$code" > "$plenty/first.code"
find "$place" -name '.*' -type f > "$plenty/hidden"
mount -o remount,size=200m "$place"
"$@" > "$plenty/second.out" 2> "$plenty/second.err"
cp -r "$place/out" "$plenty/made"
"""


def may_mount(folder):
    """Whether a file system can be mounted in a namespace here."""
    if shutil.which("unshare") is None:
        return False
    command = [*NAMESPACE, 'mount -t tmpfs -o size=100k tmpfs "$1"', "sh", str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.slow
def test_a_full_disk_stops_the_batch_in_one_line_and_the_same_command_goes_on(library, batch, model_file, tmp_path):
    place, plenty = tmp_path / "place", tmp_path / "plenty"
    for folder in (place, plenty):
        folder.mkdir()
    if not may_mount(place):
        pytest.skip("no file system can be mounted in a namespace here")
    order = ["render", library, "-o", place / "out", "--set", "modality=6", "--coupled", "--evaluations", "64"]
    command = [*PROGRAM, *map(str, order), "--jobs", "1", "--model", str(model_file)]
    environment = os.environ | {"MOODFADER_CACHE": str(tmp_path / "cache")}
    subprocess.run([*NAMESPACE, SCRIPT, "sh", str(place), str(plenty), *command], env=environment, check=True)
    assert (plenty / "first.code").read_text() == "3\n"
    assert (plenty / "first.err").read_text() == ""
    told = (plenty / "first.out").read_text().splitlines()
    assert [line for line in told if "no space left" in line and line.startswith("stopped: ")], told
    assert (plenty / "hidden").read_text().splitlines() == [f"{place}/out/.lock"]
    sounds = {path.relative_to(plenty / "made") for path in (plenty / "made").rglob("*.flac")}
    assert len(sounds) == 12
    batch(
        "render",
        library,
        "-o",
        tmp_path / "plain",
        *order[4:],
        "--jobs",
        "1",
        MOODFADER_CACHE=str(tmp_path / "cache"),
    )
    for name in sounds:
        assert (plenty / "made" / name).read_bytes() == (tmp_path / "plain" / name).read_bytes()
