"""Does a fader do what it says? Each feature by +6 dB on clips of the research data, heard by the network afterwards.

Prints a table in Markdown: how often the measured prediction of the feature on the written file rose, how far, how
far the surrogate expected it to, and how far the other six moved on average for each unit of its own move.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch
from explain_runs import DATA
from moodfader.engine import AnalysisSettings, Faders, analyze, load_track
from moodfader.engine.analysis.surrogate import surrogate_midlevel
from moodfader.engine.dsp.segment_mask import segment_gain_db
from moodfader.engine.render.render import render
from moodfader.models.common.constants import MIDLEVEL
from moodfader.models.inference.checkpoint import load_model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=20)
    parser.add_argument("--passes", type=int, default=AnalysisSettings().passes)
    parser.add_argument("--db", type=float, default=6.0)
    parser.add_argument("--model", type=Path, default=None)
    options = parser.parse_args()
    torch.set_num_threads(1)
    files = sorted((DATA / "soundtracks" / "audio").glob("*.ogg"))
    if not files:
        raise SystemExit(f"no clips in {DATA / 'soundtracks' / 'audio'} (MOODFADER_DATA names their folder)")
    files = [files[i] for i in np.linspace(0, len(files) - 1, options.clips).round().astype(int)]
    model = load_model(options.model)
    moves = np.zeros((len(files), 7, 7))  # [clips, faders, features]
    expected = np.zeros((len(files), 7))
    with tempfile.TemporaryDirectory() as folder:
        for row, file in enumerate(files):
            track = load_track(file)
            analysis = analyze(
                track,
                model=model,
                settings=AnalysisSettings(passes=options.passes),
                output=Path(folder) / f"{file.stem}.npz",
            )
            for k, name in enumerate(MIDLEVEL):
                faders = Faders.from_mapping({name: options.db})
                made = render(track, analysis, Path(folder) / "out.wav", faders=faders, model=model, overwrite=True)
                moves[row, k] = [made.midlevel["after"][n] - made.midlevel["before"][n] for n in MIDLEVEL]
                gains = segment_gain_db(analysis.mask_weights, faders.to_array())
                expected[row, k] = surrogate_midlevel(analysis, gains)[k]
            print(f"{file.stem}: {np.diag(moves[row]).round(3)}", flush=True)
    own = np.diagonal(moves, axis1=1, axis2=2)
    others = (np.abs(moves).sum(2) - np.abs(own)) / 6 / np.maximum(np.abs(own), 1e-9)
    print(f"\n| fader {options.db:+g} dB | rose in | mean shift | least | surrogate expected | others per own |")
    print("| --- | --- | --- | --- | --- | --- |")
    for k, name in enumerate(MIDLEVEL):
        print(
            f"| {name} | {(own[:, k] > 0).sum()} of {len(files)} | {own[:, k].mean():+.3f} | {own[:, k].min():+.3f} "
            f"| {expected[:, k].mean():+.3f} | {np.median(others[:, k]):.2f} |"
        )
    print(
        f"| all | {(own > 0).sum()} of {own.size} | {own.mean():+.3f} | {own.min():+.3f} | {expected.mean():+.3f} | |"
    )
    print(f"\nmodel {model.digest[:12]}, {options.passes} passes, {len(files)} clips")


if __name__ == "__main__":
    main()
