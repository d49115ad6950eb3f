"""The package's functions: audio in (a file's path, an array, a loaded track), typed results out.

They check what they are given, load the default model where none is given, and leave the work to the packages below.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from ...models.common.errors import InputError
from ...models.common.extras import require
from ...models.common.paths import as_path
from ...models.inference import checkpoint
from ...models.inference.checkpoint import Model
from ...models.inference.device import resolve_device
from ..analysis import cache
from ..analysis.analysis import Analysis
from ..analysis.prediction import Prediction, predict_track
from ..analysis.settings import AnalysisSettings
from ..audio.track import Track, load_track
from ..dsp.faders import Faders
from ..dsp.limiter import CEILING_RANGE_DBTP
from ..render import render as rendering
from ..render.render import RenderResult
from .argument_checks import as_analysis, as_faders, as_model, as_settings, decibels, seconds
from .array_source import track_from_array

if TYPE_CHECKING:
    from ..plotting.explanation import Explanation

Audio: TypeAlias = str | os.PathLike[str] | Track | npt.NDArray[np.floating]
"""A sound file's path, a loaded track, or float samples [samples] or [samples, channels] with full scale 1.0."""
Progress: TypeAlias = Callable[[float], None]
"""Called with the fraction done, 0..1."""


def load_model(path: str | os.PathLike[str] | None = None, *, device: str = "auto") -> Model:
    """Load a trained network for prediction.

    Parameters
    ----------
    path
        Checkpoint written by `moodfader train`; the network that ships with the package if None.
    device
        "auto" (a graphics card if there is one), "cpu", "cuda" or "cuda:N".

    Returns
    -------
    Model
        The network with its digest and the record of its training.

    Raises
    ------
    InputError
        For a file that is missing, damaged or of another format, and for a device that is not there.
    """
    return checkpoint.load_model(None if path is None else as_path(path, "model"), device=resolve_device(device))


def predict(
    audio: Audio, sample_rate: int | None = None, *, model: Model | None = None, device: str = "auto"
) -> Prediction:
    """Predict the seven mid-level features and the eight emotions of a recording.

    Parameters
    ----------
    audio
        Path of a sound file, `Track`, or float array [samples] or [samples, channels], full scale 1.0.
    sample_rate
        Of an array, in Hz, 8000 to 192000; not given for files and tracks.
    model
        From `load_model`; the default network if None.
    device
        Where the default network computes; see `load_model`.

    Returns
    -------
    Prediction
        `midlevel` and `emotions`, mappings from names to values from 0 to 1, and `duration_s`.

    Raises
    ------
    InputError
        For audio that cannot be used: unreadable, below a second, silent, not finite, of another shape or type.

    Examples
    --------
    >>> import moodfader, numpy as np
    >>> sine = 0.1 * np.sin(np.arange(44100) / 20)
    >>> list(moodfader.predict(sine, 22050).emotions)
    ['valence', 'energy', 'tension', 'anger', 'fear', 'happy', 'sad', 'tender']
    """
    return predict_track(as_track(audio, sample_rate), _model(model, device))


def analyze(
    audio: Audio,
    sample_rate: int | None = None,
    *,
    model: Model | None = None,
    settings: AnalysisSettings | None = None,
    quality: str | None = None,
    output: str | os.PathLike[str] | None = None,
    device: str = "auto",
    progress: Progress | None = None,
) -> Analysis:
    """Find the segments of a recording's spectrogram and their effects on the seven features.

    The analysis is taken from the cache if it is there (by the sound, the model and the settings), else made and
    stored; one that was interrupted is resumed.

    Parameters
    ----------
    audio, sample_rate, model, device
        As for `predict`.
    settings
        Segmentation, estimator, perturbation, number of network evaluations and seed; the defaults if None.
    quality
        "full" or "draft", instead of `settings`: a draft takes a fraction of the time, its weights are noisier and
        its faders coupled.
    output
        File to store the analysis in instead of the cache.
    progress
        Called with the fraction done, 0..1, while there is work to do.

    Returns
    -------
    Analysis
        Label map, weights with standard errors and p-values, mask weights, and measures of reliability.

    Raises
    ------
    InputError
        As `predict`, for an output that cannot be written, and for an unknown quality or one beside `settings`.
    """
    if quality is not None:
        if settings is not None:
            raise InputError("quality: is one of the settings where these are given")
        settings = AnalysisSettings(quality=quality)
    return cache.analyze(
        as_track(audio, sample_rate),
        model=_model(model, device),
        settings=as_settings(settings),
        output=None if output is None else as_path(output, "output"),
        progress=progress,
    )


def explain(
    audio: Audio,
    sample_rate: int | None = None,
    *,
    analysis: Analysis | None = None,
    features: Sequence[str] | str | None = None,
    begin_s: float | None = None,
    end_s: float | None = None,
    model: Model | None = None,
    device: str = "auto",
) -> "Explanation":
    """Explain the prediction of an excerpt: figures, sounds as arrays, and a folder with an HTML page.

    Parameters
    ----------
    audio, sample_rate, model, device
        As for `predict`.
    analysis
        From `analyze`; made (or taken from the cache) with the default settings if None.
    features
        Names of mid-level features, or one name; all seven if None.
    begin_s, end_s
        The excerpt in seconds; if both are None the whole of a short track, or the 20 s with the largest weights.

    Returns
    -------
    Explanation
        Its methods plot the figures, give the sounds as arrays and write the folder.

    Raises
    ------
    InputError
        As `predict`; for an excerpt that is not inside of the track; for an analysis of another sound or model.
    """
    require("matplotlib", "jinja2")
    from ..plotting.explanation import Explanation

    begin, end = seconds(begin_s, what="begin_s"), seconds(end_s, what="end_s")
    track, network = as_track(audio, sample_rate), _model(model, device)
    explained = cache.analyze(track, model=network) if analysis is None else as_analysis(analysis)
    if isinstance(features, str):
        features = [features]
    return Explanation(track, explained, network, features=features, begin_s=begin, end_s=end)


def render(
    audio: Audio,
    analysis: Analysis,
    output: str | os.PathLike[str],
    sample_rate: int | None = None,
    *,
    faders: Faders | Mapping[str, float],
    match_loudness: bool = False,
    together: bool = True,
    bit_depth: str = "24",
    ceiling_dbtp: float = -1.0,
    overwrite: bool = False,
    model: Model | None = None,
    device: str = "auto",
    progress: Progress | None = None,
) -> RenderResult:
    """Write a recording with its faders set to a wav, flac or ogg file, and predict its features again from the file.

    Parameters
    ----------
    audio, sample_rate, model, device
        As for `predict`.
    analysis
        From `analyze`, of the same audio.
    output
        Path; the format follows from its ending.
    faders
        `Faders`, or a mapping from feature names to gains in dB, -12 to 12.
    match_loudness
        Give the output the integrated loudness of the input, as far as the ceiling allows; peaks are then limited.
        Without it the recording is lowered until no peak has to be.
    together
        Several decoupled faders are solved as a whole, of a track of more than a minute one fader too; False: they
        add up, as they do live.
    bit_depth
        "16", "24" or "float", of wav and flac.
    ceiling_dbtp
        True peak that is not exceeded, -20 to 0 dBTP.
    overwrite
        Replace the output if it exists.
    progress
        Called with the fraction done, 0..1.

    Returns
    -------
    RenderResult
        Predictions, loudness and true peak before and after.

    Raises
    ------
    InputError
        As `predict`; for an output that cannot be written; for an analysis of another sound.
    """
    return rendering.render(
        as_track(audio, sample_rate),
        as_analysis(analysis),
        as_path(output, "output"),
        faders=as_faders(faders),
        model=_model(model, device),
        match_loudness=match_loudness,
        together=together,
        bit_depth=bit_depth,
        ceiling_dbtp=decibels(ceiling_dbtp, *CEILING_RANGE_DBTP, what="ceiling"),
        overwrite=overwrite,
        device=device,
        progress=progress,
    )


def as_track(audio: Audio, sample_rate: int | None = None) -> Track:
    """Load or wrap audio; a `Track` is returned as it is. Raises InputError as `predict`."""
    if isinstance(audio, str | os.PathLike | Track):
        if sample_rate is not None:
            raise InputError(f"sample rate {sample_rate}: only an array needs one, a file states its own")
        return audio if isinstance(audio, Track) else load_track(as_path(audio, "audio"))
    if sample_rate is not None and np.ndim(sample_rate):
        raise InputError("sample rate: it is an array; the samples come first: predict(audio, 44100)")
    if isinstance(audio, tuple) and len(audio) == 2 and {np.ndim(audio[0]), np.ndim(audio[1])} & {1, 2}:
        raise InputError("audio: a pair of samples and sample rate is given as two: predict(audio, 44100)")
    if not (hasattr(audio, "__array__") or isinstance(audio, Sequence)) or isinstance(audio, bytes):
        raise InputError(f"audio: {type(audio).__name__} is neither a path nor a track nor an array")
    if sample_rate is None:
        raise InputError("array: its sample rate is missing, for example predict(audio, 44100)")
    return track_from_array(audio, sample_rate)


def _model(model: Model | None, device: str) -> Model:
    if not isinstance(device, str):  # (the models of devices are kept by their names)
        resolve_device(device)
    return _default_model(device) if model is None else as_model(model)


@lru_cache(maxsize=2)
def _default_model(device: str) -> Model:
    return load_model(device=device)
