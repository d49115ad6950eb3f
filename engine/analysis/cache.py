"""The cache of analyses on disk: the analysis of a track is read from it, or made and stored.

The names of its files follow from the sound's content, the model and the settings, so an analysis that no longer
fits is never found. The file itself is in analysis_file.py.
"""

import contextlib
import gc
import hashlib
import importlib
import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from ...models.common.errors import InputError
from ...models.common.paths import cache_dir
from ...models.common.progress import ProgressCallback
from ...models.inference.checkpoint import Model, load_model
from ...models.signal.log_spectrogram import INPUT_VERSION
from ..audio.track import Track
from ..steering.faders.levels import VERSION as FADERS_VERSION
from .analysis import Analysis
from .analysis_archive import FORMAT, VERSION
from .analysis_file import SUFFIX, is_analysis, load_analysis, save_analysis
from .settings import AnalysisSettings

PARTIAL_SUFFIX: Final = ".partial"


def cache_path(track: Track, model: Model, settings: AnalysisSettings) -> Path:
    """The cached analysis's path, whether it is there or not."""
    values = settings.stored()
    if settings.coupled:
        del values["coupled"]  # as in earlier versions, whose faders are coupled
    else:
        values["decoupled"] = FADERS_VERSION
    key = json.dumps([FORMAT, VERSION, INPUT_VERSION, track.digest, model.digest, values], sort_keys=True)
    return cache_dir() / "analyses" / (hashlib.sha256(key.encode()).hexdigest()[:32] + SUFFIX)


def analyze(
    track: Track,
    *,
    model: Model | None = None,
    settings: AnalysisSettings | None = None,
    output: Path | None = None,
    progress: Callable[[float], None] | None = None,
    note: Callable[[str], None] = lambda text: None,
) -> Analysis:
    """The analysis of a track: found in the cache, or made and kept there.

    An analysis that was killed goes on where it was. Where the cache cannot be written to, the analysis is made all
    the same, and its `path` is None.

    Parameters
    ----------
    model
        The default one where none is given.
    output
        The file to keep it in instead of the cache's: one that fits is used, an older or another analysis is made
        again, anything else is not overwritten.
    progress
        Called with the fraction done, only if there is work to do.
    note
        Called with a line about what a user should know.

    Raises
    ------
    InputError
        For an output that cannot be written or is something else.
    """
    model = model or load_model()
    settings = settings or AnalysisSettings()
    path = cache_path(track, model, settings) if output is None else output
    # The cache's name holds the sound, the model and the settings: what is kept under it can belong to nothing else.
    partial: Path | None = cache_path(track, model, settings).with_suffix(PARTIAL_SUFFIX)
    unwritable = _unwritable(cache_dir() / "analyses")
    if unwritable:
        partial = None  # the analysis can be made all the same, only not be resumed
    if path.exists():
        try:
            found = load_analysis(path, track=track, model=model)
            if found.settings == settings:
                return found
        except InputError:
            if output is not None and not is_analysis(path):
                raise InputError(f"{path}: exists and is not an analysis; not overwritten") from None
            note(f"{path}: does not fit this track, model and settings any more; it is made again")
    analysis = _made(track, model, settings, partial, progress)
    try:
        if output is None and unwritable:
            raise InputError(unwritable)
        save_analysis(analysis, path)
    except InputError as error:
        if output is not None:
            raise
        note(f"the analysis is used but not kept: {error}")
        return analysis
    if partial is not None:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
    return replace(analysis, path=path)


def _made(
    track: Track, model: Model, settings: AnalysisSettings, partial: Path | None, progress: ProgressCallback | None
) -> Analysis:
    """Analyse a track; where torch is still to be imported, it is segmented in another process meanwhile."""
    from ..segmenting.helper_process import is_worth_it, segmented_elsewhere

    elsewhere = (
        segmented_elsewhere(track, method=settings.segmentation)
        if is_worth_it(track)
        else contextlib.nullcontext(lambda: None)
    )
    with elsewhere as result:
        _import_analysis()
        segmented = result()
    from .analyze_track import analyze_track

    return analyze_track(track, model, settings, partial=partial, progress=progress, segmented=segmented)


def _import_analysis() -> None:
    """Import `analyze_track`, and torch with it.

    A tenth quicker while no garbage is looked for; modules make none.
    """
    was_sought = gc.isenabled()
    gc.disable()
    try:
        importlib.import_module(".analyze_track", __package__)
    finally:
        if was_sought:
            gc.enable()


def _unwritable(folder: Path) -> str:
    """Why no file can be made in the cache folder; empty where one can."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return ""
    except OSError as error:
        return f"{folder}: the cache folder cannot be written to ({error.strerror or error})"
