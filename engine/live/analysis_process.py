"""The process that has torch: it analyses the tracks of the set list, and measures the effect twice a second.

The track that plays is analysed first, then those that come next, then those before it; when another one is played
whose analysis is not there, the work goes over to that, and back later where it was. Analyses of tracks are nice to
the other processes (lower priority, one thread). It shares nothing with them but the ring, which it only reads, and
may be as late as it likes: no sound waits for it.
"""

import contextlib
import os
import threading
import time
from multiprocessing.connection import Connection
from typing import Any, Final

from ...models.common.errors import InputError
from ..analysis.surrogate import TrackSummary
from ..analysis.thumbnail import spectrogram_thumbnail
from ..processes.messages import (
    AnalysisJob,
    AnalysisProgress,
    MeasuredEffect,
    Notice,
    ProcessStatus,
    TrackAnalyzed,
    TrackThumbnail,
)
from ..processes.realtime import set_background_priority, set_normal_priority
from ..processes.ring_buffer import RingBuffer
from .effect_meter import EffectMeter
from .track_loader import next_in_order

EVERY_S: Final = 0.5
_TELL_S: Final = 0.25
"""Progress is told no more often."""


def main(job: AnalysisJob, connection: "Connection[Any, Any]") -> None:
    """Take an AttachRing from the pipe and work until the ring says stop, or the pipe ends."""
    set_normal_priority()
    with contextlib.suppress(EOFError, OSError):
        _AnalysisWorker(job, connection).run()


class _PreemptedError(Exception):
    """Another track is to be analysed first."""


class _AnalysisWorker:
    def __init__(self, job: AnalysisJob, connection: "Connection[Any, Any]") -> None:
        self._job = job
        self._connection = connection
        self._lock = threading.Lock()
        self._peaks: dict[int, float] = {}
        self._left = set(range(len(job.files)))
        self._told_at = float("-inf")

    def run(self) -> None:
        attach = self._connection.recv()
        self._ring = ring = RingBuffer(attach.channels, name=attach.name)
        self._tell(AnalysisProgress(ring.track, 0.0))
        import torch

        torch.set_num_threads(1)
        from ...models.inference.checkpoint import load_model

        try:
            self._model = load_model(self._job.model)
        except InputError as error:
            self._tell(ProcessStatus("analyzer", "failed", str(error)))
            return
        threading.Thread(target=self._analyse_all, daemon=True).start()
        meter = EffectMeter(ring, self._model, sample_rate=attach.sample_rate)
        while not ring.stop:
            if self._connection.poll(EVERY_S):
                self._connection.recv()  # nothing is said after the ring: this is the end, as EOFError
            track = ring.track
            if track in self._peaks:
                effect = meter.measure(track=track, peak=self._peaks[track])
                if effect is not None and ring.track == track:
                    self._tell(effect)
        os._exit(0)  # (the analysis thread may be in the middle of something long)

    def _analyse_all(self) -> None:
        """Thread: one track after the other, what plays first."""
        while self._left:
            number = next_in_order(self._ring.track, self._left)
            try:
                self._analyse(number)
            except InputError as error:
                self._tell(Notice(str(error), is_error=True))
            except _PreemptedError:
                continue
            self._left.discard(number)

    def _analyse(self, number: int) -> None:
        from ...models.network.spectrogram import spectrogram_blocks
        from ..analysis.analysis import AnalysisSettings
        from ..analysis.cache import analyze
        from ..analysis.prediction import predict_track
        from ..audio.track import load_track

        track = load_track(self._job.files[number])
        self._peaks[number] = track.network_peak
        analysis = analyze(
            track,
            model=self._model,
            settings=AnalysisSettings(**self._job.settings),
            progress=lambda fraction: self._analysing(number, fraction),
        )
        if analysis.path is None:
            raise InputError(f"{track.path}: its analysis was not kept")
        summary = TrackSummary(
            analysis=analysis.path,
            digest=track.digest,
            model_digest=self._model.digest,
            duration_s=analysis.duration_s,
            clip_seconds=analysis.clip_seconds,
            sounding_s=analysis.sounding_s,
            emotions=dict(predict_track(track, self._model).emotions),
            emotion_weights=self._model.emotion_weights,
        )
        self._tell(TrackAnalyzed(number, summary))
        thumbnail = spectrogram_thumbnail(spectrogram_blocks(track.network_input_blocks(), scale=track.network_peak))
        self._tell(TrackThumbnail(number, thumbnail))

    def _analysing(self, number: int, fraction: float) -> None:
        """A track has no analysis yet: that is long work, which others go before."""
        set_background_priority()
        playing = self._ring.track
        if playing != number and playing in self._left:
            raise _PreemptedError
        if time.monotonic() - self._told_at > _TELL_S:
            self._told_at = time.monotonic()
            self._tell(AnalysisProgress(number, fraction))

    def _tell(
        self, message: AnalysisProgress | MeasuredEffect | Notice | ProcessStatus | TrackAnalyzed | TrackThumbnail
    ) -> None:
        with self._lock, contextlib.suppress(OSError):
            self._connection.send(message)
