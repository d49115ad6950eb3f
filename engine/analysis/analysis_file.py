"""The analysis file: its only reader and writer.

A compressed NumPy archive (.npz, no pickle): an integer label map, tables of effects, and a description in JSON. The
same analysis gives the same bytes. `analysis_archive.py` checks a file before anything in it is unpacked.

Without torch: the processes that play read their tables here too.
"""

import json
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ...models.common.atomic_write import atomic_write
from ...models.common.constants import EMOTIONS, MIDLEVEL
from ...models.common.errors import InputError
from ...models.common.parsing import BAD_ARCHIVE
from ...models.common.paths import as_path
from ..dsp.segment_mask import subsegment_labels
from .analysis_archive import (
    DECOUPLED,
    FORMAT,
    PER_SEGMENT,
    VERSION,
    AnalysisArchive,
    Array,
    checked_directory,
    read_description,
)

if TYPE_CHECKING:
    from ...models.inference.checkpoint import Model
    from ..audio.track import Track
    from .analysis import Analysis
    from .prediction import Prediction

SUFFIX: Final = ".npz"


def save_analysis(analysis: "Analysis", path: Path) -> None:
    """Write an analysis; a reader sees the old file or the whole new one.

    Raises
    ------
    InputError
        Where the file cannot be written.
    """
    description = {"format": FORMAT, "version": VERSION, "midlevel": MIDLEVEL, **analysis.metadata()}
    decoupled = () if analysis.response is None else DECOUPLED
    arrays = {
        "segments": analysis.segments,
        "response_per_db": analysis.response_per_db,
        "surrogate_r2": analysis.surrogate_r2,
        "half_agreement": analysis.half_agreement,
        **{name: np.ascontiguousarray(getattr(analysis, name)) for name in PER_SEGMENT},
        **{name: getattr(analysis, name) for name in decoupled if getattr(analysis, name) is not None},
        "description": np.frombuffer(json.dumps(description, sort_keys=True).encode(), np.uint8),
    }
    with atomic_write(path) as temp_path, temp_path.open("wb") as file:
        np.savez_compressed(file, **arrays)


def load_analysis(path: str | Path, *, track: "Track | None" = None, model: "Model | None" = None) -> "Analysis":
    """Read an analysis; with `track` or `model` it must be of that sound and that model.

    Raises
    ------
    InputError
        For a file that is missing, broken, foreign, of another version or does not fit.
    """
    from .analysis import Analysis
    from .settings import AnalysisSettings

    path = as_path(path, "analysis file")
    with AnalysisArchive(path) as archive:
        description = archive.description
        if track is not None and description["track"] != track.digest:
            raise InputError(
                f"{path}: the analysis of another sound than {track.path} (edited since, or another file?)"
            )
        if model is not None and description["model"] != model.digest:
            raise InputError(f"{path}: made with another model than {model.path.name}; analyse the track again")
        arrays = archive.read(archive.names, duration_s=None if track is None else track.duration_s)
        try:
            # (a file without the mark is of a version whose faders were coupled)
            settings = AnalysisSettings(**{"coupled": True, **description["settings"]})
        except (TypeError, ValueError) as error:
            raise InputError(f"{path}: a damaged analysis file ({error})") from error
        return Analysis(
            **arrays,
            duration_s=archive.duration_s,
            track_digest=description["track"],
            model_digest=description["model"],
            clip_seconds=float(description["clip_seconds"]),
            sounding_s=float(description.get("sounding_s", 0.0)),
            settings=settings,
            path=path,
            prediction=_prediction(description.get("prediction")),
            loudness_lufs=description.get("loudness_lufs"),
        )


def _prediction(stored: Mapping[str, Any] | None) -> "Prediction | None":
    """A prediction of the description, in the order of `constants.py`."""
    from .prediction import Prediction

    if stored is None:
        return None
    midlevel, emotions = stored["midlevel"], stored["emotions"]
    return Prediction(
        {name: float(midlevel[name]) for name in MIDLEVEL},
        {name: float(emotions[name]) for name in EMOTIONS},
        float(stored["duration_s"]),
    )


def load_tables(path: str | Path, names: Iterable[str], *, duration_s: float | None = None) -> dict[str, Array]:
    """Some arrays of an analysis by name, checked as `load_analysis` does; without torch.

    Parameters
    ----------
    path
        The analysis file.
    names
        `segments` (int32 [frames, bands]), `weights`, `standard_errors` (float32 [segments, 7]), `mask_weights`
        (float32 [segments, 7], or [subsegments, 14] where each fader has a mask above zero and one below), `p_values`
        (float64 [segments, 7]), `response_per_db` (float32 [segments]), `surrogate_r2`, `half_agreement` (float32
        [7]); `selected` (float32 [segments, 7]) and `response` (float32 [7, 6, 7]), which are left out where the
        faders are coupled; `slopes` (float32 [7, 21]), which files of 0.10 and before do not have either,
        `confirmed` (float32 [7, 2]), which those of 0.12 and before do not have, and `subsegments` (uint8 [frames,
        bands]), which those of 0.16 and before do not have.
    duration_s
        Length of the track in seconds, if it is known: the label map must be as long.

    Raises
    ------
    InputError
        For a file that is missing, broken, foreign, of another version or does not fit.
    """
    with AnalysisArchive(Path(path)) as archive:
        return archive.read(names, duration_s=duration_s)


def load_masks(path: str | Path, *, duration_s: float | None = None) -> tuple[Array, Array]:
    """The masks of the faders of an analysis, without torch.

    Labels int32 [frames, bands] of the subsegments (where the faders are coupled, and in files of 0.16 and before:
    segments), and the mask weights that belong to these, float32 [subsegments, 7 or 14]. Arguments and errors as of
    `load_tables`.
    """
    return _read_masks(path, duration_s)[:2]


def load_mean_masks(path: str | Path) -> tuple[Array, Array]:
    """The same for pictures in which a subsegment is less than a cell: the mean over each segment's subsegments.

    Labels int32 [frames, bands] of the segments, and mask weights float32 [segments, 7 or 14].
    """
    labels, mask_weights, each = _read_masks(path, None)
    if each == 1:
        return labels, mask_weights
    sizes = np.bincount(labels.ravel(), minlength=len(mask_weights)).reshape(-1, each, 1)
    sums = (mask_weights.reshape(len(sizes), each, -1) * sizes).sum(1)
    return labels // np.int32(each), np.asarray(sums / np.maximum(sizes.sum(1), 1), np.float32)


def _read_masks(path: str | Path, duration_s: float | None) -> tuple[Array, Array, int]:
    """Labels and mask weights as `load_masks` gives them, and how many subsegments each segment has."""
    with AnalysisArchive(Path(path)) as archive:
        tables = archive.read(("segments", "mask_weights", "subsegments"), duration_s=duration_s)
        each = len(tables["mask_weights"]) // archive.segments
    labels = tables["segments"]
    if "subsegments" in tables:
        labels = subsegment_labels(labels, tables["subsegments"], each)
    return labels, tables["mask_weights"], each


def is_analysis(path: Path) -> bool:
    """Whether a file calls itself an analysis, be it stale, of another sound or damaged inside."""
    try:
        with path.open("rb") as file, zipfile.ZipFile(checked_directory(file)) as archive:
            return bool(read_description(archive).get("format") == FORMAT)
    except BAD_ARCHIVE:
        return False
