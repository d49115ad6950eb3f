"""The cache of analyses: one of a track is found there, or made and kept.

The names of its files follow from the sound's content, the model and the settings, so an analysis that no longer
fits is never found. The file itself is in analysis_file.py.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

from ...models.common.errors import InputError
from ...models.common.paths import cache_dir
from ...models.inference.checkpoint import Model, load_model
from ..audio.track import Track
from .analysis import Analysis, AnalysisSettings, analyze_track
from .analysis_file import FORMAT, SUFFIX, VERSION, is_analysis, load_analysis, save_analysis

PARTIAL_SUFFIX: Final = ".partial"


def cache_path(track: Track, model: Model, settings: AnalysisSettings) -> Path:
    """The cached analysis's path, whether it is there or not."""
    key = json.dumps([FORMAT, VERSION, track.digest, model.digest, asdict(settings)], sort_keys=True)
    return cache_dir() / "analyses" / (hashlib.sha256(key.encode()).hexdigest()[:32] + SUFFIX)


def analyze(
    track: Track,
    *,
    model: Model | None = None,
    settings: AnalysisSettings | None = None,
    output: Path | None = None,
    progress: Callable[[float], None] | None = None,
) -> Analysis:
    """The analysis of a track (its `path` says where it is kept): found in the cache, or made and kept there.

    Without a model it is the default one. `output` is kept instead of the cache's file: one that fits is used, an
    older analysis is made again, anything else is not overwritten. An analysis that was killed goes on where it was.
    progress is called with the fraction done, only if there is work to do. Raises InputError.
    """
    model = model or load_model()
    settings = settings or AnalysisSettings()
    path = cache_path(track, model, settings) if output is None else output
    # The cache's name holds the sound, the model and the settings: what is kept under it can belong to nothing else.
    partial: Path | None = cache_path(track, model, settings).with_suffix(PARTIAL_SUFFIX)
    try:
        cache_dir().joinpath("analyses").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if output is None:
            raise InputError(f"{path.parent}: the cache folder cannot be made ({error.strerror or error})") from error
        partial = None  # the analysis can be made all the same, only not be resumed
    if path.exists():
        try:
            found = load_analysis(path, track=track, model=model)
            if found.settings == settings:
                return found
        except InputError:
            if output is not None and not is_analysis(path):
                raise InputError(f"{path}: exists and is not an analysis; not overwritten") from None
    analysis = analyze_track(track, model, settings, partial=partial, progress=progress)
    save_analysis(analysis, path)
    if partial is not None:
        partial.unlink(missing_ok=True)
    return replace(analysis, path=path)
