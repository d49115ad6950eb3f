"""What is fetched while it already plays: the tracks of the set list, in their order, and the maps of their analyses.

It works in a thread of the process that renders, so it never keeps that interpreter for long: after what the first
sound needs, it rests as long as it works.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from ...models.common.errors import InputError
from ..audio.sample_buffer import SampleBuffer
from ..performance.masked_reader import SegmentMask
from ..processes.realtime import RT_CONTROL, set_realtime

_HURRY_S: Final = 5.0
"""So much of the first track is loaded without a rest."""


class TrackLoader:
    """Loads from its own thread until it is told to stop."""

    def __init__(
        self, sounds: Sequence[SampleBuffer], got_map: Callable[[int, SegmentMask], None], tell: Callable[..., None]
    ) -> None:
        """`got_map(number, map)` and `tell("error", text)` are called by the thread."""
        self._sounds, self._got_map, self._tell = sounds, got_map, tell
        self._maps: dict[int, str] = {}
        self._work = threading.Event()
        self._stopped = False
        self._worked_since = time.monotonic()
        threading.Thread(target=self._run, name="loader", daemon=True).start()

    def request_mask(self, number: int, path: str) -> None:
        """Get the map of a track from its analysis file."""
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
        for sound in self._sounds:
            sound.load(self._rest)
            self._fetch_maps()
            if sound.error is not None:
                self._tell("error", str(sound.error))
        while not self._stopped:
            self._work.wait()
            self._work.clear()
            self._fetch_maps()

    def _rest(self) -> None:
        first = self._sounds[0]
        if first.loaded > _HURRY_S * first.sample_rate:
            time.sleep(min(time.monotonic() - self._worked_since, 0.1))
            self._fetch_maps()
        self._worked_since = time.monotonic()

    def _fetch_maps(self) -> None:
        while self._maps:
            number = next(iter(self._maps))
            path = self._maps.pop(number)
            try:
                with np.load(path, allow_pickle=False) as archive:
                    labels, weights = archive["segments"], archive["mask_weights"]
            except (OSError, ValueError, KeyError) as error:
                self._tell("error", str(InputError(f"{path}: the analysis cannot be read ({error})")))
                continue
            self._got_map(number, SegmentMask(labels, weights, sample_rate=self._sounds[number].sample_rate))
