"""All figures and sounds of an explanation, and the page that shows them, written into a folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from matplotlib.axes import Axes

from ...models.common.atomic_write import atomic_write, check_folder, check_no_input, new_files
from ...models.common.constants import HOP_LENGTH, MIDLEVEL, SAMPLE_RATE
from ...models.common.errors import InputError
from ...models.common.progress import ProgressCallback
from ...models.inference.checkpoint import Model
from ..analysis.analysis import Analysis
from ..analysis.faithfulness import FaithfulnessCurve, faithfulness_curves
from ..analysis.prediction import predict_track
from ..audio.track import Track
from ..audio.track_spectrogram import track_spectrogram
from ..render.sonify import Sonifier, write_sound
from .emotion_effects_plot import plot_emotion_effects
from .faithfulness_plot import plot_faithfulness
from .feature_plot import plot_feature
from .html_page import render_html
from .style import figure_of, figure_title, save_figure

FORMATS: Final = {"png": ("png",), "svg": ("svg",), "both": ("png", "svg")}


def explanation_paths(
    folder: Path, features: Sequence[str], *, form: str = "png", sounds: bool = True, curves: bool = True
) -> dict[str, Path]:
    """Name the files of an explanation.

    Parameters
    ----------
    folder
        Where they are to be written.
    features
        Names of the features explained.
    form
        A key of FORMATS; with "both", the keys of the second format end in "_svg".
    sounds, curves
        Whether sounds and faithfulness curves are written.

    Returns
    -------
    dict
        Paths by key: "effects", "original", "index"; for each feature its name alone and with "_curves", "_enhanced"
        (boosted) and "_alone" (isolated).
    """
    figures = ["effects", *features] + [f"{feature}_curves" for feature in features if curves]
    kinds = FORMATS[form]
    files = {
        (name if kind == kinds[0] else f"{name}_{kind}"): folder / f"{name}.{kind}"
        for name in figures
        for kind in kinds
    }
    if sounds:
        names = ["original", *(f"{feature}_{kind}" for feature in features for kind in ("enhanced", "alone"))]
        files |= {name: folder / f"{name}.wav" for name in names}
    return {**files, "index": folder / "index.html"}


def check_explanation(folder: Path, files: Sequence[Path], *, source: Path, overwrite: bool) -> None:
    """See that an explanation can be written into a folder, before any work is done.

    Raises
    ------
    InputError
        Where it cannot be made, one of the files is the recording that is explained, or exists (unless overwrite).
    """
    check_folder(folder)
    check_no_input(files, [source])
    existing = [path for path in files if path.exists()]
    if existing and not overwrite:
        raise InputError(f"{existing[0]}: exists already (--overwrite replaces it)")


def write_explanation(
    track: Track,
    analysis: Analysis,
    model: Model,
    files: dict[str, Path],
    *,
    excerpt_s: tuple[float, float],
    progress: ProgressCallback,
) -> None:
    """Write the files that explanation_paths names, and make their folder; where one cannot be, no new one stays.

    progress is called with the fraction done, 0..1. Raises InputError for a file that cannot be written.
    """
    with new_files(files["index"].parent, files.values()):
        spectrogram = track_spectrogram(track)
        prediction = predict_track(track, model)
        title = figure_title(track.path)
        sonifier = Sonifier(track, analysis, excerpt_s)
        mask = track.source.channel_mask
        features = [name for name in MIDLEVEL if name in files]
        curves: list[FaithfulnessCurve] = []
        if any(f"{feature}_curves" in files for feature in features):
            first, last = (round(second * SAMPLE_RATE / HOP_LENGTH) for second in excerpt_s)
            frames = first, min(last, len(spectrogram))
            curves = faithfulness_curves(spectrogram, analysis, model, features, frames=frames)

        def write(name: str, axes: list[Axes]) -> None:
            save_figure(figure_of(axes), [files[key] for key in (name, f"{name}_svg") if key in files])

        quantiles = model.record.get("midlevel_quantiles")
        weights = model.emotion_weights
        write(
            "effects",
            plot_emotion_effects(prediction.midlevel, prediction.emotions, weights, title=title, quantiles=quantiles),
        )
        for number, feature in enumerate(features, 1):
            write(feature, plot_feature(analysis, spectrogram, feature, title=title, excerpt_s=excerpt_s))
            feature_curves = [curve for curve in curves if curve.feature == feature]
            if feature_curves:
                write(f"{feature}_curves", plot_faithfulness(feature_curves, title=title))
            for kind, sound in (("enhanced", sonifier.boosted), ("alone", sonifier.isolated)):
                if f"{feature}_{kind}" in files:
                    write_sound(files[f"{feature}_{kind}"], sound(feature), track.sample_rate, mask)
            progress(number / (len(features) + 1))
        if "original" in files:
            write_sound(files["original"], sonifier.original(), track.sample_rate, mask)
        with atomic_write(files["index"]) as temporary:
            text = render_html(track, analysis, prediction, files, features, curves, excerpt_s=excerpt_s)
            temporary.write_text(text, encoding="utf-8", errors="surrogateescape")
        progress(1.0)
