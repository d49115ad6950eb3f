"""Packaging: imports between folders point one way, and the wheel works where the source is not."""

import re
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest
from helpers.packages import FOLDERS, LAYERS, ROOT, absolute_imports, modules_of, package_of

DOORWAYS = {
    ("engine/analysis/analysis.py", "moodfader.engine.plotting.mask_plot"),
    ("engine/analysis/analysis.py", "moodfader.engine.plotting.mask_plot.plot_mask"),
}
"""Imports of an upper layer that are meant, inside of a function: Analysis.plot, for users."""
DATA_FOLDERS = {"moodfader.models.jury.weights", "moodfader.control.web.page"}
"""Folders of files alone; setuptools wants to be told of them as of packages."""
MAX_MODULES = 10
STANDALONE = {
    "control.experiments.default_model",  # trained the model that ships
    "control.experiments.listeners.make_linear_listeners",  # fitted linear listeners; imports what trained the judges
    "control.experiments.listeners.make_taught_listener",  # the same
    "models.synthesis.demo_track",  # made the demonstration track
    "models.synthesis.sweep_sets",  # the recipe of the model card
}


def upward_imports(root: Path) -> list[str]:
    """What imports from a package above its own, a line each."""
    found = []
    for path in sorted(path for folder in FOLDERS for path in (root / folder).rglob("*.py")):
        own, rel = package_of(path, root), path.relative_to(root).as_posix()
        for name in sorted(absolute_imports(path, root)):
            if level_of(name) > level_of(f"moodfader.{own}.") and (rel, name) not in DOORWAYS:
                found.append(f"{rel} imports {name}")
    return found


def level_of(name: str) -> tuple[int, int]:
    """Place of what is imported: its folder, then its package's layer; (-1, -1) for what is not ours.

    What lies in a folder itself (control/cli.py) is above the packages of the folder.
    """
    parts = name.split(".")
    if parts[0] != "moodfader" or len(parts) < 2 or parts[1] not in FOLDERS:
        return -1, -1
    for length in range(len(parts), 1, -1):
        if (package := ".".join(parts[1:length])) in LAYERS:
            return FOLDERS.index(parts[1]), LAYERS.index(package)
    return FOLDERS.index(parts[1]), len(LAYERS)


def sound_file_imports(root: Path) -> list[str]:
    """Modules of the engine that open sound files, a line each."""
    readers = {"soundfile", "av"}
    return [
        str(path.relative_to(root))
        for path in sorted((root / "engine").rglob("*.py"))
        if {name.split(".")[0] for name in absolute_imports(path, root)} & readers
    ]


def test_imports_point_one_way():
    assert upward_imports(ROOT) == []


def test_every_package_has_its_layer_and_is_installed():
    packages = set(modules_of(ROOT))
    assert {
        name for name in packages if name not in FOLDERS and level_of(f"moodfader.{name}")[1] == len(LAYERS)
    } == set()
    assert set(LAYERS) <= packages
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    listed = project["tool"]["setuptools"]["packages"]
    ours = {f"moodfader.{name}" for name in packages}
    assert sorted(listed) == sorted({"moodfader", "moodfader.presets", *DATA_FOLDERS, *ours})


def test_no_module_imports_itself_in_a_circle():
    """Modules, imported at once or in a function; what only type checkers read does not count."""
    graph = {}
    for path in sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")):
        name = ".".join(("moodfader", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")
        graph[name] = absolute_imports(path, ROOT, typing=False)
    graph = {name: {other for other in found if other in graph and other != name} for name, found in graph.items()}
    while leaves := [name for name, found in graph.items() if not found & set(graph)]:
        for name in leaves:
            del graph[name]
    circles = {name for name in graph if reaches({key: found & set(graph) for key, found in graph.items()}, name)}
    assert circles <= {"moodfader.engine.analysis.analysis", "moodfader.engine.plotting.mask_plot"}  # (DOORWAYS)


def reaches(graph: dict[str, set[str]], start: str) -> bool:
    """Whether a way along the imports leads back to where it began."""
    seen: set[str] = set()
    pending = set(graph[start])
    while pending:
        name = pending.pop()
        seen.add(name)
        pending |= graph[name] - seen
    return start in seen


def test_no_folder_has_more_modules_than_can_be_looked_over():
    assert {name: found for name, found in modules_of(ROOT).items() if len(found) > MAX_MODULES} == {}


def test_every_module_has_a_user():
    """A module that no other one imports or names is dead, or run by people (STANDALONE)."""
    paths = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")] + [ROOT / "__init__.py"]
    used = set().union(*(absolute_imports(path, ROOT) for path in paths))
    named = set(re.findall(r'"([a-z_.]+)"', "".join(path.read_text() for path in paths)))  # imported by their names
    modules = {f"{package}.{name}" for package, names in modules_of(ROOT).items() for name in names}
    dead = {name for name in modules if f"moodfader.{name}" not in used and not {name, name.split(".")[-1]} & named}
    assert dead == STANDALONE


def test_only_the_reader_and_writer_open_sound_files():
    assert {Path(name).name for name in sound_file_imports(ROOT)} == {"decode.py", "ffmpeg.py", "audio_writer.py"}


def test_an_import_against_the_layers_is_seen_in_a_sub_package(tmp_path):
    for folder in FOLDERS:
        (tmp_path / folder).mkdir()
    bad = tmp_path / "engine" / "dsp" / "bad.py"
    bad.parent.mkdir()
    bad.write_text("from ...control import cli\nfrom ..live.player import Player\nimport soundfile\n")
    assert upward_imports(tmp_path) == [
        "engine/dsp/bad.py imports moodfader.control",
        "engine/dsp/bad.py imports moodfader.control.cli",
        "engine/dsp/bad.py imports moodfader.engine.live.player",
        "engine/dsp/bad.py imports moodfader.engine.live.player.Player",
    ]
    assert sound_file_imports(tmp_path) == ["engine/dsp/bad.py"]


def test_the_live_render_path_imports_no_torch():
    """The render and output processes start in tenths of a second and leave the processor to the sound."""
    live = (
        "engine.live.render_process",
        "engine.devices.output_device",
        "engine.devices.backends",
        "engine.devices.null_backend",
        "engine.live.player",
        "control.session.session",
    )
    code = f"import sys\nfor name in {live}: __import__('moodfader.' + name)\nassert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_nothing_of_the_data_is_tracked():
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    sounds = [name for name in tracked if name.endswith((".ogg", ".mp3", ".wav", ".flac", ".csv", ".npz"))]
    assert sounds == ["presets/demo.ogg", "tests/fixtures/analysis_0_7.npz"]  # (of a synthetic tone)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """Python of an environment with the built wheel in it, where the source is not in reach; and a folder."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"  # a copy, so that the build leaves nothing in the checkout and finds nothing there
    for name in ("models", "engine", "control", "presets"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("__init__.py", "py.typed", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(source)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    home = folder / "elsewhere"
    venv.create(home, with_pip=False)
    site = next((home / "lib").glob("python*")) / "site-packages"
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    # the dependencies of this environment, but not its editable install, which only site would follow
    here = [path for path in sys.path if path.endswith("site-packages")]
    (site / "dependencies.pth").write_text("\n".join(here))
    return home / "bin" / "python", folder


def test_the_wheel_works_elsewhere(elsewhere):
    """Built, installed without the source in reach, and run: nothing may be missing from it."""
    python, folder = elsewhere
    code = """
import importlib.metadata, importlib.util, importlib.resources, moodfader.engine.dsp.segment_mask as gains
import moodfader, moodfader.control.cli
assert "elsewhere" in gains.__file__, gains.__file__
assert importlib.util.find_spec("engine") is None and importlib.util.find_spec("models") is None
assert (importlib.resources.files("moodfader.presets") / "demo.ogg").is_file()
assert importlib.metadata.version("moodfader") == moodfader.__version__
print(moodfader.load_model(device="cpu").digest)
"""
    run = subprocess.run([python, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert len(run.stdout.strip()) == 64
    shown = subprocess.run(
        [python, "-m", "moodfader.control.cli", "presets", "list"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.strip()


@pytest.mark.slow
def test_a_users_type_checker_sees_the_types(elsewhere):
    """The wheel says that it is typed, and the lazy names of `moodfader` are seen through."""
    python, folder = elsewhere
    script = folder / "script.py"
    script.write_text(
        "import moodfader\n"
        "reveal_type(moodfader.predict)\n"
        "reveal_type(moodfader.Faders(dissonance=6).dissonance)\n"
        "reveal_type(moodfader.FaderProcessor.latency)\n"
        "moodfader.Faders(dissonance='much')\n"
    )
    options = ["--python-executable", python, "--strict", "--no-error-summary", "--cache-dir", folder / "mypy"]
    run = subprocess.run(
        [sys.executable, "-m", "mypy", *options, script], cwd=folder, capture_output=True, text=True, check=False
    )
    shown = run.stdout.splitlines()
    assert "moodfader.engine.analysis.prediction.Prediction" in shown[0], run.stdout + run.stderr
    assert '"float"' in shown[1]
    assert "FaderProcessor" in shown[2]
    assert 'incompatible type "str"' in shown[3]
    assert len(shown) == 4
