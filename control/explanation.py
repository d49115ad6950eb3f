"""All figures and sounds of an explanation, written into a folder."""

from collections.abc import Sequence
from pathlib import Path

from ..engine.analysis import Analysis, track_spectrogram
from ..engine.prediction import predict_track
from ..engine.track import Track
from ..models.checkpoint import Model
from ..models.errors import InputError
from .console import Report
from .figures import effects_figure, feature_figure
from .listening import Listening


def files_of(folder: Path, features: Sequence[str], *, sounds: bool = True) -> dict[str, Path]:
    """What an explanation writes: effects, original, and of each feature itself, _enhanced and _alone."""
    names = {"effects": "effects.png", **{feature: f"{feature}.png" for feature in features}}
    if sounds:
        names["original"] = "original.wav"
        for feature in features:
            names |= {f"{feature}_{kind}": f"{feature}_{kind}.wav" for kind in ("enhanced", "alone")}
    return {key: folder / name for key, name in names.items()}


def prepare_folder(folder: Path, files: Sequence[Path], *, overwrite: bool) -> None:
    """Make the folder. Raises InputError where that cannot be, or one of the files is there already."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file, but a folder is needed to write into")
    there = [path for path in files if path.exists()]
    if there and not overwrite:
        raise InputError(f"{there[0]}: exists already (--overwrite replaces it)")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot be made ({error.strerror or error})") from error


def write_explanation(
    track: Track,
    analysis: Analysis,
    model: Model,
    files: dict[str, Path],
    *,
    stretch_s: tuple[float, float],
    progress: Report,
) -> None:
    """Write the files of `files_of`. progress is called with the fraction done. Raises InputError."""
    spectrogram = track_spectrogram(track)
    heard = predict_track(track, model)
    title = track.path.name
    listening = Listening(track, analysis, stretch_s)
    for number, (key, path) in enumerate(files.items()):
        feature, _, kind = key.rpartition("_")
        if key == "effects":
            quantiles = model.record.get("midlevel_quantiles")
            weights = model.emotion_weights
            effects_figure(path, heard.midlevel, heard.emotions, weights, title=title, quantiles=quantiles)
        elif key == "original":
            listening.original(path)
        elif kind == "enhanced":
            listening.enhanced(path, feature)
        elif kind == "alone":
            listening.alone(path, feature)
        else:
            feature_figure(path, analysis, spectrogram, key, title=title, stretch_s=stretch_s)
        progress((number + 1) / len(files))
