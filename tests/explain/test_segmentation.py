"""Segments: connected, complete, the paper's own on ten seconds, and without visible seams on long tracks."""

import numpy as np
import pytest
from moodfader.engine.explain.segmentation import (
    MIN_SIZE,
    OVERLAP_FRAMES,
    SEGMENTATIONS,
    TILE_FRAMES,
    segment_spectrogram,
)
from moodfader.models.common.constants import CLIP_FRAMES, N_BANDS
from moodfader.models.common.errors import InputError
from scipy import ndimage
from skimage.measure import label
from skimage.segmentation import felzenszwalb


def music(frames, seed=0):
    """Notes as smooth blobs over a quiet floor."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((frames, N_BANDS))
    for _ in range(frames // 3):
        frame, band = rng.integers(frames), rng.integers(N_BANDS)
        picture[frame : frame + rng.integers(5, 60), band : band + rng.integers(1, 5)] += rng.uniform(0.3, 1.5)
    return (ndimage.gaussian_filter(picture, 0.7) + 0.02 * rng.random(picture.shape)).astype(np.float32)


@pytest.mark.parametrize("method", SEGMENTATIONS)
def test_every_pixel_has_a_connected_segment(method):
    labels = segment_spectrogram(music(400), method=method)
    assert labels.dtype == np.int32
    assert labels.shape == (400, N_BANDS)
    count = labels.max() + 1
    np.testing.assert_array_equal(np.unique(labels), np.arange(count))
    assert label(labels + 1, connectivity=2).max() == count, "a segment is in one piece"
    assert count > 10


def test_ten_seconds_are_the_papers_felzenszwalb():
    picture = music(313)
    ours, theirs = segment_spectrogram(picture), felzenszwalb(picture, scale=25, min_size=40)
    pairs = np.unique(np.stack([ours.ravel(), theirs.ravel()]), axis=1)
    assert pairs.shape[1] == ours.max() + 1 == theirs.max() + 1, "the same division under other numbers"


def test_seams_of_tiles_cannot_be_told(monkeypatch):
    """Where tiles meet, segments end as often as they do in a picture segmented in one piece."""
    picture = music(2 * TILE_FRAMES)
    tiled = segment_spectrogram(picture)
    monkeypatch.setattr("moodfader.engine.explain.segmentation.TILE_FRAMES", 4 * TILE_FRAMES)
    whole = segment_spectrogram(picture)

    def borders(division):
        return (division[1:] != division[:-1]).mean(1)  # share of bands in which a segment ends at this frame

    step = TILE_FRAMES - OVERLAP_FRAMES
    for start in range(step, len(picture) - OVERLAP_FRAMES, step):
        for seam in (start, start + OVERLAP_FRAMES // 2, start + OVERLAP_FRAMES):
            near = slice(seam - 3, seam + 3)
            assert borders(tiled)[near].max() <= borders(whole)[near].max() + 0.05
    assert np.bincount(tiled.ravel()).min() >= MIN_SIZE // 2
    assert tiled.max() == pytest.approx(whole.max(), rel=0.03)


def test_numbering_in_blocks_is_numbering_in_one_go(monkeypatch):
    picture = music(900)
    whole = segment_spectrogram(picture)
    monkeypatch.setattr("moodfader.engine.explain.segmentation.BLOCK_FRAMES", 37)
    np.testing.assert_array_equal(segment_spectrogram(picture), whole)


def test_no_segment_lasts_longer_than_ten_seconds():
    labels = segment_spectrogram(np.zeros((1000, N_BANDS), np.float32))
    assert labels.max() + 1 == 4
    assert np.ptp(np.nonzero(labels == 1)[0]) < CLIP_FRAMES


def test_labels_are_numbered_in_order_of_time_and_the_same_every_time():
    picture = music(1500)
    labels = segment_spectrogram(picture)
    _, first = np.unique(labels, return_index=True)
    assert (np.diff(first) > 0).all()
    np.testing.assert_array_equal(labels, segment_spectrogram(picture))


def test_a_flat_picture_is_few_segments():
    for method in SEGMENTATIONS:
        labels = segment_spectrogram(np.zeros((64, N_BANDS), np.float32), method=method)
        assert labels.min() == 0
        assert labels.max() < 64 * N_BANDS / MIN_SIZE


def test_unknown_method():
    with pytest.raises(InputError, match=r"'voronoi'.*felzenszwalb"):
        segment_spectrogram(music(40), method="voronoi")
