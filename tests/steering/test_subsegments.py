"""Segments divided into subsegments: where the network's slopes differ; stored and read as the masks they are."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from moodfader.engine.analysis.analysis_file import load_analysis, load_masks, load_mean_masks, save_analysis
from moodfader.engine.dsp.segment_mask import MAX_SUBSEGMENTS, SegmentMask, subsegment_labels
from moodfader.engine.dsp.solved_settings import SolvedSetting
from moodfader.engine.excerpts.array_path import band_k_power
from moodfader.engine.excerpts.segment_predictions import slopes_at_constant_loudness
from moodfader.engine.excerpts.stretches import read_excerpts
from moodfader.engine.segmenting import subsegments
from moodfader.engine.segmenting.segmented_track import segmented_track
from moodfader.engine.steering.gain_path import GainPath, field_slopes
from moodfader.engine.steering.listeners import own_listeners
from moodfader.models.common.constants import N_BANDS
from moodfader.models.common.errors import InputError
from moodfader.models.inference.threads import torch_threads


@pytest.fixture(scope="module")
def segmented(track):
    return segmented_track(track, method="felzenszwalb")


def test_slopes_of_pixels_are_the_derivatives_of_the_steered_sound(track, model, segmented) -> None:
    """Those of automatic differentiation through gain, smoothing and loudness match."""
    spectrogram, segments = segmented
    (sound,) = read_excerpts(track, [(0.0, track.duration_s)])
    path = GainPath(sound)
    rows = [(0, feature) for feature in range(7)]
    flat = torch.zeros(len(spectrogram) + 1, N_BANDS)
    wanted = field_slopes(path, flat, own_listeners(model)[:1], rows).numpy()[:, : len(spectrogram)]
    found = subsegments.pixel_slopes(spectrogram, segments, model, slice(0, len(spectrogram)))
    power = subsegments._smoothed(((10.0**spectrogram - 1) ** 2 * band_k_power())[None].astype(np.float32))
    matched = slopes_at_constant_loudness(found.reshape(7, -1).astype(np.float64), power.ravel())
    inner = slice(0, len(spectrogram) - model.network.geometry.stride)  # (the network goes round the ends)
    for one, other in zip(matched.reshape(found.shape), wanted, strict=True):
        assert np.corrcoef(one[inner].ravel(), other[inner].ravel())[0, 1] > 0.995
        assert np.std(one[inner]) == pytest.approx(np.std(other[inner]), rel=0.01)


def test_pieces_have_the_slopes_of_the_whole(track, model, segmented, monkeypatch) -> None:
    spectrogram, segments = segmented
    whole = subsegments.pixel_slopes(spectrogram, segments, model, slice(0, len(spectrogram)))
    stride = model.network.geometry.stride
    monkeypatch.setattr(subsegments, "_PIECE_POSITIONS", len(spectrogram) // stride // 3)
    pieces = list(subsegments._pieces(len(spectrogram), model))
    assert len(pieces) > 2
    parts = [subsegments.pixel_slopes(spectrogram, segments, model, piece) for piece in pieces]
    joined = np.concatenate(parts, axis=1)
    ends = [edge for piece in pieces[1:] for edge in (piece.start - 1, piece.start)]  # (smoothed as far as the piece)
    inner = np.setdiff1d(np.arange(len(spectrogram)), ends)
    np.testing.assert_allclose(joined[:, inner], whole[:, inner], atol=1e-4 * np.abs(whole).max())


def test_a_segment_is_divided_where_its_slopes_differ() -> None:
    segments = np.zeros((8, 6), np.int32)
    segments[:, 3:] = 1
    slopes = np.random.default_rng(0).normal(1, 0.01, (7, 8, 6)).astype(np.float32)
    slopes[2, :4] += 1  # the upper frames of both segments
    numbers = subsegments.divided(segments, slopes, 1)
    for columns in (slice(0, 3), slice(3, 6)):
        upper, lower = numbers[:4, columns], numbers[4:, columns]
        assert len(np.unique(upper)) == len(np.unique(lower)) == 1
        assert upper[0, 0] != lower[0, 0]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(0, 4))
def test_subsegments_lie_in_their_segments(seed, count, rounds) -> None:
    rng = np.random.default_rng(seed)
    segments = rng.integers(0, count, (9, 11)).astype(np.int32)
    slopes = (rng.normal(size=(7, 9, 11)) * rng.choice([0.0, 1.0], (1, 9, 11))).astype(np.float32)
    numbers = subsegments.divided(segments, slopes, rounds)
    assert numbers.dtype == np.uint8
    assert numbers.max() < 2**rounds
    labels = subsegment_labels(segments, numbers, 2**rounds)
    np.testing.assert_array_equal(labels >> rounds, segments)


def test_the_tables_are_as_long_as_the_largest_label_says(model, segmented, monkeypatch) -> None:
    """Also where segments cannot be divided, and never longer than is permitted."""
    spectrogram, segments = segmented
    count = int(segments.max()) + 1
    alone = segments.copy()
    alone[-1, -1] = count  # a segment of one pixel
    for most, each in ((1 << 18, MAX_SUBSEGMENTS), (count * 5, 4), (count, 1)):
        monkeypatch.setattr(subsegments, "MOST", most)
        found = subsegments.divide_segments(spectrogram, alone, model, slice(0, len(alone)))
        assert found.count == each
        assert found.labels(alone).max() + 1 == found.slopes.shape[1] == (count + 1) * each
        present = np.bincount(found.labels(alone).ravel(), minlength=found.slopes.shape[1]) > 0
        assert not found.slopes[:, ~present].any()


def test_silent_ends_are_not_divided(model, segmented) -> None:
    spectrogram, segments = segmented
    found = subsegments.divide_segments(spectrogram, segments, model, slice(20, 60))
    outside = np.ones(len(segments), bool)
    outside[20:60] = False
    last = segments == segments.max()
    assert not found.numbers[outside[:, None] & ~last].any()
    assert found.numbers[20:60].max() == MAX_SUBSEGMENTS - 1


def test_another_number_of_threads_divides_alike(model, segmented) -> None:
    spectrogram, segments = segmented
    found = []
    for threads in (1, 2):
        with torch_threads(threads):
            found.append(subsegments.divide_segments(spectrogram, segments, model, slice(0, len(segments))))
    assert (found[0].numbers == found[1].numbers).mean() > 0.999


def test_subsegments_are_stored_and_read(analysis, tmp_path) -> None:
    path = tmp_path / "a.npz"
    save_analysis(analysis, path)
    read = load_analysis(path)
    labels, masks = load_masks(path)
    np.testing.assert_array_equal(read.mask_labels, analysis.mask_labels)
    np.testing.assert_array_equal(labels, analysis.mask_labels)
    np.testing.assert_array_equal(masks, analysis.mask_weights)
    segments, means = load_mean_masks(path)
    assert means.shape == (len(analysis.weights), 14)
    for number in (0, len(means) // 2):
        of_pixels = masks[labels[segments == number]]
        np.testing.assert_allclose(means[number], of_pixels.mean(0), atol=1e-5)


def test_analyses_whose_masks_lie_on_segments_are_read(analysis, tmp_path) -> None:
    """Those of 0.16 and before."""
    path = tmp_path / "a.npz"
    masks = analysis.mask_weights[:: analysis.subsegments_each]
    save_analysis(dataclasses.replace(analysis, mask_weights=masks, subsegments=None), path)
    read = load_analysis(path)
    assert read.subsegments is None
    np.testing.assert_array_equal(read.mask_labels, analysis.segments)
    for labels, weights in (load_masks(path), load_mean_masks(path)):
        np.testing.assert_array_equal(labels, analysis.segments)
        np.testing.assert_array_equal(weights, masks)


@pytest.mark.parametrize("fault", ["number", "rows", "more", "type", "none"])
def test_damaged_subsegments_are_refused(analysis, tmp_path, fault) -> None:
    numbers, masks = analysis.subsegments.copy(), analysis.mask_weights
    if fault == "number":
        numbers[0, 0] = analysis.subsegments_each
    elif fault == "rows":
        masks = masks[:-1]
    elif fault == "more":
        masks = np.tile(masks, (2, 1))
    else:
        numbers = numbers.astype(np.int32)
    tables = {}
    if fault == "none":  # of the segments
        names = ("weights", "standard_errors", "p_values", "response_per_db", "selected")
        tables = {name: getattr(analysis, name)[:0] for name in names}
    path = tmp_path / "a.npz"
    save_analysis(dataclasses.replace(analysis, subsegments=numbers, mask_weights=masks, **tables), path)
    for read in (load_analysis, load_masks, load_mean_masks):
        with pytest.raises(InputError, match=r"a\.npz: a damaged analysis file"):
            read(path)


def test_gains_of_few_frames_are_those_of_many(analysis) -> None:
    """Few are computed pixel by pixel, many by a table of all subsegments: the same to the bit."""
    mask = SegmentMask(analysis.mask_labels, analysis.mask_weights, sample_rate=44100)
    rng = np.random.default_rng(1)
    faders = rng.uniform(-12, 12, 7).astype(np.float32)
    correction = rng.uniform(-3, 3, len(analysis.mask_weights)).astype(np.float32)
    mask = mask.with_setting(SolvedSetting(faders + np.float32(0.5), correction))
    centres = np.arange(40) * 1024
    many = mask.frame_gains(centres, faders)
    for first in (0, 17, 38):
        few = mask.frame_gains(centres[first : first + 2], faders)
        np.testing.assert_array_equal(few, many[first : first + 2])
