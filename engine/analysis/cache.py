"""Analysis files and the cache they are kept in.

A file is a compressed NumPy archive (no pickle) of a label map, tables and a description in JSON; the same analysis
gives the same bytes. The cache's file names follow from the sound's content, the model and the settings, so an
analysis that no longer fits is never found, and `load_analysis` refuses one that is given by hand.
"""

import hashlib
import json
import zipfile
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from ...models.common.atomic_write import atomic_write
from ...models.common.constants import MIDLEVEL, N_BANDS
from ...models.common.errors import InputError
from ...models.common.paths import cache_dir
from ...models.inference.checkpoint import Model, load_model
from ...models.network.spectrogram import INPUT_VERSION
from ..audio.track import Track
from .analysis import Analysis, AnalysisSettings, analyze_track

FORMAT: Final = "moodfader-analysis"
VERSION: Final = 2
SUFFIX: Final = ".npz"
PARTIAL_SUFFIX: Final = ".partial"
_TABLES: Final = {
    "weights": np.float32,
    "standard_errors": np.float32,
    "p_values": np.float64,
    "mask_weights": np.float32,
}


def cache_path(track: Track, model: Model, settings: AnalysisSettings) -> Path:
    """The cached analysis's path, whether it is there or not."""
    key = json.dumps([FORMAT, VERSION, INPUT_VERSION, track.digest, model.digest, asdict(settings)], sort_keys=True)
    return cache_dir() / "analyses" / (hashlib.sha256(key.encode()).hexdigest()[:32] + SUFFIX)


def save_analysis(analysis: Analysis, path: Path) -> None:
    """Write the analysis; a reader sees the old file or the whole new one. Raises InputError."""
    description = {"format": FORMAT, "version": VERSION, "midlevel": MIDLEVEL, **analysis.metadata()}
    arrays = {
        "segments": analysis.segments,
        "response_per_db": analysis.response_per_db,
        "surrogate_r2": analysis.surrogate_r2,
        "half_agreement": analysis.half_agreement,
        **{name: getattr(analysis, name) for name in _TABLES},
        "description": np.frombuffer(json.dumps(description, sort_keys=True).encode(), np.uint8),
    }
    with atomic_write(path) as beside, beside.open("wb") as file:
        np.savez_compressed(file, **arrays)


def load_analysis(path: str | Path, *, track: Track | None = None, model: Model | None = None) -> Analysis:
    """Read an analysis; with `track` or `model` it must be of that sound and that model.

    Raises InputError for a file that is missing, broken, foreign, of another version or does not fit.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such analysis file")
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        description = json.loads(bytes(arrays.pop("description")))
        if description.get("format") != FORMAT:
            raise InputError(f"{path}: not a Moodfader analysis")
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, AttributeError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: not a readable analysis file (damaged, or something else?)") from error
    if description.get("version") != VERSION:
        raise InputError(f"{path}: analysis format {description.get('version')}, this program reads {VERSION}")
    analysis = _checked(path, arrays, description)
    if track is not None and analysis.track_digest != track.digest:
        raise InputError(f"{path}: the analysis of another sound than {track.path} (edited since, or another file?)")
    if model is not None and analysis.model_digest != model.digest:
        raise InputError(f"{path}: made with another model than {model.path.name}; analyse the track again")
    return analysis


def _checked(path: Path, arrays: dict[str, np.ndarray[Any, Any]], description: dict[str, Any]) -> Analysis:
    """Build the analysis, or say that the file's parts do not fit together."""
    try:
        segments = arrays["segments"]
        count = len(arrays["weights"])
        sound = (
            segments.ndim == 2
            and segments.shape[1] == N_BANDS
            and segments.dtype == np.int32
            and segments.size > 0
            and segments.min() >= 0
            and segments.max() < count
            and all(
                arrays[name].shape == (count, len(MIDLEVEL))
                and arrays[name].dtype == kind
                and bool(np.isfinite(arrays[name]).all())
                for name, kind in _TABLES.items()
            )
            and bool((np.abs(arrays["mask_weights"]) <= 1).all())
            and arrays["response_per_db"].shape == (count,)
            and arrays["surrogate_r2"].shape == arrays["half_agreement"].shape == (len(MIDLEVEL),)
        )
        if sound:
            return Analysis(
                **arrays,
                duration_s=float(description["duration_s"]),
                track_digest=str(description["track"]),
                model_digest=str(description["model"]),
                clip_seconds=float(description["clip_seconds"]),
                sounding_s=float(description.get("sounding_s", description["duration_s"])),
                settings=AnalysisSettings(**description["settings"]),
                path=path,
            )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: a damaged analysis file ({error})") from error
    raise InputError(f"{path}: a damaged analysis file (its tables do not fit together)")


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
            if output is not None and not _is_analysis(path):
                raise InputError(f"{path}: exists and is not an analysis; not overwritten") from None
    analysis = analyze_track(track, model, settings, partial=partial, progress=progress)
    save_analysis(analysis, path)
    if partial is not None:
        partial.unlink(missing_ok=True)
    return replace(analysis, path=path)


def _is_analysis(path: Path) -> bool:
    """Whether the file calls itself an analysis, be it stale, of another sound or damaged inside."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return bool(json.loads(bytes(archive["description"])).get("format") == FORMAT)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, AttributeError, TypeError):
        return False
