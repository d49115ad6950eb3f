"""Background loading: the tracks of the set list, the one that plays first, and the masks of their analyses.

It runs in a thread of the render process and holds the interpreter lock for short times only: once what the position
needs is loaded, it sleeps as long as it works.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from ...models.common.errors import InputError
from ..analysis.analysis_file import load_masks
from ..audio.sample_buffer import SampleBuffer
from ..dsp.mask_filter import warm_up
from ..dsp.segment_mask import SegmentMask
from ..processes.lasting_loop import fault_line, run_rounds
from ..processes.messages import Notice
from ..processes.realtime import RT_CONTROL, set_realtime

_READ_AHEAD_S: Final = 5.0
"""So far beyond the position the track is loaded without sleeping."""


class TrackLoader:
    """Loads tracks and masks in a thread of its own until `stop`."""

    def __init__(
        self,
        sounds: Sequence[SampleBuffer],
        on_mask_loaded: Callable[[int, SegmentMask], None],
        send: Callable[[Notice], None],
        wanted: Callable[[], tuple[int, int]] = lambda: (0, 0),
    ) -> None:
        """Begin to load.

        Parameters
        ----------
        sounds : sequence of Sound
            The tracks of the set list.
        on_mask_loaded : callable
            Called by the thread with the number of a track and its mask.
        send : callable
            Called by the thread with what went wrong.
        wanted : callable
            Gives the number of the track that plays, and the sample of it that is needed next.
        """
        self._sounds, self._on_mask_loaded, self._send, self._wanted = sounds, on_mask_loaded, send, wanted
        self._mask_paths: dict[int, str] = {}
        self._work = threading.Event()
        self._closing = threading.Event()
        self._worked_since = time.monotonic()
        threading.Thread(target=self._run, name="loader", daemon=True).start()

    def request_mask(self, number: int, path: str) -> None:
        """Load the mask of a track from its analysis file."""
        self._mask_paths[number] = path
        self._work.set()

    def stop(self) -> None:
        """Stop loading."""
        self._closing.set()
        for sound in self._sounds:
            sound.close()
        self._work.set()

    def _run(self) -> None:
        set_realtime(RT_CONTROL)
        left = {number: sound.load_steps() for number, sound in enumerate(self._sounds)}
        tell = lambda text: self._send(Notice(text, is_error=True))  # noqa: E731
        run_rounds(lambda: self._round(left), self._closing, who="loading of tracks", tell=tell)

    def _round(self, left: dict[int, Iterator[None]]) -> None:
        """Load a step of a track (a long one stands in the way of none that somebody goes to), later only masks."""
        if not left:
            self._work.wait()
            self._work.clear()
            self._load_masks()
            return
        number = next_in_order(self._wanted()[0], set(left))
        for _ in left[number]:
            self._sleep()
            return
        del left[number]
        self._load_masks()
        if (error := self._sounds[number].error) is not None:
            self._send(Notice(str(error), is_error=True))

    def _sleep(self) -> None:
        """Sleep as long as was worked, unless the track that plays waits for its samples."""
        track, position = self._wanted()
        playing = self._sounds[track]
        if playing.is_loaded(position, position + round(_READ_AHEAD_S * playing.sample_rate)):
            time.sleep(min(time.monotonic() - self._worked_since, 0.1))
            self._load_masks()
        self._worked_since = time.monotonic()

    def _load_masks(self) -> None:
        while self._mask_paths:
            number = next(iter(self._mask_paths))
            path = self._mask_paths.pop(number)
            try:
                mask = load_mask(path, sample_rate=self._sounds[number].sample_rate)
            except InputError as error:
                self._send(Notice(str(error), is_error=True))
            except Exception as error:  # (of one track: the others are loaded by the same thread)
                self._send(Notice(fault_line(f"faders of track {number + 1}", error), is_error=True))
            else:
                self._on_mask_loaded(number, mask)


def load_mask(path: str, *, sample_rate: int) -> SegmentMask:
    """Load the mask of an analysis file and use it once, so that its tables are in memory.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    labels, mask_weights = load_masks(path)
    mask = SegmentMask(labels, mask_weights, sample_rate=sample_rate)
    warm_up(mask, sample_rate=sample_rate)
    return mask


def next_in_order(playing: int, left: set[int]) -> int:
    """The next of some tracks: the one that plays, then those after it, then those before it.

    Examples
    --------
    >>> [next_in_order(2, left) for left in ({0, 1, 2, 3}, {0, 1, 3}, {0, 1})]
    [2, 3, 0]
    """
    following = [number for number in left if number >= playing]
    return min(following or left)
