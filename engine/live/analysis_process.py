"""The analysis process: analyses, measures the effect twice a second, solves targets.

It is the only one that imports torch, and only where a track has no analysis yet or targets are solved.

The track that plays is analysed first, then those after it, then those before it. When a track is played whose
analysis is missing, the running analysis is interrupted, and resumed later. Analyses run with low priority on one
thread. The process only reads the ring buffer, and no sound waits for it. A track without an analysis gets a draft
of it first, within seconds, and the full one when it is done.
"""

import contextlib
import os
import threading
import time
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ...models.common.arrays import FloatArray, Labels
from ...models.common.errors import InputError
from ...models.inference.heap import return_freed_memory
from ..analysis.surrogate import TrackSummary
from ..audio.containers.input_file import file_version
from ..audio.thumbnail import spectrogram_thumbnail
from ..processes.lasting_loop import fault_line
from ..processes.messages import (
    AnalysisJob,
    AnalysisProgress,
    MeasuredEffect,
    Notice,
    PlayerMessage,
    ProcessStatus,
    SettingSolved,
    SolveTargets,
    TargetsSolved,
    TrackAnalyzed,
    TrackThumbnail,
)
from ..processes.realtime import set_background_priority, set_normal_priority
from ..processes.ring_buffer import RingBuffer
from .effect_meter import EffectMeter
from .track_loader import next_in_order

if TYPE_CHECKING:
    from ..analysis.analysis import Analysis
    from ..analysis.settings import AnalysisSettings
    from ..audio.track import Track

EVERY_S: Final = 0.5
_TELL_S: Final = 0.25
"""Shortest time between two messages of progress."""


def main(job: AnalysisJob, connection: "Connection[Any, Any]") -> None:
    """Body of the process: receive an AttachRing, then work until `stop` is set or the pipe is closed."""
    set_normal_priority()
    with contextlib.suppress(EOFError, ConnectionError):  # (the player has gone)
        _AnalysisWorker(job, connection).run()


class _PreemptedError(Exception):
    """Interrupts an analysis: another track is to be analysed first."""


class _AnalysisWorker:
    def __init__(self, job: AnalysisJob, connection: "Connection[Any, Any]") -> None:
        self._job = job
        self._connection = connection
        self._lock = threading.Lock()
        self._peaks: dict[int, float] = {}
        self._analyses: dict[int, tuple[Path, float]] = {}
        self._held: tuple[Path, Track, tuple[Labels, FloatArray]] | None = None
        self._whole: tuple[Path, Track, Analysis] | None = None
        self._left = set(range(len(job.files)))
        self._told_at = float("-inf")
        self._measuring_fault = ""

    def run(self) -> None:
        attach = self._connection.recv()
        self._ring = ring = RingBuffer(attach.channels, name=attach.name)
        self._send(AnalysisProgress(ring.track, 0.0))
        os.environ["OMP_NUM_THREADS"] = "1"  # (torch reads it, should an analysis need it)
        from ...models.inference.checkpoint import load_model

        try:
            self._model = load_model(self._job.model)
        except InputError as error:
            self._send(ProcessStatus("analyzer", "failed", str(error)))
            return
        threading.Thread(target=self._analyse_all, daemon=True).start()
        meter = EffectMeter(ring, self._model, sample_rate=attach.sample_rate)
        request: SolveTargets | None = None
        while not ring.stop:
            ring.looks += 1
            if self._connection.poll(EVERY_S):
                request = self._connection.recv()
                while self._connection.poll():  # the newest request counts
                    request = self._connection.recv()
            if request is not None and (request.track in self._analyses or request.track not in self._left):
                self._send(self._solve(request))  # (a process that was started again finds the analysis first)
                request = None
            track = ring.track
            if track in self._peaks and (effect := self._measured(meter, track)) is not None and ring.track == track:
                self._send(effect)
        os._exit(0)  # the analysis thread may be computing

    def _measured(self, meter: EffectMeter, track: int) -> MeasuredEffect | None:
        """What steering does to what sounds now. A fault is told once: analyses and targets do without."""
        try:
            return meter.measure(track=track, peak=self._peaks[track])
        except Exception as error:
            line, before = fault_line("measured emotions", error), self._measuring_fault
            self._measuring_fault = line
            if line != before:
                self._send(Notice(line, is_error=True))
            return None

    def _solve(self, request: SolveTargets) -> TargetsSolved:
        """Find faders for targets on what comes next of the track, which is held with its masks for the next."""
        from ..analysis.analysis_file import load_masks
        from ..live_targets.measured import answer

        number = request.track
        if number not in self._analyses:
            return TargetsSolved(request.number, number, error="the track has no analysis")
        try:
            analysis, duration_s = self._analyses[number]
            if self._held is None or self._held[0] != analysis:
                masks = load_masks(analysis, duration_s=duration_s)
                self._held = analysis, self._track(number), masks
            return answer(request, self._held[1], self._model, self._held[2])
        except InputError as error:
            return TargetsSolved(request.number, number, error=str(error))
        except Exception as error:
            return TargetsSolved(request.number, number, error=fault_line("targets", error))

    def _analyse_all(self) -> None:
        """Thread: analyse one track after the other, the one that plays first; then solve their presets."""
        while self._left:
            number = next_in_order(self._ring.track, self._left)
            try:
                self._analyse(number)
            except InputError as error:
                self._send(Notice(str(error), is_error=True))
            except _PreemptedError:
                continue
            except Exception as error:  # (of one track: the others are analysed by the same thread)
                line = fault_line(f"analysis of {self._job.files[number].name}", error)
                self._send(Notice(line, is_error=True))
            self._left.discard(number)
        unsolved = {(number, faders_db) for number in self._analyses for faders_db in self._job.presets}
        while unsolved:
            number = next_in_order(self._ring.track, {track for track, _ in unsolved})
            faders_db = next(one for one in self._job.presets if (number, one) in unsolved)
            unsolved.discard((number, faders_db))
            try:
                self._solve_preset(number, faders_db)
            except InputError:  # (a file that has gone meanwhile: its faders add up)
                continue
            except Exception as error:
                line = fault_line(f"a preset for {self._job.files[number].name}", error)
                self._send(Notice(line, is_error=True))

    def _analyse(self, number: int) -> None:
        from ...models.signal.log_spectrogram import spectrogram_blocks
        from ..analysis.cache import cache_path
        from ..analysis.settings import AnalysisSettings

        track = self._track(number)
        self._peaks[number] = track.network_peak
        for note in track.notes:
            self._send(Notice(note.replace(str(track.path), track.path.name)))  # (a line of a screen)
        settings = AnalysisSettings(**self._job.settings)
        drafted = self._job.draft_first and not cache_path(track, self._model, settings).exists()
        if drafted:
            self._use(number, track, replace(settings, quality="draft", passes=0))
            self._send(Notice(f"{track.path.name}: faders follow a draft of the analysis until the full one is done"))
        analysis = self._use(number, track, settings)
        if drafted:
            self._send(Notice(f"{track.path.name}: the full analysis is used now"))
        for note in analysis.fader_notes():
            self._send(Notice(f"{track.path.name}: {note}"))
        thumbnail = spectrogram_thumbnail(spectrogram_blocks(track.network_input_blocks(), scale=track.network_peak))
        self._send(TrackThumbnail(number, thumbnail))

    def _track(self, number: int) -> "Track":
        """The track as it plays. Raises InputError where its file is another one than when the show began."""
        from ..audio.track import load_track

        self._check_unchanged(number)
        track = load_track(self._job.files[number])
        self._check_unchanged(number)
        return track

    def _check_unchanged(self, number: int) -> None:
        path = self._job.files[number]
        if file_version(path) not in (self._job.versions[number], None):  # (None: told by who opens it)
            raise InputError(
                f"{path.name}: its file has been changed since the show began: it plays as it was, and its faders do "
                "nothing (play again)"
            )

    def _use(self, number: int, track: "Track", settings: "AnalysisSettings") -> "Analysis":
        """Analyse a track, or find its analysis, and have it used. Raises InputError."""
        from ..analysis.cache import analyze
        from ..analysis.prediction import predict_track

        analysis = analyze(
            track,
            model=self._model,
            settings=settings,
            progress=lambda fraction: self._analysing(number, fraction),
        )
        if analysis.path is None:
            raise InputError(
                f"{track.path.name}: its analysis cannot be kept (is the cache writable?): its faders do nothing"
            )
        summary = TrackSummary(
            analysis=analysis.path,
            digest=track.digest,
            model_digest=self._model.digest,
            duration_s=analysis.duration_s,
            clip_seconds=analysis.clip_seconds,
            sounding_s=analysis.sounding_s,
            emotions=dict((analysis.prediction or predict_track(track, self._model)).emotions),
            emotion_weights=self._model.emotion_weights,
        )
        self._check_unchanged(number)
        self._analyses[number] = analysis.path, analysis.duration_s
        self._send(TrackAnalyzed(number, summary))
        return analysis

    def _solve_preset(self, number: int, faders_db: tuple[float, ...]) -> None:
        """Solve a preset as a whole for an analysed track, and have it used. Raises InputError."""
        from ..analysis.analysis_file import load_analysis
        from ..dsp.faders import Faders
        from ..render.whole_setting import solve_preset

        set_background_priority()
        path, _ = self._analyses[number]
        if self._whole is None or self._whole[0] != path:
            track = self._track(number)
            self._whole = path, track, load_analysis(path, track=track, model=self._model)
        solved = solve_preset(self._whole[1], self._whole[2], Faders(*faders_db), self._model)
        return_freed_memory()
        if solved is not None:
            self._send(SettingSolved(number, faders_db, solved.correction_db))

    def _analysing(self, number: int, fraction: float) -> None:
        """Progress of an analysis that is not in the cache: lower the priority, yield to the track that plays."""
        set_background_priority()
        playing = self._ring.track
        if playing != number and playing in self._left:
            raise _PreemptedError
        if time.monotonic() - self._told_at > _TELL_S:
            self._told_at = time.monotonic()
            self._send(AnalysisProgress(number, fraction))

    def _send(self, message: PlayerMessage) -> None:
        with self._lock, contextlib.suppress(OSError):
            self._connection.send(message)
