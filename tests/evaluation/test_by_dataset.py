"""Agreement by data set and genre, and folds that leave a genre out."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from moodfader.control.experiments.datasets import LabelledDataset
from moodfader.control.experiments.evaluation_run import clip_genres, make_folds
from moodfader.control.report.sections import dataset_section
from moodfader.models.common.constants import EMOTIONS
from moodfader.models.common.errors import InputError
from moodfader.models.datasets.clip_dataset import ClipDataset, build_targets
from moodfader.models.datasets.folds import genre_folds
from moodfader.models.datasets.table import Clip
from moodfader.models.evaluation.by_dataset import agreement_by_dataset

GENRES = ("classical", "pop", "rock")


def songs(count=60):
    """Songs of three genres whose felt happiness is drawn."""
    rng = np.random.default_rng(0)
    happy = rng.uniform(0, 1, count)
    return [
        Clip(
            Path(f"{i}.ogg"),
            f"artist {i // 2}",
            {"felt_happy": happy[i], "gems_joyful_activation": happy[i] / 2},
            genre=GENRES[i % 3],
        )
        for i in range(count)
    ]


def agreement(clips, happy, datasets=None):
    predictions = np.full((1, len(clips), 8), 0.5)
    predictions[0, :, EMOTIONS.index("happy")] = happy
    rated = {name: values.astype(float) for name, values in build_targets(clips).items()}
    return agreement_by_dataset(clips, datasets or ["emotify"] * len(clips), predictions, rated)


def test_within_and_between_genres_are_told_apart():
    clips = songs()
    felt = np.array([clip.ratings["felt_happy"] for clip in clips])
    shift = np.array([GENRES.index(clip.genre) for clip in clips]) * 2.0
    found, share = agreement(clips, 0.1 * felt + shift)
    assert (found.rating, found.emotion, share.rating) == ("happy", "happy", "gems_joyful_activation")
    assert found.within == pytest.approx(1.0)
    assert share.within == pytest.approx(1.0)
    assert abs(found.r) < 0.5, "the genres are not told apart by the ratings"
    assert set(found.by_genre) == set(GENRES)
    assert found.bias["rock"] == pytest.approx(2.0, abs=0.1)
    assert found.bias["classical"] == pytest.approx(-2.0, abs=0.1)


def test_a_genre_that_is_heard_wrongly_is_the_lowest():
    clips = songs()
    felt = np.array([clip.ratings["felt_happy"] for clip in clips])
    wrong = np.array([clip.genre == "pop" for clip in clips])
    found, _ = agreement(clips, np.where(wrong, 1 - felt, felt))
    assert found.by_genre["pop"] == pytest.approx(-1.0)
    assert found.within == pytest.approx(1 / 3)


def test_ratings_on_the_scale_of_the_predictions_keep_their_bias():
    clips = [Clip(Path(f"{i}.ogg"), f"album {i}", {"happy": i / 10}) for i in range(10)]
    (found,) = agreement(clips, np.arange(10) / 10 + 0.2, ["soundtracks"] * 10)
    assert found.bias == {"all": pytest.approx(0.2)}
    assert (found.between, found.by_genre) == (None, {})
    assert found.r == found.within == pytest.approx(1.0)


def test_clips_that_were_not_predicted_do_not_count():
    clips = songs()
    felt = np.array([clip.ratings["felt_happy"] for clip in clips])
    felt[::2] = np.nan
    found, _ = agreement(clips, felt)
    assert found.clips == 30


def dataset(name, clips):
    spectrograms = [np.zeros((4, 149), np.float16)] * len(clips)
    return LabelledDataset(name, list(clips), ClipDataset(spectrograms, build_targets(clips)))


def test_genres_are_left_out_whole_and_synthetic_music_never():
    film = [Clip(Path(f"f{i}.ogg"), f"album {i}", {"happy": 0.5}) for i in range(6)]
    excerpts = [Clip(Path(f"f{i}.ogg"), f"album {i}", {"heard_mode": 0.5}) for i in range(3)]
    known = [Clip(Path(f"k{i}.ogg"), f"{i}", {"known_modality": 0.5}) for i in range(4)]
    rated = [
        dataset("soundtracks", film),
        dataset("perceptual", excerpts),
        dataset("emotify", songs(9)),
        dataset("known", known),
    ]
    folds = genre_folds(clip_genres(rated))
    assert folds[0] == list(range(9)), "film clips and their excerpts share albums"
    assert folds[1:] == [[9, 12, 15], [10, 13, 16], [11, 14, 17]]
    with pytest.raises(InputError, match="one genre"):
        genre_folds(clip_genres([dataset("soundtracks", film), dataset("known", known)]))


def test_folds_of_film_do_not_depend_on_other_data_sets():
    film = [Clip(Path(f"f{i}.ogg"), f"album {i // 2}", {"happy": 0.5}) for i in range(12)]
    alone = make_folds([dataset("soundtracks", film)], 3, seed=1)
    beside = make_folds([dataset("soundtracks", film), dataset("emotify", songs(12))], 3, seed=1)
    assert [[i for i in fold if i < 12] for fold in beside] == alone
    artists = [{i // 2 for i in fold if i >= 12} for fold in beside]
    assert not artists[0] & artists[1], "artists are kept together"


def test_the_report_has_a_row_for_each_data_set_and_rating():
    clips = songs()
    felt = np.array([clip.ratings["felt_happy"] for clip in clips])
    wrong = np.array([clip.genre == "pop" for clip in clips])
    found = agreement(clips, np.where(wrong, 1 - felt, felt))
    rows = dataset_section(SimpleNamespace(by_dataset=found)).splitlines()
    (row,) = [row for row in rows if row.startswith("| emotify | happy")]
    assert "pop −1.00" in row
    assert "| 60 |" in row
    plain = [Clip(Path(f"{i}.ogg"), f"album {i}", {"happy": i / 10}) for i in range(10)]
    one = SimpleNamespace(by_dataset=agreement(plain, np.arange(10) / 10, ["table"] * 10))
    assert dataset_section(one) == "", "one data set without genres has its table already"
