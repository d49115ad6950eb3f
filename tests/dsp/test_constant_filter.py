"""A track under constant faders, filtered in pieces: the samples of one pass, for any number of threads."""

import numpy as np
import pytest
from moodfader.engine.dsp.faders import Faders
from moodfader.engine.dsp.processor import SteeredSound
from moodfader.engine.dsp.segment_mask import SegmentMask
from moodfader.engine.render import constant_filter
from moodfader.engine.render.constant_filter import HOPS, FilteredTrack, filtered_pieces
from moodfader.models.common.constants import N_BANDS

RATE = 8000
PIECE = HOPS * 128  # (hops of 128 samples at this rate)
FADERS = Faders(modality=7, articulation=-5)


class Sound:
    """A track in memory that counts how often it is read."""

    sample_rate, channels = RATE, 2

    def __init__(self, samples: int) -> None:
        self.sound = np.random.default_rng(samples).uniform(-0.5, 0.5, (samples, 2)).astype(np.float32)
        self.samples, self.read = samples, 0

    def measured_blocks(self):
        self.read += 1
        yield from np.split(self.sound, range(0, self.samples, 10_000)[1:])


def segments(samples: int) -> tuple[np.ndarray, np.ndarray]:
    frames = round(samples / RATE * 31.32) + 1
    labels = (np.arange(frames)[:, None] // 5 * 19 + np.arange(N_BANDS) // 8).astype(np.int32) % 70
    return labels, np.random.default_rng(2).uniform(-1, 1, (70, 7)).astype(np.float32)


@pytest.mark.parametrize("samples", [1, 100, PIECE - 1, PIECE, PIECE + 1, PIECE + 300, 3 * PIECE + 77])
def test_pieces_are_the_stream_whatever_the_threads(samples) -> None:
    track = Sound(samples)
    labels, weights = segments(samples)
    whole = SteeredSound(labels, weights, sample_rate=RATE, channels=2, ceiling_dbtp=None)
    expected = np.concatenate([whole.process(track.sound, FADERS), whole.flush()])
    assert np.abs(expected - track.sound).max() > 0.01
    mask = SegmentMask(labels, weights, sample_rate=RATE)
    for threads in (1, 2, 5):
        pieces = list(
            filtered_pieces(
                track.measured_blocks(), mask, FADERS.to_array(), sample_rate=RATE, channels=2, threads=threads
            )
        )
        assert [len(piece) for piece in pieces[:-1]] == [PIECE] * (len(pieces) - 1)
        np.testing.assert_array_equal(np.concatenate(pieces), expected)


def test_what_is_short_enough_is_filtered_once(monkeypatch) -> None:
    track = Sound(2 * PIECE + 5)
    labels, weights = segments(track.samples)
    found = []
    for kept_bytes in (0, 8 * track.samples):
        monkeypatch.setattr(constant_filter, "KEPT_BYTES", kept_bytes)
        track.read = 0
        filtered = FilteredTrack(track, labels, weights, faders=FADERS)
        peak = filtered.true_peak_dbtp()
        found += [np.concatenate(list(filtered.blocks())) for _ in range(2)]
        assert track.read == (1 if kept_bytes else 2)
        if kept_bytes:
            assert peak >= 20 * np.log10(np.abs(found[-1]).max())
        else:
            assert peak is None
    for one in found[1:]:
        np.testing.assert_array_equal(one, found[0])


def test_a_pass_that_was_left_in_the_middle_is_not_taken_for_the_whole() -> None:
    track = Sound(2 * PIECE + 5)
    labels, weights = segments(track.samples)
    filtered = FilteredTrack(track, labels, weights, faders=FADERS)
    begun = filtered.blocks()
    first = next(begun).copy()
    begun.close()
    whole = np.concatenate(list(filtered.blocks()))
    np.testing.assert_array_equal(whole[: len(first)], first)
    assert len(whole) == track.samples
