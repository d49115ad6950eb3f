"""Forty requests over eight tracks: is each emotion moved as asked, are the kept ones kept, and what do judges hear?

The requests are written down below: one or two emotions by .05 or .10, up to two kept; a sign is turned
where the track has no room that way (below .2 it is up, above .8 down). The first ten seconds of each track, in
memory (the gain path; equal to the written file's prediction within 1e-4, tests/steering/test_gain_path.py).
Prints the table of requests in Markdown, and how many were reached to nine tenths with what is kept moved by less
than a fifth.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from explain_runs import DATA
from moodfader.engine import load_track
from moodfader.engine.excerpts.stretches import read_excerpts
from moodfader.engine.file_targets.targets import Targets, solve_targets
from moodfader.engine.steering.gain_path import GainPath
from moodfader.engine.steering.handle_excerpts import HandleExcerpts
from moodfader.engine.steering.listeners import own_listeners
from moodfader.models.common.constants import EMOTIONS, MIDLEVEL
from moodfader.models.inference.checkpoint import load_model
from moodfader.models.inference.threads import torch_threads
from moodfader.models.jury.judges import load_jury

REQUESTS = (
    ({"tender": 0.10}, ("energy",)),
    ({"tension": -0.10}, ("valence",)),
    ({"happy": 0.10, "energy": 0.05}, ("fear",)),
    ({"sad": 0.10}, ("tender", "fear")),
    ({"anger": 0.05}, ()),
    ({"energy": -0.10}, ("sad",)),
    ({"fear": 0.10}, ("energy",)),
    ({"valence": 0.10}, ("energy", "tender")),
    ({"tender": -0.05, "tension": 0.05}, ()),
    ({"happy": -0.10}, ("anger",)),
)
"""Each track is asked five of them: the even ones the first half, the odd ones the second."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", type=Path, nargs="*", help="eight tracks; by default of the research data")
    parser.add_argument("--model", type=Path, default=None)
    parser.add_argument("--jury", default="", metavar="development|reporting", help="also ask this jury")
    options = parser.parse_args()
    files = options.files or default_files()
    model = load_model(options.model)
    listeners = own_listeners(model)
    judges = load_jury(options.jury) if options.jury else ()
    columns = ["track", "asked", "kept", "reached", "kept moved", "rms dB", "s", *(judge.name for judge in judges)]
    print("| " + " | ".join(columns) + " |\n|" + " --- |" * len(columns))
    good, heard = 0, []
    for number, file in enumerate(files):
        track = load_track(file)
        (sound,) = read_excerpts(track, [(0.0, min(10.0, track.duration_s))])
        with torch.inference_mode():
            now = listeners[0](GainPath(sound).front_end(torch.from_numpy(sound)))
        before = [judge.predict(sound) for judge in judges]
        for toward, keep in REQUESTS[number % 2 :: 2]:
            asked = {name: _with_room(value, float(now[_output(name)])) for name, value in toward.items()}
            targets = Targets(asked, keep)
            begun = time.monotonic()
            with torch_threads(1):
                excerpts = HandleExcerpts([sound], listeners)
                coefficients = solve_targets(excerpts, targets).coefficients
            seconds = time.monotonic() - begun
            moves = (excerpts.measure(coefficients) - excerpts.before)[0, len(MIDLEVEL) :]
            moved = dict(zip(EMOTIONS, moves.tolist(), strict=True))
            good += targets.reached(moved)
            cells = [file.stem, _signed(asked), ", ".join(keep)]
            cells += [_signed({name: moved[name] for name in asked}), _signed({name: moved[name] for name in keep})]
            cells += [f"{excerpts.rms_db(coefficients):.1f}", f"{seconds:.1f}"]
            (after,) = excerpts.sounds(coefficients)
            for judge, was in zip(judges, before, strict=True):
                by = judge.predict(after) - was
                share = np.mean([by[_output(name)] / value for name, value in asked.items()])
                cells.append(f"{share:.2f}")
                heard.append(share)
            print("| " + " | ".join(cells) + " |", flush=True)
    print(f"\n{good} of {5 * len(files)} requests: reached to .90, kept moved by less than .20 of what was asked")
    if judges:
        shares = np.reshape(heard, (-1, len(judges)))
        for judge, share, sign in zip(judges, shares.mean(0), (shares > 0).mean(0), strict=True):
            print(f"{judge.name} ({options.jury}): share {share:.2f}, sign {sign:.2f}")


def default_files() -> list[Path]:
    """Four film clips and four songs of other genres."""
    found = []
    for folder in ("soundtracks", "emotify"):
        files = sorted((DATA / folder / "audio").glob("*.ogg"))
        if not files:
            raise SystemExit(f"no clips in {DATA / folder / 'audio'} (MOODFADER_DATA names their folder)")
        found += [files[i] for i in np.linspace(0, len(files) - 1, 6).round().astype(int)[1:-1]]
    return found


def _with_room(shift: float, now: float) -> float:
    return abs(shift) if now < 0.2 else -abs(shift) if now > 0.8 else shift


def _output(name: str) -> int:
    return len(MIDLEVEL) + EMOTIONS.index(name)


def _signed(values: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:+.3f}" for name, value in values.items())


if __name__ == "__main__":
    main()
