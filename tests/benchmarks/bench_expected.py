"""Does a setting do what is expected of it? 32 settings a track, each written to a file and heard again.

24 settings of one fader (seven faders at +-3, +-6 and +-12 dB in turn) and the eight presets that ship. Expected is
what the analysis says (the measured response of the track; of a preset, which is solved as a whole, what each of its
faders moves its own feature by), measured what the network that ships hears in the file,
as loud as the original. Prints a table in Markdown: slope of measured against expected and their r over all 32 x 7
changes; how far the other six features move for each unit of a fader's own move at +6 and at -6 dB, and that move
beside the coupled faders' one; a preset's miss per what it asks; seconds of analysis and of all renders.
"""

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from explain_runs import DATA
from moodfader.control.session.presets import available_presets, read_preset
from moodfader.engine import AnalysisSettings, Faders, load_track
from moodfader.engine.analysis.analyze_track import analyze_track
from moodfader.engine.analysis.surrogate import expected_midlevel
from moodfader.engine.render.render import render
from moodfader.models.common.constants import MIDLEVEL
from moodfader.models.inference.checkpoint import load_model

SIZES_DB = (6.0, -6.0, 3.0, -12.0, 12.0, -3.0)


def settings() -> list[Faders]:
    """14 of +-6 dB, ten of +-3 and +-12 dB, and the presets."""
    chosen = [Faders.from_mapping({name: db}) for db in SIZES_DB[:2] for name in MIDLEVEL]
    chosen += [Faders.from_mapping({MIDLEVEL[n % 7]: SIZES_DB[2 + n % 4]}) for n in range(10)]
    shipped = [read_preset(path) for path in available_presets().values()]
    return chosen + [preset.faders for preset in shipped if not preset.is_user]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", type=Path, nargs="*", help="tracks; by default clips of the research data")
    parser.add_argument("--clips", type=int, default=4)
    parser.add_argument("--model", type=Path, default=None)
    options = parser.parse_args()
    files = options.files or sorted((DATA / "soundtracks" / "audio").glob("*.ogg"))
    if not files:
        raise SystemExit(f"no clips in {DATA / 'soundtracks' / 'audio'} (MOODFADER_DATA names their folder)")
    if not options.files:
        files = [files[i] for i in np.linspace(0, len(files) - 1, options.clips + 2).round().astype(int)[1:-1]]
    model = load_model(options.model)
    print("| track | slope | r | others per own | own, coupled | presets missed, worst | analysis, renders in s |")
    print("|" + " --- |" * 7)
    with tempfile.TemporaryDirectory() as folder:
        for file in files:
            print(_row(file, Path(folder), model), flush=True)
    print(f"\nmodel {model.digest[:12]}, {len(settings())} settings a track")


def _row(file: Path, folder: Path, model: object) -> str:
    track = load_track(file)
    begun = time.monotonic()
    analysis = analyze_track(track, model, AnalysisSettings())  # type: ignore[arg-type]
    analysed_s = time.monotonic() - begun

    def moved(faders: Faders, by: object = analysis) -> np.ndarray:
        made = render(
            track,
            by,
            folder / "out.wav",
            faders=faders,
            model=model,
            overwrite=True,  # type: ignore[arg-type]
        )
        return np.array([made.midlevel["after"][name] - made.midlevel["before"][name] for name in MIDLEVEL])

    begun = time.monotonic()
    chosen = settings()
    measured = np.array([moved(faders) for faders in chosen])
    rendered_s = time.monotonic() - begun
    alone = np.array([expected_midlevel(analysis, faders.to_array()) for faders in chosen[:24]])
    asked = np.array([[_own(analysis, faders, k) for k in range(7)] for faders in chosen[24:]])  # (solved as wholes)
    expected = np.concatenate((alone, asked))
    x, y = expected.ravel(), measured.ravel()
    sixes = measured[:14].reshape(2, 7, 7) * np.array([1.0, -1.0])[:, None, None]
    own = sixes.diagonal(axis1=1, axis2=2)
    others = (np.abs(sixes).sum() - np.abs(own).sum()) / 6 / np.abs(own).sum()
    coupled = replace(
        analysis, mask_weights=analysis.selected_weights, selected=None, response=None, subsegments=None
    )
    plain = [moved(faders, coupled)[n % 7] * (1, -1)[n // 7] for n, faders in enumerate(chosen[:14])]
    misses = np.linalg.norm(measured[24:] - asked, axis=1) / np.linalg.norm(asked, axis=1)
    return (
        f"| {file.stem} | {x @ y / (x @ x):.3f} | {np.corrcoef(x, y)[0, 1]:.3f} | {others:.3f} "
        f"| {own.mean():+.3f}, {np.mean(plain):+.3f} | {misses.mean():.2f}, {misses.max():.2f} "
        f"| {analysed_s:.1f}, {rendered_s:.1f} |"
    )


def _own(analysis: object, faders: Faders, feature: int) -> float:
    """What a setting asks of a feature: what its own fader moves it alone."""
    alone = np.where(np.arange(7) == feature, faders.to_array(), 0.0)
    return float(expected_midlevel(analysis, alone)[feature])  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
