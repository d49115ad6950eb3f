"""Image segmentation of a spectrogram into connected regions, about 300 in ten seconds.

Felzenszwalb & Huttenlocher (IJCV 2004) with scale 25 and min_size 40 is the default of the paper (Haunschmid et al.
2019); SLIC, Chan-Vese and watershed are the others that it names; all are scikit-image's. Long spectrograms are
segmented in overlapping tiles that are joined along the borders of whole segments. Without torch, so that it can be
done while that is imported.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage, sparse
from scipy.sparse import csgraph
from skimage import measure, segmentation

from ...models.common.arrays import FloatArray, Labels
from ...models.common.constants import CLIP_FRAMES, N_BANDS
from ...models.common.errors import InputError
from ...models.common.progress import report_step

SCALE: Final = 25
MIN_SIZE: Final = 40
PIXELS_PER_SEGMENT: Final = 150
"""Mean size for the methods that take a number of segments: that of Felzenszwalb's."""
TILE_FRAMES: Final = 1024
OVERLAP_FRAMES: Final = 256
_TILES_AHEAD: Final = 16  # (a long track has hundreds)
_MAX_MERGES: Final = 8  # tiny regions between tiny regions need more than one pass
BLOCK_FRAMES: Final = 4096  # labels are processed in blocks, without temporary arrays of the size of a long track


def _felzenszwalb(spectrogram: FloatArray) -> Labels:
    return np.asarray(segmentation.felzenszwalb(spectrogram, scale=SCALE, min_size=MIN_SIZE))


def _slic(spectrogram: FloatArray) -> Labels:
    count = max(1, spectrogram.size // PIXELS_PER_SEGMENT)
    return np.asarray(
        segmentation.slic(spectrogram, n_segments=count, compactness=0.1, channel_axis=None, start_label=0)
    )


def _watershed(spectrogram: FloatArray) -> Labels:
    # Floods the gradient magnitude from its minima, so that edges become borders.
    gradient = ndimage.gaussian_gradient_magnitude(spectrogram, 1.0)
    count = max(1, spectrogram.size // PIXELS_PER_SEGMENT)
    return np.asarray(segmentation.watershed(gradient, markers=count))


def _chan_vese(spectrogram: FloatArray) -> Labels:
    # Divides the spectrogram into loud and quiet; each connected component is a segment.
    if np.ptp(spectrogram) == 0:
        return np.zeros(spectrogram.shape, np.int32)
    loud = segmentation.chan_vese(spectrogram, mu=0.02, max_num_iter=100)
    return np.asarray(measure.label(loud.astype(np.int32) + 1, connectivity=2))


SEGMENTATIONS: Final[dict[str, Callable[[FloatArray], Labels]]] = {
    "felzenszwalb": _felzenszwalb,
    "slic": _slic,
    "chan-vese": _chan_vese,
    "watershed": _watershed,
}


def segment_spectrogram(
    spectrogram: FloatArray, *, method: str = "felzenszwalb", pool: Executor | None = None
) -> Labels:
    """Segment a spectrogram.

    Parameters
    ----------
    spectrogram
        [frames, bands].
    method
        "felzenszwalb", "slic", "chan-vese" or "watershed".
    pool
        Where tiles are segmented side by side, if there is one; the result does not depend on it.

    Returns
    -------
    numpy.ndarray
        int32 [frames, bands]: labels from 0 without gaps, in order of their first frame. No segment is longer than
        ten seconds, as in the paper, whose clips are of that length.

    Raises
    ------
    InputError
        There is no such method.
    """
    if method not in SEGMENTATIONS:
        raise InputError(f"no segmentation is called {method!r}: there are {', '.join(SEGMENTATIONS)}")
    segment_tile = SEGMENTATIONS[method]
    frames = len(spectrogram)
    labels = np.zeros(spectrogram.shape, np.int32)
    next_label = 0
    starts = range(0, max(frames - OVERLAP_FRAMES, 1), TILE_FRAMES - OVERLAP_FRAMES)

    def segmented(start: int) -> Labels:
        return segment_tile(spectrogram[start : start + TILE_FRAMES]).astype(np.int32)

    tiles = map(segmented, starts) if pool is None else _ahead(pool, segmented, starts)
    for start, tile in zip(starts, tiles, strict=True):
        stop = min(start + TILE_FRAMES, frames)
        tile += next_label
        next_label = int(tile.max()) + 1
        if start > 0:
            tile = _join_tile(labels[start : start + OVERLAP_FRAMES], tile)
        labels[start:stop] = tile
        report_step(stop / frames)
    labels = _connected_components(labels)  # joining may have split segments
    _split_long(labels)
    labels = _connected_components(labels)
    for _ in range(_MAX_MERGES):
        if not _merge_tiny(labels):
            break
        labels = _connected_components(labels)
    return _order_by_time(labels)


def _ahead(pool: Executor, work: Callable[[int], Labels], starts: Iterable[int]) -> Iterator[Labels]:
    """Results in order, as `pool.map` gives them, but begun no more than a few before they are wanted."""
    begun: deque[Future[Labels]] = deque()
    for start in starts:
        begun.append(pool.submit(work, start))
        if len(begun) > _TILES_AHEAD:
            yield begun.popleft().result()
    while begun:
        yield begun.popleft().result()


def _join_tile(previous: Labels, tile: Labels) -> Labels:
    """Put the segments of the previous tile into a tile [frames, bands], where the two overlap.

    `previous` [overlap frames, bands] are the previous tile's labels in the overlap. Of its segments, those that
    begin in the first half of the overlap are kept. One that is cut by the end of its tile continues in the segments
    of the new tile that lie mostly within it.
    """
    overlap = tile[: len(previous)]
    is_kept = np.isin(previous, np.unique(previous[: OVERLAP_FRAMES // 2]))
    for cut in np.unique(previous[-1][is_kept[-1]]):
        candidates, covered = np.unique(overlap[previous == cut], return_counts=True)
        for candidate, count in zip(candidates, covered, strict=True):
            if 2 * count > np.count_nonzero(overlap == candidate):
                tile[tile == candidate] = cut
    overlap[is_kept] = previous[is_kept]
    return tile


def _connected_components(labels: Labels) -> Labels:
    """Label the connected components of equal label, from 0 without gaps, in blocks of frames."""
    components = np.empty_like(labels)
    count = 0
    connections = []  # pairs of components that are connected across the border of two blocks
    for start in range(0, len(labels), BLOCK_FRAMES):
        rows = slice(start, start + BLOCK_FRAMES)
        components[rows] = measure.label(labels[rows] + 1, connectivity=2) + (count - 1)
        count = int(components[rows].max()) + 1
        for shift in (-1, 0, 1) if start else ():
            above, below = (
                slice(max(-shift, 0), N_BANDS - max(shift, 0)),
                slice(max(shift, 0), N_BANDS + min(shift, 0)),
            )
            same = labels[start - 1, above] == labels[start, below]
            connections.append(np.stack([components[start - 1, above][same], components[start, below][same]]))
    if connections:
        a, b = np.concatenate(connections, axis=1)
        graph = sparse.coo_matrix((np.ones(len(a), bool), (a, b)), (count, count))
        _relabel(components, csgraph.connected_components(graph, directed=False)[1])
    return components


def _relabel(labels: Labels, new_labels: npt.NDArray[np.integer]) -> None:
    """Replace each label by its entry in `new_labels`, in place."""
    for start in range(0, len(labels), BLOCK_FRAMES):
        rows = slice(start, start + BLOCK_FRAMES)
        labels[rows] = new_labels[labels[rows]]


def _split_long(labels: Labels) -> None:
    """Split segments that are longer than ten seconds into equal parts in time, in place."""
    count = int(labels.max()) + 1
    first, last = np.full(count, len(labels)), np.zeros(count, np.int64)
    for frame in range(len(labels) - 1, -1, -1):
        first[labels[frame]] = frame
    for frame in range(len(labels)):
        last[labels[frame]] = frame
    length = last - first + 1
    parts = -(-length // CLIP_FRAMES)
    # The later parts of a segment are numbered after all segments and all later parts of segments before it.
    extra = np.concatenate([[0], np.cumsum(parts - 1)[:-1]]) + count - 1
    for frame in range(len(labels)):
        row = labels[frame]
        part = (frame - first[row]) * parts[row] // length[row]
        labels[frame] = np.where(part > 0, extra[row] + part, row)


def _merge_tiny(labels: Labels) -> bool:
    """Merge segments of less than MIN_SIZE // 2 pixels with the nearest larger one, in place.

    Joining tiles leaves such segments, and so do methods without a minimum size. Returns whether any were merged.
    """
    is_tiny = np.bincount(labels.ravel()) < MIN_SIZE // 2
    if not is_tiny.any() or is_tiny.all():
        return False
    for start in range(0, len(labels), BLOCK_FRAMES):
        margin = min(start, MIN_SIZE)  # neighbours lie within it
        block = labels[start - margin : start + BLOCK_FRAMES + MIN_SIZE]
        tiny = is_tiny[block]
        if tiny.any() and not tiny.all():
            nearest = ndimage.distance_transform_edt(tiny, return_distances=False, return_indices=True)
            rows = slice(margin, margin + BLOCK_FRAMES)
            block[rows] = block[tuple(nearest[:, rows])]
    return True


def _order_by_time(labels: Labels) -> Labels:
    """Relabel by first pixel, in place."""
    first = np.full(int(labels.max()) + 1, labels.size)
    for start in range((len(labels) - 1) // BLOCK_FRAMES * BLOCK_FRAMES, -1, -BLOCK_FRAMES):
        block = labels[start : start + BLOCK_FRAMES].ravel()
        pixel = start * N_BANDS
        first[block[::-1]] = np.arange(pixel + len(block) - 1, pixel - 1, -1)
    rank = np.empty(len(first), np.int32)
    rank[np.argsort(first)] = np.arange(len(first), dtype=np.int32)
    _relabel(labels, rank)
    return labels
