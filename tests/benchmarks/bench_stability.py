"""How much the default explanation depends on its seed, on tracks left out of every choice, and time beside LIME.

Ten seconds from the middle of each track, the paper's length of a clip. For each pair of seeds and each feature: the
Jaccard index of the 50 segments with the largest weights, Pearson's r of all weights, and in how many of the segments
that either run selects (as an analysis selects them) both have the same sign. The tracks are drawn by a seed from
film soundtracks and from each genre of Emotify; those that settings were chosen by are left out.

`--lime N M` also measures stock lime_image with N and with M samples on the same clips (processor time), and what the
default takes: what 50,000 samples take is extrapolated from the slope, and is called so.
"""

import argparse
import itertools
import sys

import explain_runs

CHOSEN_BY = {  # tracks that perturbations, samples or evaluations were chosen by
    "soundtracks": {"047", "050"},
    "emotify": {"electronic_100", "pop_037"},
}
GENRES = ("classical", "rock", "pop", "electronic")


def drawn(seed, films, songs):
    """(kind, path) of so many film soundtracks, and of so many songs of each genre."""
    import numpy as np

    rng = np.random.default_rng(seed)
    folders = {kind: explain_runs.DATA / kind / "audio" for kind in ("soundtracks", "emotify")}
    files = {
        kind: [path for path in sorted(folder.glob("*.ogg")) if path.stem not in CHOSEN_BY[kind]]
        for kind, folder in folders.items()
    }
    found = [("film", files["soundtracks"][i]) for i in rng.choice(len(files["soundtracks"]), films, replace=False)]
    for genre in GENRES:
        own = [path for path in files["emotify"] if path.stem.startswith(genre)]
        found += [(genre, own[i]) for i in rng.choice(len(own), songs, replace=False)]
    return found


def middle(path):
    from moodfader.engine import load_track
    from moodfader.engine.audio.track_spectrogram import track_spectrogram
    from moodfader.models.common.constants import CLIP_FRAMES

    frames = len(track_spectrogram(load_track(path)))
    return explain_runs.clip_of(path, start=max((frames - CLIP_FRAMES) // 2, 0))


def explained(clip, model, seed, passes):
    """Weights and which segments are selected, both [segments, 7]."""
    import numpy as np
    from moodfader.engine.explain import expected_gradients, lime
    from moodfader.engine.explain.perturbation import cut_window
    from moodfader.engine.explain.significance import expected_lime_p_values, is_significant

    positions = model.network.geometry.positions(len(clip.spectrogram))
    window = cut_window(clip.spectrogram, clip.labels, model, 0, positions)
    effects = expected_gradients.explain_window(
        window, model, passes=passes, perturbation="gain", rng=np.random.default_rng([seed, passes])
    )
    measured = lime.p_values(effects.ols_weights, effects.variances, effects.dof)
    expected = expected_lime_p_values(
        effects.weights, effects.residual_var, bit_variance=expected_gradients.BIT_VARIANCE
    )
    return effects.weights, is_significant(effects.weights, np.maximum(measured, expected))


def stability(runs):
    """Jaccard, r, agreement of the signs of selected segments (means of pairs and features), segments selected."""
    import numpy as np

    found, signs = [], []
    for (one, first), (other, second) in itertools.combinations(runs, 2):
        found.append(explain_runs.agreement(one, other))
        either = first | second
        if either.any():
            signs.append((np.sign(one) == np.sign(other))[either].mean())
    jaccard, r = np.mean(found, axis=0)
    return jaccard, r, np.mean(signs) if signs else np.nan, np.mean([chosen.sum(0).mean() for _, chosen in runs])


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seed", type=int, default=2811, help="draws the tracks")
    options.add_argument("--films", type=int, default=4)
    options.add_argument("--songs", type=int, default=1, help="of each genre")
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--passes", type=int, default=0, help="evaluations; by default those of the program")
    options.add_argument("--lime", type=int, nargs=2, metavar=("N", "M"), help="samples of stock lime_image")
    asked = options.parse_args()
    explain_runs.use_threads(1)
    import numpy as np
    from moodfader.engine.explain.methods import PASSES
    from moodfader.models.inference.checkpoint import load_model

    model, passes = load_model(), asked.passes or PASSES["gradient"]
    if not (explain_runs.DATA / "emotify" / "audio").is_dir():
        sys.exit("there are no tracks: MOODFADER_DATA names the folder of the research data")
    tracks = drawn(asked.seed, asked.films, asked.songs)
    print(f"{explain_runs.machine(1)}, model {model.digest[:12]}, {passes} evaluations, {asked.runs} seeds\n")
    print("| | track | Jaccard | r | signs | selected | of |\n| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    rows, took, lime_took = [], [], {samples: [] for samples in asked.lime or ()}
    for kind, path in tracks:
        clip = middle(path)
        runs = []
        for seed in range(asked.runs):
            begun = explain_runs.clock()
            runs.append(explained(clip, model, seed, passes))
            took.append(explain_runs.clock() - begun)
        rows.append(stability(runs))
        jaccard, r, signs, selected = rows[-1]
        print(
            f"| {kind} | {path.stem} | {jaccard:.3f} | {r:.4f} | {signs:.4f} | {selected:.0f} "
            f"| {clip.labels.max() + 1} |",
            flush=True,
        )
        for samples in lime_took:
            begun = explain_runs.clock()
            explain_runs.stock(clip, model, samples=samples, seed=0)
            lime_took[samples].append(explain_runs.clock() - begun)
    for name, of in (("mean", np.nanmean), ("least", np.nanmin)):
        jaccard, r, signs, _ = of(np.array(rows), axis=0)
        print(f"| {name} | | {jaccard:.3f} | {r:.4f} | {signs:.4f} | | |")
    print(f"\nseconds of an explanation: median {np.median(took):.2f}")
    if lime_took:
        few, many = sorted(lime_took)
        slopes = (np.array(lime_took[many]) - np.array(lime_took[few])) / (many - few)
        whole = 50_000 * np.median(slopes)
        print(
            f"stock lime_image: {1e3 * np.median(slopes):.2f} ms a sample (slope from {few} to {many} samples), "
            f"extrapolated to 50,000: {whole:.0f} s, {whole / np.median(took):.0f} times the default's"
        )


if __name__ == "__main__":
    main()
