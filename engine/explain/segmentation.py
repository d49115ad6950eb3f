"""Segments of a spectrogram: connected regions that belong together, about 300 in ten seconds.

Felzenszwalb & Huttenlocher (2004) with scale 25 and min_size 40 is the paper's default; SLIC, Chan-Vese and
watershed are the others that it names, all from scikit-image. A long picture is segmented in overlapping tiles, and
where two tiles meet, the seam follows the outlines of whole segments.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage, sparse
from scipy.sparse import csgraph
from skimage import measure, segmentation

from ...models.common.arrays import FloatArray, Labels
from ...models.common.constants import CLIP_FRAMES, N_BANDS
from ...models.common.errors import InputError

SCALE: Final = 25
MIN_SIZE: Final = 40
PIXELS_PER_SEGMENT: Final = 150
"""Size that the methods which must be told aim at: as Felzenszwalb's, about 300 segments in ten seconds."""
TILE_FRAMES: Final = 1024
OVERLAP_FRAMES: Final = 256
_MERGES: Final = 8  # crumbs between crumbs need more than one
_ROWS_AT_ONCE: Final = 4096  # hours of music are numbered without another array as large as they are


def _felzenszwalb(picture: FloatArray) -> Labels:
    return np.asarray(segmentation.felzenszwalb(picture, scale=SCALE, min_size=MIN_SIZE))


def _slic(picture: FloatArray) -> Labels:
    count = max(1, picture.size // PIXELS_PER_SEGMENT)
    return np.asarray(segmentation.slic(picture, n_segments=count, compactness=0.1, channel_axis=None, start_label=0))


def _watershed(picture: FloatArray) -> Labels:
    # Floods the slopes of the smoothed picture from its flattest places, so that edges become borders.
    slopes = ndimage.gaussian_gradient_magnitude(picture, 1.0)
    count = max(1, picture.size // PIXELS_PER_SEGMENT)
    return np.asarray(segmentation.watershed(slopes, markers=count))


def _chan_vese(picture: FloatArray) -> Labels:
    # Divides the picture into loud and quiet; each connected piece is a segment.
    if np.ptp(picture) == 0:
        return np.zeros(picture.shape, np.int32)
    loud = segmentation.chan_vese(picture, mu=0.02, max_num_iter=100)
    return np.asarray(measure.label(loud.astype(np.int32) + 1, connectivity=2))


SEGMENTATIONS: Final[dict[str, Callable[[FloatArray], Labels]]] = {
    "felzenszwalb": _felzenszwalb,
    "slic": _slic,
    "chan-vese": _chan_vese,
    "watershed": _watershed,
}


def segment_spectrogram(spectrogram: FloatArray, *, method: str = "felzenszwalb") -> Labels:
    """Label every pixel of a spectrogram [frames, bands]; labels run from 0 without gaps, in order of time.

    No segment is longer than ten seconds, as none can be in the paper's clips. Raises InputError for an unknown
    method.
    """
    if method not in SEGMENTATIONS:
        raise InputError(f"no segmentation is called {method!r}: there are {', '.join(SEGMENTATIONS)}")
    divide = SEGMENTATIONS[method]
    frames = len(spectrogram)
    labels = np.zeros(spectrogram.shape, np.int32)
    following = 0  # the first label that is not in use
    for start in range(0, max(frames - OVERLAP_FRAMES, 1), TILE_FRAMES - OVERLAP_FRAMES):
        stop = min(start + TILE_FRAMES, frames)
        tile = divide(spectrogram[start:stop]).astype(np.int32) + following
        following = int(tile.max()) + 1
        if start > 0:
            tile = _joined(labels[start : start + OVERLAP_FRAMES], tile)
        labels[start:stop] = tile
    labels = _pieces(labels)  # what a seam took apart is two
    _cut_long_ones(labels)
    labels = _pieces(labels)
    for _ in range(_MERGES):
        if not _merge_crumbs(labels):
            break
        labels = _pieces(labels)
    return _in_order_of_time(labels)


def _joined(before: Labels, tile: Labels) -> Labels:
    """The tile [frames, bands] with the earlier tile's segments in their overlap `before` [its frames, bands].

    Earlier segments that begin in the first half of the overlap stay whole. One that reaches the end of its tile goes
    on in the segments of the new tile that lie mostly within it.
    """
    overlap = tile[: len(before)]
    stays = np.isin(before, np.unique(before[: OVERLAP_FRAMES // 2]))
    for cut in np.unique(before[-1][stays[-1]]):
        candidates, covered = np.unique(overlap[before == cut], return_counts=True)
        for candidate, count in zip(candidates, covered, strict=True):
            if 2 * count > np.count_nonzero(overlap == candidate):
                tile[tile == candidate] = cut
    overlap[stays] = before[stays]
    return tile


def _pieces(labels: Labels) -> Labels:
    """Number the connected pieces of equal label anew, from 0 without gaps, _ROWS_AT_ONCE frames at a time."""
    pieces = np.empty_like(labels)
    following = 0
    meetings = []  # pairs of pieces that are one, across the borders of the blocks
    for start in range(0, len(labels), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        pieces[rows] = measure.label(labels[rows] + 1, connectivity=2) + (following - 1)
        following = int(pieces[rows].max()) + 1
        for shift in (-1, 0, 1) if start else ():
            above, below = (
                slice(max(-shift, 0), N_BANDS - max(shift, 0)),
                slice(max(shift, 0), N_BANDS + min(shift, 0)),
            )
            same = labels[start - 1, above] == labels[start, below]
            meetings.append(np.stack([pieces[start - 1, above][same], pieces[start, below][same]]))
    if meetings:
        one, other = np.concatenate(meetings, axis=1)
        graph = sparse.coo_matrix((np.ones(len(one), bool), (one, other)), (following, following))
        _renumber(pieces, csgraph.connected_components(graph, directed=False)[1])
    return pieces


def _renumber(labels: Labels, numbers: npt.NDArray[np.integer]) -> None:
    """Give every pixel the new number of its label, in place."""
    for start in range(0, len(labels), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        labels[rows] = numbers[labels[rows]]


def _cut_long_ones(labels: Labels) -> None:
    """Cut segments that last more than ten seconds into equal parts in time, in place."""
    count = int(labels.max()) + 1
    first, last = np.full(count, len(labels)), np.zeros(count, np.int64)
    for frame in range(len(labels) - 1, -1, -1):
        first[labels[frame]] = frame
    for frame in range(len(labels)):
        last[labels[frame]] = frame
    length = last - first + 1
    parts = -(-length // CLIP_FRAMES)
    # the numbers of a segment's later parts follow those of all segments before
    extra = np.concatenate([[0], np.cumsum(parts - 1)[:-1]]) + count - 1
    for frame in range(len(labels)):
        row = labels[frame]
        part = (frame - first[row]) * parts[row] // length[row]
        labels[frame] = np.where(part > 0, extra[row] + part, row)


def _merge_crumbs(labels: Labels) -> bool:
    """Give pieces below MIN_SIZE // 2, left at seams or by methods without a smallest size, to a neighbour, in place.

    Returns whether there were any that could be given away.
    """
    small = np.bincount(labels.ravel()) < MIN_SIZE // 2
    if not small.any() or small.all():
        return False
    for start in range(0, len(labels), _ROWS_AT_ONCE):
        margin = min(start, MIN_SIZE)  # in which the neighbours lie
        near = labels[start - margin : start + _ROWS_AT_ONCE + MIN_SIZE]
        crumbs = small[near]
        if crumbs.any() and not crumbs.all():
            nearest = ndimage.distance_transform_edt(crumbs, return_distances=False, return_indices=True)
            rows = slice(margin, margin + _ROWS_AT_ONCE)
            near[rows] = near[tuple(nearest[:, rows])]
    return True


def _in_order_of_time(labels: Labels) -> Labels:
    """Number the labels by their first pixel, in place."""
    first = np.full(int(labels.max()) + 1, labels.size)
    for start in range((len(labels) - 1) // _ROWS_AT_ONCE * _ROWS_AT_ONCE, -1, -_ROWS_AT_ONCE):
        block = labels[start : start + _ROWS_AT_ONCE].ravel()
        place = start * N_BANDS
        first[block[::-1]] = np.arange(place + len(block) - 1, place - 1, -1)
    rank = np.empty(len(first), np.int32)
    rank[np.argsort(first)] = np.arange(len(first), dtype=np.int32)
    _renumber(labels, rank)
    return labels
