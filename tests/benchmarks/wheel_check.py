"""The built wheel in fresh environments: the core alone, then with all extras, and the demonstration's main steps.

    python tests/benchmarks/wheel_check.py [PYTHON ...] [--extras all] [--keep FOLDER]

PYTHON are interpreters (python3.11, /path/to/python, 3.12); without any, all of 3.11 to 3.13 that are found on PATH
or under ~/.pyenv. Each gets an environment of its own (about 7 GB with torch's CUDA libraries) that is deleted after.
Needs a package index. Exit code 1 if any step failed.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
VERSIONS = ("3.11", "3.12", "3.13")


def interpreters(wanted: Sequence[str]) -> list[str]:
    """Paths of the wanted interpreters, or of one of each of VERSIONS."""
    found = []
    for name in wanted or VERSIONS:
        known = [shutil.which(name), shutil.which(f"python{name}")]
        known += sorted(map(str, Path.home().glob(f".pyenv/versions/{name}*/bin/python")))
        working = [path for path in known if path and runs(path)]
        if working:
            found.append(working[0])
        else:
            print(f"no interpreter {name} here")
    return found


def runs(python: str) -> bool:
    """Whether an interpreter starts (a shim of pyenv may have none behind it)."""
    return subprocess.run([python, "-c", "import venv, ensurepip"], capture_output=True, check=False).returncode == 0


def built_wheel(folder: Path) -> Path:
    """The wheel of the working tree, built from a copy."""
    source = folder / "source"
    for name in ("models", "engine", "control", "presets"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("__init__.py", "py.typed", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


class Environment:
    """A fresh environment and a folder to run its program in."""

    def __init__(self, python: str, home: Path) -> None:
        self.home, self.desk, self.failed = home, home / "desk", 0
        subprocess.run([python, "-m", "venv", str(home)], check=True)
        self.desk.mkdir()
        self.bin = home / "bin"
        # nothing of the user's: no path of other packages, no cache, no configuration
        self.environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | {
            "MOODFADER_CACHE": str(home / "cache"),
            "MOODFADER_CONFIG": str(home / "configuration"),
            "MPLBACKEND": "agg",
        }

    def install(self, what: str) -> None:
        """Install by pip, and see that all requirements fit."""
        self.step("pip install " + what.rpartition("/")[2], str(self.bin / "pip"), "install", "-q", what)
        self.step("pip check", str(self.bin / "pip"), "check")

    def step(self, name: str, *command: str, code: int = 0, says: str = "") -> str:
        """Run a command in the desk; `says` has to be in what it prints."""
        begun = time.monotonic()
        done = subprocess.run(
            command, cwd=self.desk, env=self.environment, capture_output=True, text=True, check=False
        )
        good = done.returncode == code and says in done.stdout + done.stderr and "Traceback" not in done.stderr
        print(f"    {'ok  ' if good else 'FAIL'} {time.monotonic() - begun:6.1f} s  {name}", flush=True)
        if not good:
            self.failed += 1
            print("\n".join(f"        {line}" for line in (done.stdout + done.stderr).splitlines()[-15:]), flush=True)
        return done.stdout

    def program(self, *arguments: str, code: int = 0, says: str = "") -> str:
        """Run the installed program."""
        shown = "moodfader " + " ".join(arguments)
        return self.step(shown, str(self.bin / "moodfader"), *arguments, code=code, says=says)

    def python(self, script: str, *, says: str = "") -> str:
        """Run a line of Python."""
        return self.step(f"python -c {script!r}", str(self.bin / "python"), "-c", script, says=says)


def check_core(fresh: Environment) -> None:
    """What the core has to do without any extra."""
    fresh.python(
        "import sys, moodfader; assert 'torch' not in sys.modules; "
        "from importlib.resources import files; import shutil; "
        "shutil.copy(str(files('moodfader.presets') / 'demo.ogg'), 'song.ogg'); print(moodfader.__version__)"
    )
    fresh.program("--help", says="predict")
    fresh.program("presets", "list", says="agitato")
    fresh.program("predict", "song.ogg", "--json", says="valence")
    fresh.program(
        "analyze", "song.ogg", "-o", "song.npz", "--evaluations", "64", "--quiet", "--json", says="segments"
    )
    faders = ("--analysis", "song.npz", "--set", "dissonance=6", "--set", "articulation=-3")
    fresh.program("render", "song.ogg", "-o", "out.wav", *faders, "--json", says="out.wav")
    fresh.python(
        "import moodfader, soundfile; s, r = soundfile.read('song.ogg', dtype='float32'); "
        "print(moodfader.predict(s[:r * 12], r).emotions['valence'])"
    )
    if not (fresh.desk / "out.wav").is_file():
        fresh.failed += 1
    fresh.program("explain", "song.ogg", "-o", "why", code=2, says="moodfader[plot]")


def check_all(fresh: Environment) -> None:
    """What the extras add: the demonstration, an explanation, playing, the web page, judges, batches, MIDI."""
    made = fresh.program("demo", "-o", "demo", "--json", says="overview.png")
    pictures = list((fresh.desk / "demo").glob("*.png"))
    if not made or not pictures:
        fresh.failed += 1
    fresh.program("explain", "song.ogg", "-o", "why", "--analysis", "song.npz", "--feature", "modality", "--quiet")
    fresh.python("import soundfile as s; x, r = s.read('song.ogg'); s.write('short.wav', x[:2 * r], r)")
    fresh.program("play", "short.wav", "--backend", "null", "--no-terminal", "--no-osc")
    fresh.program(
        "play",
        "short.wav",
        "--backend",
        "null",
        "--no-terminal",
        "--no-osc",
        "--web",
        "--web-port",
        "0",
        says="http://",
    )
    fresh.python("from moodfader.control.web.page_app import page_files; print(*page_files())", says="index.html")
    fresh.python("import soundfile as s; x, r = s.read('song.ogg'); s.write('part.wav', x[:12 * r], r)")
    asked = ("--toward", "tender=+0.02", "--judges", "--min-quality", "2")
    fresh.program("steer", "part.wav", "-o", "steered.wav", *asked, "--quiet", "--json", says="steered.wav")
    batch = ("batch", "predict", "song.ogg", "short.wav", "--table", "parquet", "--quiet")
    fresh.program(*batch, "-o", "library", "--jobs", "1")
    fresh.program(*batch, "-o", "library-by-dask", "--jobs", "1", "--scheduler", "local")
    fresh.python("import pyarrow.parquet as p; print(p.read_table('library/results.parquet').num_rows)", says="2")
    fresh.program("midi", "list")
    fresh.python("import pyo, jack, textual, zeroconf, mido, music21, librosa, zimtohrli, s3fs")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pythons", nargs="*", metavar="PYTHON")
    parser.add_argument("--extras", default="all", help="extras of the second part; empty: the core alone")
    parser.add_argument("--keep", type=Path, help="put the environments here and leave them")
    options = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory(prefix="wheel-check-") as temporary:
        wheel = built_wheel(Path(temporary))
        for number, python in enumerate(interpreters(options.pythons)):
            home = (options.keep or Path(temporary)) / f"environment-{number}"
            version = subprocess.run([python, "-V"], capture_output=True, text=True, check=True).stdout.strip()
            print(f"{version} ({python}), {wheel.name}", flush=True)
            fresh = Environment(python, home)
            print("  the core", flush=True)
            fresh.install(str(wheel))
            check_core(fresh)
            if options.extras:
                print(f"  with [{options.extras}]", flush=True)
                fresh.install(f"{wheel}[{options.extras}]")
                check_all(fresh)
            listed = subprocess.run(
                [str(fresh.bin / "pip"), "list", "--format", "json"], capture_output=True, text=True, check=True
            )
            versions = {entry["name"].lower(): entry["version"] for entry in json.loads(listed.stdout)}
            print("  " + ", ".join(f"{name} {versions[name]}" for name in ("torch", "numpy", "scipy", "av", "typer")))
            failed += fresh.failed
            if options.keep is None:
                shutil.rmtree(home)
    print("all steps passed" if not failed else f"{failed} steps failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
