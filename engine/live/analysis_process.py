"""The process that has torch: it analyses the tracks of the set list, and hears what sounds twice a second.

Its analyses are nice to the others (lower priority, one thread). It shares nothing with them but the ring, which it
only reads, and may be as late as it likes: no sound waits for it.
"""

import contextlib
import os
import threading
from multiprocessing.connection import Connection
from typing import Any, Final

import numpy as np

from ...models.common.errors import InputError
from ..analysis.surrogate import TrackSummary
from ..analysis.thumbnail import spectrogram_thumbnail
from ..processes.messages import AnalysisJob
from ..processes.realtime import set_background_priority, set_normal_priority
from ..processes.ring_buffer import RingBuffer

WINDOW_S: Final = 10.0
EVERY_S: Final = 0.5
_LEAST_S: Final = 2.0


def main(job: AnalysisJob, connection: "Connection[Any, Any]") -> None:
    """Tells ("progress", track, fraction), ("heard", track, Heard), ("picture", track, levels (see picture.py)),
    ("measured", emotions), ("error", text).

    Is told the ring's name, its rate and its channels; ends when the ring says stop or the pipe ends.
    """
    set_normal_priority()
    with contextlib.suppress(EOFError, OSError):
        _AnalysisWorker(job, connection).run()


class _AnalysisWorker:
    def __init__(self, job: AnalysisJob, connection: "Connection[Any, Any]") -> None:
        self._job = job
        self._connection = connection
        self._lock = threading.Lock()
        self._peaks: dict[int, float] = {}

    def run(self) -> None:
        name, rate, channels = self._connection.recv()
        ring = RingBuffer(channels, name=name)
        import torch

        torch.set_num_threads(1)
        from ...models.inference.checkpoint import load_model

        try:
            self._model = load_model(self._job.model)
        except InputError as error:
            self._tell("error", str(error))
            return
        threading.Thread(target=self._analyse_all, daemon=True).start()
        heard_until = 0
        while not ring.stop:
            if self._connection.poll(EVERY_S):
                self._connection.recv()  # nothing is said after the ring: this is the end, as EOFError
            peak = self._peaks.get(ring.track)
            if peak is None or not ring.playing or ring.read < _LEAST_S * rate or ring.read == heard_until:
                continue
            heard_until = ring.read
            self._tell("measured", self._emotions(ring.recent(round(WINDOW_S * rate)), rate, peak))
        os._exit(0)  # (the analysis thread may be in the middle of something long)

    def _emotions(self, samples: np.ndarray, rate: int, peak: float) -> dict[str, float]:
        """Of sound [n, channels], on the scale of its track."""
        from ..analysis.prediction import predict_samples

        return dict(predict_samples(samples, rate, self._model, scale=peak).emotions)

    def _analyse_all(self) -> None:
        from ...models.network.spectrogram import spectrogram_blocks
        from ..analysis.analysis import AnalysisSettings
        from ..analysis.cache import analyze
        from ..analysis.prediction import predict_track
        from ..audio.track import load_track

        for number, file in enumerate(self._job.files):
            try:
                track = load_track(file)
                self._peaks[number] = track.network_peak
                analysis = analyze(
                    track,
                    model=self._model,
                    settings=AnalysisSettings(**self._job.settings),
                    progress=lambda fraction, number=number: self._analysing(number, fraction),  # type: ignore[misc]
                )
                if analysis.path is None:
                    raise InputError(f"{file}: its analysis was not kept")
                heard = TrackSummary(
                    analysis=analysis.path,
                    digest=track.digest,
                    model_digest=self._model.digest,
                    sounding_s=analysis.sounding_s,
                    clip_seconds=analysis.clip_seconds,
                    emotions=dict(predict_track(track, self._model).emotions),
                    emotion_weights=self._model.emotion_weights,
                )
            except InputError as error:
                self._tell("error", str(error))
                continue
            self._tell("heard", number, heard)
            self._tell(
                "picture",
                number,
                spectrogram_thumbnail(spectrogram_blocks(track.network_input_blocks(), scale=track.network_peak)),
            )

    def _analysing(self, number: int, fraction: float) -> None:
        """A track has no analysis yet: that is long work, which others go before."""
        set_background_priority()
        self._tell("progress", number, fraction)

    def _tell(self, *message: object) -> None:
        with self._lock, contextlib.suppress(OSError):
            self._connection.send(message)
