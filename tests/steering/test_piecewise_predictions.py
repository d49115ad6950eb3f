"""Predictions of a track that is heard piece by piece, beside the same with all pieces at hand."""

from functools import partial

import numpy as np
import pytest
import soundfile
from moodfader.engine import load_track
from moodfader.engine.analysis.prediction import predict_spectrograms
from moodfader.engine.excerpts import stretches
from moodfader.engine.excerpts.piecewise_predictions import PiecewisePredictions
from moodfader.engine.excerpts.segment_predictions import SegmentPredictions
from moodfader.engine.excerpts.stretches import consecutive_excerpts, read_excerpts
from moodfader.models.common.constants import HOP_LENGTH, N_BANDS, SAMPLE_RATE
from moodfader.models.inference.checkpoint import load_model

SEGMENTS = 40


@pytest.fixture(scope="module")
def track(tmp_path_factory):
    """Thirteen seconds between silent ends, soft and then loud."""
    rng = np.random.default_rng(0)
    sound = 0.2 * rng.standard_normal(13 * SAMPLE_RATE) * np.linspace(0.05, 1, 13 * SAMPLE_RATE)
    path = tmp_path_factory.mktemp("track") / "track.wav"
    silence = np.zeros(SAMPLE_RATE)
    soundfile.write(path, np.concatenate((silence, sound, silence)), SAMPLE_RATE, subtype="FLOAT")
    return load_track(path)


@pytest.mark.parametrize("piece_s", [60.0, 13.0, 5.0, 2.5])
def test_pieces_follow_each_other_and_are_all_of_the_track(track, monkeypatch, piece_s) -> None:
    monkeypatch.setattr(stretches, "PIECE_S", piece_s)
    pieces = list(consecutive_excerpts(track))
    first, end = track.sounding
    (whole,) = read_excerpts(track, [(first / SAMPLE_RATE, (end - first) / SAMPLE_RATE)])
    np.testing.assert_array_equal(np.concatenate([sound for sound, _ in pieces]), whole)
    ends = [begin + len(sound) for sound, begin in pieces]
    assert [begin for _, begin in pieces] == [first, *ends[:-1]]
    lengths = [len(sound) for sound, _ in pieces]
    assert max(lengths) <= piece_s * SAMPLE_RATE + 1
    assert max(lengths) - min(lengths) <= 1


@pytest.mark.parametrize("piece_s", [60.0, 5.0])
@pytest.mark.parametrize("threads", [1, 2])
def test_gains_move_what_they_move_with_all_pieces_at_hand(track, monkeypatch, piece_s, threads) -> None:
    """As loud as before by the loudness of all pieces together: the soft ones become louder by it, or softer."""
    monkeypatch.setattr(stretches, "PIECE_S", piece_s)
    rng = np.random.default_rng(1)
    bands = np.arange(N_BANDS) * SEGMENTS // N_BANDS
    labels = np.tile(bands.astype(np.int32), (15 * SAMPLE_RATE // HOP_LENGTH + 2, 1))
    gains = rng.normal(0, 6, SEGMENTS).astype(np.float32)
    predict = partial(predict_spectrograms, model=load_model())
    together = SegmentPredictions(list(consecutive_excerpts(track)), labels, [predict])
    wanted = (together.predict(gains) - together.before)[0, :7]
    assert np.abs(wanted).max() > 1e-3
    piecewise = PiecewisePredictions(track, labels, predict, threads=threads)
    np.testing.assert_allclose(piecewise.before, together.before, atol=1e-5)
    np.testing.assert_allclose((piecewise.predict(gains) - piecewise.before)[0, :7], wanted, atol=1e-5)
