"""Agreement by data set and genre: within genres, between them, bias and the worst.

A network can agree with ratings over all clips because it tells genres apart, or within each genre because it hears
differences between pieces of one kind; the two are told apart here. Ratings on a scale of their own (Emotify, VGMIDI,
EMOPIA) are compared after the best line, so that a bias is that of a genre against the others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..common.arrays import Floats
from ..common.constants import EMOTIONS
from ..datasets.clip_dataset import RELATIVE_EMOTION_SETS
from ..datasets.emotify import GEMS_EMOTIONS
from ..datasets.table import Clip
from .metrics import column_correlations

MIN_CLIPS = 5
"""Smallest number of rated clips of a genre that has a correlation of its own."""
_SHARES = "gems"


@dataclass(frozen=True)
class DatasetAgreement:
    """Agreement of one predicted emotion with the ratings of one data set; means over the runs.

    Attributes
    ----------
    dataset
        Name of the data set.
    rating
        What was rated: an emotion, or `gems_<emotion>` for a share of listeners.
    emotion
        The prediction that is compared.
    clips
        Number of rated clips.
    r
        Pearson correlation over all of them.
    within
        Mean of the correlations within each genre; `r` where there is one genre.
    between
        Correlation of the genres' means; None for fewer than three genres.
    by_genre
        Correlation within each genre.
    bias
        Mean of prediction less rating, by genre, on the scale of the predictions.
    """

    dataset: str
    rating: str
    emotion: str
    clips: int
    r: float
    within: float
    between: float | None
    by_genre: dict[str, float]
    bias: dict[str, float]


def agreement_by_dataset(
    clips: Sequence[Clip], datasets: Sequence[str], predictions: Floats, rated: Mapping[str, Floats]
) -> list[DatasetAgreement]:
    """Compare the emotions with the ratings of each data set.

    Parameters
    ----------
    clips
        The rated recordings.
    datasets
        Name of the data set of each clip.
    predictions
        Emotions, [runs, clips, 8]; NaN for clips that were not predicted.
    rated
        Ratings by target set, as `ClipDataset.targets`.

    Returns
    -------
    list of DatasetAgreement
        For each data set, each of its target sets and each emotion with at least `MIN_CLIPS` ratings.
    """
    names = np.array(datasets)
    shares = np.array([[clip.ratings.get(f"gems_{name}", np.nan) for name in GEMS_EMOTIONS] for clip in clips])
    columns = [
        (name, absolute, EMOTIONS[k], rated[group][:, k])
        for group, absolute in (("emotions", True), *((group, False) for group in RELATIVE_EMOTION_SETS))
        for k, name in enumerate(EMOTIONS)
        if group in rated
    ]
    columns += [
        (f"{_SHARES}_{name}", False, emotion, shares[:, place].astype(float))
        for place, (name, emotion) in enumerate(GEMS_EMOTIONS.items())
    ]
    found = []
    for dataset in dict.fromkeys(datasets):
        for rating, absolute, emotion, ratings in columns:
            predicted = predictions[:, :, EMOTIONS.index(emotion)]
            rows = np.flatnonzero((names == dataset) & np.isfinite(ratings) & np.isfinite(predicted).all(0))
            if len(rows) >= MIN_CLIPS:
                genres = [clips[row].genre for row in rows.tolist()]
                found.append(
                    _agreement(dataset, rating, emotion, predicted[:, rows], ratings[rows], genres, absolute)
                )
    return found


def _agreement(
    dataset: str,
    rating: str,
    emotion: str,
    predicted: Floats,
    ratings: Floats,
    genres: Sequence[str],
    absolute: bool,
) -> DatasetAgreement:
    """predicted: [runs, clips]; ratings: [clips]."""
    members = {genre: np.flatnonzero(np.array(genres) == genre) for genre in sorted(set(genres))}
    overall = _mean_r(predicted, ratings)
    by_genre = {
        genre: _mean_r(predicted[:, rows], ratings[rows])
        for genre, rows in members.items()
        if genre and len(rows) >= MIN_CLIPS
    }
    between = None
    if len(members) >= 3:
        means = np.stack([predicted[:, rows].mean(1) for rows in members.values()], 1)
        between = _mean_r(means, np.array([ratings[rows].mean() for rows in members.values()]))
    errors = np.mean([run - (ratings if absolute else _on_scale(run, ratings)) for run in predicted], axis=0)
    bias = {genre or "all": float(errors[rows].mean()) for genre, rows in members.items()}
    within = float(np.mean(list(by_genre.values()))) if by_genre else overall
    return DatasetAgreement(dataset, rating, emotion, len(ratings), overall, within, between, by_genre, bias)


def _mean_r(predicted: Floats, ratings: Floats) -> float:
    """Mean over the runs of the correlation of predictions [runs, clips] with ratings [clips]."""
    return float(np.mean(column_correlations(predicted.T, np.tile(ratings, (len(predicted), 1)).T)))


def _on_scale(predicted: Floats, ratings: Floats) -> Floats:
    """The ratings on the scale of the predictions, by the least-squares line of the predictions on them."""
    spread = ratings.std()
    if spread == 0:
        return np.full(len(ratings), predicted.mean())
    slope = float(np.mean((ratings - ratings.mean()) * (predicted - predicted.mean()))) / float(spread) ** 2
    return np.asarray(predicted.mean() + slope * (ratings - ratings.mean()))
