"""What judges hear of faders at +-6 dB, in absolute size: files of this version beside those of another one.

    python tests/benchmarks/bench_heard_against.py OTHER [FILE ...] [--jury development|reporting]

OTHER is the interpreter of an environment with another release in it. Both render every fader at +6 and -6 dB to a
file at the loudness of the input, by their own models and defaults; the judges are asked about the first ten seconds.
A share of what a network claims says nothing of two networks that claim differently; the judges' own move does.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from bench_requests import default_files
from moodfader.engine import load_track
from moodfader.engine.audio.track import Track
from moodfader.engine.excerpts.stretches import EXCERPT_S, read_excerpts
from moodfader.models.common.arrays import FloatArray, Floats
from moodfader.models.common.constants import MIDLEVEL
from moodfader.models.jury.judges import Judge, load_jury

SIGNS = (6, -6)
RENDERS = (
    f"""
SIGNS = {SIGNS}"""
    + """
import contextlib, io, sys
from moodfader.control import cli
number, source, *names = sys.argv[1:]
for name in names:
    for db in SIGNS:
        command = ["render", source, "-o", f"{number}_{name}_{db}.wav", "--set", f"{name}={db}"]
        with contextlib.redirect_stdout(io.StringIO()):
            code = cli.run([*command, "--match-loudness", "--bit-depth", "float", "--quiet", "--overwrite"])
        if code:
            raise SystemExit(f"{source}, {name} at {db} dB: exit code {code}")
"""
)
"""In one process for a track, so that torch is imported once."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("other", help="interpreter of the other environment")
    parser.add_argument("files", type=Path, nargs="*", help="tracks; by default eight of the research data")
    parser.add_argument("--jury", default="development", choices=["development", "reporting"])
    options = parser.parse_args()
    files = [file.absolute() for file in options.files or default_files()]
    judges = load_jury(options.jury)
    moves = {}
    for label, python in (("here", sys.executable), ("other", options.other)):
        with tempfile.TemporaryDirectory() as folder:
            found = [_moves(python, number, file, Path(folder), judges) for number, file in enumerate(files)]
        moves[label] = np.stack(found)
    _print_table(moves, judges)


def _moves(python: str, number: int, file: Path, folder: Path, judges: tuple[Judge, ...]) -> Floats:
    """Moves of the judges in the direction of each fader: [features, signs, judges]."""
    subprocess.run([python, "-c", RENDERS, str(number), str(file), *MIDLEVEL], cwd=folder, check=True)
    original = load_track(file)
    before = _ask(judges, _first_excerpt(original))
    found = np.empty((len(MIDLEVEL), len(SIGNS), len(judges)))
    for feature, name in enumerate(MIDLEVEL):
        for place, db in enumerate(SIGNS):
            steered = load_track(folder / f"{number}_{name}_{db}.wav")
            # the scale at which the original has a peak of one, and the loudness of the files as it is
            scale = np.float32(steered.network_peak / original.network_peak)
            after = _ask(judges, _first_excerpt(steered) * scale)
            found[feature, place] = (after - before)[:, feature] * np.sign(db)
    return found


def _first_excerpt(track: Track) -> FloatArray:
    (sound,) = read_excerpts(track, [(0.0, min(EXCERPT_S, track.duration_s))])
    return sound


def _ask(judges: tuple[Judge, ...], sound: FloatArray) -> Floats:
    return np.stack([judge.predict(sound) for judge in judges])


def _print_table(moves: dict[str, Floats], judges: tuple[Judge, ...]) -> None:
    columns = [f"{judge.name}, {label}: move, sign" for label in moves for judge in judges]
    print("| fader | " + " | ".join(columns) + " |\n|" + " --- |" * (len(columns) + 1))
    rows = {name: [move[:, [feature]] for move in moves.values()] for feature, name in enumerate(MIDLEVEL)}
    for name, parts in {**rows, "all": list(moves.values())}.items():
        cells = []
        for part in parts:
            flat = part.reshape(-1, len(judges))
            cells += [f"{mean:+.4f}, {sign:.2f}" for mean, sign in zip(flat.mean(0), (flat > 0).mean(0), strict=True)]
        print(f"| {name.replace('_', ' ')} | " + " | ".join(cells) + " |")
    here, other = (float(move.mean()) for move in moves.values())
    print(f"\nmean of all judges and faders: here {here:+.4f}, other {other:+.4f}: {here / other:.1f} times")


if __name__ == "__main__":
    main()
