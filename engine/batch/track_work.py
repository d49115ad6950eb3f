"""The work of each command on one track that has been opened: analyze, steer, render; and the curve of predict.

A function takes the track, the task's settings, the network, the file to write (None: there is none) and the job; it
returns the result as a plain dict, with notes about the track as `notes` where there may be some.
"""

import contextlib
import csv
import dataclasses
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from ...models.common.constants import MIDLEVEL
from ...models.common.errors import InputError
from ...models.inference.checkpoint import Model
from ..analysis import cache
from ..analysis.analysis import Analysis
from ..analysis.batched_prediction import PredictionCurve
from ..analysis.settings import AnalysisSettings
from ..audio.track import Track
from ..dsp.faders import Faders
from ..file_targets.steer import steer
from ..render.render import render
from .common.storage import is_url, open_storage, put_bytes
from .common.tasks import NOTES, Job

Work = Callable[[Track, Mapping[str, Any], Model, Path | None, Job], dict[str, Any]]


def analyze_work(
    track: Track, settings: Mapping[str, Any], model: Model, file: Path | None, job: Job
) -> dict[str, Any]:
    """Analyse a track; the analysis is in the cache, which the result names."""
    del file
    analysis = cached_analysis(track, settings, model, job)
    name = cache.cache_path(track, model, analysis.settings).name
    notes = analysis.fader_notes()
    return {"duration_s": track.duration_s, **analysis.to_dict(), "analysis": f"analyses/{name}", NOTES: notes}


def render_work(
    track: Track, settings: Mapping[str, Any], model: Model, file: Path | None, job: Job
) -> dict[str, Any]:
    """Render a track with its faders set."""
    assert file is not None
    analysis = cached_analysis(track, settings["analysis"], model, job)
    faders = Faders.from_mapping(settings["gains_db"])
    rendered = render(
        track,
        analysis,
        file,
        faders=faders,
        model=model,
        match_loudness=settings["match_loudness"],
        bit_depth=settings["bit_depth"],
        ceiling_dbtp=settings["ceiling"],
        device=job.device,
    )
    moved = [name for name, value in zip(MIDLEVEL, faders.to_array(), strict=True) if value]
    return {**rendered.to_dict(), NOTES: analysis.fader_notes(moved)}


def steer_work(
    track: Track, settings: Mapping[str, Any], model: Model, file: Path | None, job: Job
) -> dict[str, Any]:
    """Steer a track towards emotions."""
    del job
    assert file is not None
    steered = steer(
        track,
        file,
        toward=settings["toward"],
        keep=settings["keep"],
        model=model,
        max_rms_db=settings["max_rms_db"],
        min_quality=settings["min_quality"],
        bit_depth=settings["bit_depth"],
        ceiling_dbtp=settings["ceiling"],
    )
    return dataclasses.asdict(steered)


WORK: Final[Mapping[str, Work]] = {"analyze": analyze_work, "render": render_work, "steer": steer_work}
"""By command; tracks are predicted together (worker.py)."""


def cached_analysis(track: Track, settings: Mapping[str, Any], model: Model, job: Job) -> Analysis:
    """The analysis of a track from the cache, or made and kept there; a remote cache is asked first and told last.

    Raises
    ------
    StorageLostError
        If the remote cache cannot be reached.
    """
    wanted = AnalysisSettings(**settings)
    if not job.cache or not is_url(job.cache):
        return cache.analyze(track, model=model, settings=wanted)
    storage = open_storage(job.cache)
    path = cache.cache_path(track, model, wanted)
    name = f"analyses/{path.name}"
    content = None if path.exists() else storage.read(name)
    if content is not None:
        with tempfile.TemporaryDirectory(prefix="moodfader-") as folder:
            copy = Path(folder) / path.name
            copy.write_bytes(content)
            with contextlib.suppress(InputError):  # (a broken one is made again)
                return cache.analyze(track, model=model, settings=wanted, output=copy)
    analysis = cache.analyze(track, model=model, settings=wanted)
    if content is None and analysis.path is not None:
        put_bytes(storage, name, analysis.path.read_bytes())
    return analysis


def write_curve(curve: PredictionCurve, file: Path) -> None:
    """Write features and emotions over time as CSV, numbers to six decimals."""
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        rows = list(curve.rows())
        writer.writerow(rows[0])
        writer.writerows([round(value, 6) for value in row.values()] for row in rows)
