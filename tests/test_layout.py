"""The shape of the house: imports point one way, and the wheel works where the source is not."""

import ast
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("models", "engine", "control")  # each may import from those before it


def imported_rooms(path: Path) -> set[str]:
    """The rooms that a module imports from, itself included where it is named."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level == 2:
            found.add((node.module or "").split(".")[0])
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("moodfader"):
            found.add((node.module or "").split(".")[1])
        elif isinstance(node, ast.Import):
            found.update(name.name.split(".")[1] for name in node.names if name.name.startswith("moodfader."))
    return found & set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_imports_point_one_way(room):
    allowed = set(ROOMS[: ROOMS.index(room) + 1])
    for path in sorted((ROOT / room).rglob("*.py")):
        assert imported_rooms(path) <= allowed, f"{path.relative_to(ROOT)} imports against the stream"


def test_only_the_reader_and_writer_open_sound_files():
    for path in sorted((ROOT / "engine").glob("*.py")):
        imports = {
            name.name.split(".")[0]
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Import)
            for name in node.names
        }
        if imports & {"soundfile", "av"}:
            assert path.name in ("decoding.py", "writer.py"), f"{path.name} opens sound files by itself"


def test_nothing_of_the_data_is_tracked():
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    sounds = [name for name in tracked if name.endswith((".ogg", ".mp3", ".wav", ".flac", ".csv", ".npz"))]
    assert sounds == ["presets/demo.ogg"]


def test_the_wheel_works_elsewhere(tmp_path):
    """Built, installed without the source in reach, and run: nothing may be missing from it."""
    source = tmp_path / "source"  # a copy, so that the build leaves nothing in the checkout and finds nothing there
    for name in ("models", "engine", "control", "presets"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(source)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    home = tmp_path / "elsewhere"
    venv.create(home, with_pip=False)
    site = next((home / "lib").glob("python*")) / "site-packages"
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    # the dependencies of this environment, but not its editable install, which only site would follow
    here = next(Path(sys.prefix, "lib").glob("python*")) / "site-packages"
    (site / "dependencies.pth").write_text(str(here))
    python = home / "bin" / "python"
    code = """
import importlib.util, importlib.resources, moodfader.engine.gains as gains, moodfader.control.cli
from moodfader.models.checkpoint import load_model
assert "elsewhere" in gains.__file__, gains.__file__
assert importlib.util.find_spec("engine") is None and importlib.util.find_spec("models") is None
assert (importlib.resources.files("moodfader.presets") / "demo.ogg").is_file()
print(load_model().digest)
"""
    run = subprocess.run([python, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert len(run.stdout.strip()) == 64
    shown = subprocess.run(
        [python, "-m", "moodfader.control.cli", "presets", "list"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.strip()
