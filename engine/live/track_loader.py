"""Background loading: the tracks of the set list, the one that plays first, and the masks of their analyses.

It works in a thread of the process that renders, so it never keeps that interpreter for long: after what the first
sound needs, it rests as long as it works.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from ...models.common.errors import InputError
from ..analysis.analysis_file import load_tables
from ..audio.sample_buffer import SampleBuffer
from ..dsp.mask_filter import warm_up
from ..dsp.segment_mask import SegmentMask
from ..processes.messages import Notice
from ..processes.realtime import RT_CONTROL, set_realtime

_HURRY_S: Final = 5.0
"""So much is loaded without a rest, from the beginning of the track that plays to behind the position."""


class TrackLoader:
    """Loads from its own thread until it is told to stop."""

    def __init__(
        self,
        sounds: Sequence[SampleBuffer],
        got_map: Callable[[int, SegmentMask], None],
        tell: Callable[[Notice], None],
        wanted: Callable[[], tuple[int, int]] = lambda: (0, 0),
    ) -> None:
        """Begin to load.

        Parameters
        ----------
        sounds : sequence of Sound
            The tracks of the set list.
        got_map : callable
            Called by the thread with the number of a track and its mask.
        tell : callable
            Called by the thread with what went wrong.
        wanted : callable
            Gives the number of the track that plays, and the sample of it that is needed next.
        """
        self._sounds, self._got_map, self._tell, self._wanted = sounds, got_map, tell, wanted
        self._maps: dict[int, str] = {}
        self._work = threading.Event()
        self._stopped = False
        self._worked_since = time.monotonic()
        threading.Thread(target=self._run, name="loader", daemon=True).start()

    def request_mask(self, number: int, path: str) -> None:
        """Get the mask of a track from its analysis file."""
        self._maps[number] = path
        self._work.set()

    def stop(self) -> None:
        """Load no more."""
        self._stopped = True
        for sound in self._sounds:
            sound.close()
        self._work.set()

    def _run(self) -> None:
        set_realtime(RT_CONTROL)
        left = set(range(len(self._sounds)))
        while left and not self._stopped:
            number = next_in_order(self._wanted()[0], left)
            left.discard(number)
            sound = self._sounds[number]
            sound.load(self._rest)
            self._fetch_maps()
            if sound.error is not None:
                self._tell(Notice(str(sound.error), is_error=True))
        while not self._stopped:
            self._work.wait()
            self._work.clear()
            self._fetch_maps()

    def _rest(self) -> None:
        """Rest as long as was worked, unless what plays has to wait for this (or for a track that comes after it)."""
        track, position = self._wanted()
        playing = self._sounds[track]
        if playing.is_loaded(position, position + round(_HURRY_S * playing.sample_rate)):
            time.sleep(min(time.monotonic() - self._worked_since, 0.1))
            self._fetch_maps()
        self._worked_since = time.monotonic()

    def _fetch_maps(self) -> None:
        while self._maps:
            number = next(iter(self._maps))
            path = self._maps.pop(number)
            try:
                mask = load_mask(path, sample_rate=self._sounds[number].sample_rate)
            except InputError as error:
                self._tell(Notice(str(error), is_error=True))
                continue
            self._got_map(number, mask)


def load_mask(path: str, *, sample_rate: int) -> SegmentMask:
    """The mask of an analysis file, ready for its first use.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    tables = load_tables(path, ("segments", "mask_weights"))
    mask = SegmentMask(tables["segments"], tables["mask_weights"], sample_rate=sample_rate)
    warm_up(mask, sample_rate=sample_rate)
    return mask


def next_in_order(playing: int, left: set[int]) -> int:
    """Of the tracks that are left: the one that plays, then those that come next, then those before it.

    Examples
    --------
    >>> [next_in_order(2, left) for left in ({0, 1, 2, 3}, {0, 1, 3}, {0, 1})]
    [2, 3, 0]
    """
    following = [number for number in left if number >= playing]
    return min(following or left)
