"""How good a model is: correlation with human ratings on clips it has not heard, and its mid-levels' meaning."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch

from .batches import Material
from .network import MidlevelNetwork
from .train import Source, TrainingSettings, train

Floats = npt.NDArray[np.float64]


def predict_material(network: MidlevelNetwork, material: Material) -> tuple[Floats, Floats]:
    """Mid-levels [clips, 7] and emotions [clips, 8] of whole clips."""
    network.eval()
    midlevel, emotions = [], []
    with torch.inference_mode():
        for spectrogram in material.spectrograms:
            m, e = network(torch.from_numpy(spectrogram.astype(np.float32))[None])
            midlevel.append(m[0].numpy())
            emotions.append(e[0].numpy())
    return np.array(midlevel, float), np.array(emotions, float)


def correlations(said: npt.ArrayLike, rated: npt.ArrayLike) -> Floats:
    """Pearson r of each column, over the rows that are rated; NaN where fewer than three are."""
    a, b = np.asarray(said, float), np.asarray(rated, float)
    result = np.full(a.shape[1], np.nan)
    for column in range(a.shape[1]):
        rows = ~np.isnan(b[:, column])
        if rows.sum() >= 3:
            result[column] = np.corrcoef(a[rows, column], b[rows, column])[0, 1]
    return result


def interval(
    said: Floats, rated: Floats, groups: Sequence[str], *, seed: int, draws: int = 1000
) -> tuple[float, float]:
    """95 percent interval of the mean r over columns, by drawing whole groups (albums) with replacement."""
    rng = np.random.default_rng(seed)
    members: dict[str, list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(group, []).append(index)
    lists = list(members.values())
    means = []
    for _ in range(draws):
        rows = np.concatenate([lists[i] for i in rng.integers(len(lists), size=len(lists))])
        means.append(float(np.nanmean(correlations(said[rows], rated[rows]))))
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def cross_validate(
    rated: Material,
    folds: Sequence[Sequence[int]],
    make_sources: Callable[[Sequence[int]], Sequence[Source]],
    settings: TrainingSettings,
    *,
    progress: Callable[[int, int, float], None] | None = None,
) -> tuple[Floats, Floats]:
    """Out-of-fold predictions (mid-levels [clips, 7], emotions [clips, 8]) for every clip of `rated`.

    make_sources gets the indices of the clips that may be learned from, and must keep everything else of the test
    fold's groups out. progress is called with fold, epochs and loss.
    """
    midlevel = np.full((len(rated), 7), np.nan)
    emotions = np.full((len(rated), 8), np.nan)
    for number, fold in enumerate(folds):
        kept = sorted(set(range(len(rated))) - set(fold))

        def report(epoch: int, loss: float, number: int = number) -> None:
            if progress:
                progress(number, epoch, loss)

        network = train(make_sources(kept), settings, progress=report)
        midlevel[fold], emotions[fold] = predict_material(network, rated.subset(fold))
    return midlevel, emotions
