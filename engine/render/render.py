"""From a track, its analysis and seven faders to a new sound file, and the network's prediction of it.

Everything streams: memory does not grow with the length of the track. What is reported of the file is
measured on the file, read back: its loudness, its true peak, and the network's prediction.
"""

import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...models.common.arrays import FloatArray
from ...models.common.atomic_write import atomic_write
from ...models.common.constants import MIDLEVEL
from ...models.common.errors import InputError
from ...models.common.progress import ProgressCallback
from ...models.inference.checkpoint import Model, load_model
from ...models.inference.device import resolve_device
from ..analysis.analysis import Analysis
from ..analysis.prediction import Prediction, predict_track
from ..analysis.surrogate import emotions_of, expected_emotions, shifted_emotions
from ..audio.loudness import SILENCE_LUFS
from ..audio.track import Track
from ..dsp.faders import Faders
from ..dsp.limiter import CEILING_RANGE_DBTP
from ..steering.faders.confirmed import confirmed_part
from .audio_writer import check_layout, validate_output
from .level_controlled_write import LOUDNESS_TOLERANCE_LU, WrittenLevels, write_with_levels
from .tags import copy_tags


@dataclass(frozen=True, repr=False)
class RenderResult:
    """Result of a render.

    Attributes
    ----------
    file, output
        The track's path, and that of the written file.
    duration_s, seconds
        Length of the track; how long the render took.
    midlevel, emotions
        Predictions 0..1 by name, "before" and "after": the latter is measured on the written file, with decoupled
        faders at the loudness of the original. Of the emotions also "surrogate": what was expected of the faders.
    loudness_lufs
        Integrated loudness "before" and "after".
    true_peak_dbtp
        Of the written file.
    gain_db
        Gain on the whole track: for the loudness match, the head-room, or to keep an untouched float track within an
        integer file.
    loudness_matched
        None where no match was asked for, False where the ceiling did not allow it, or where the sound is too quiet
        for its loudness to be measured.
    headroom_db
        How far the track was lowered so that the limiter had nothing to do, 0 or more.
    setting_error
        Where the faders were solved for this track as a whole: length of the miss of the file over the length of what
        the faders ask of the features; else None.
    confirmed
        Of the features' changes by name, the part that judges may be expected to share (faders/confirmed.py); empty
        for coupled faders.
    """

    file: str
    output: str
    duration_s: float
    seconds: float
    midlevel: dict[str, dict[str, float]]
    emotions: dict[str, dict[str, float]]
    loudness_lufs: dict[str, float]
    true_peak_dbtp: float
    gain_db: float
    loudness_matched: bool | None
    headroom_db: float = 0.0
    setting_error: float | None = None
    confirmed: dict[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain dicts, numbers and texts, as `moodfader render --json` prints it."""
        return asdict(self)

    def __repr__(self) -> str:
        """Where it was written, and how far each feature and emotion moved."""
        shifts = ", ".join(
            f"{name} {values['after'][name] - values['before'][name]:+.2f}"
            for values in (self.midlevel, self.emotions)
            for name in values["before"]
        )
        return f"RenderResult({self.output!r}, {self.duration_s:.1f} s, shifts: {shifts})"


def render(
    track: Track,
    analysis: Analysis,
    output: str | Path,
    *,
    faders: Faders,
    model: Model | None = None,
    match_loudness: bool = False,
    bit_depth: str = "24",
    ceiling_dbtp: float = -1.0,
    dither: bool | None = None,
    overwrite: bool = False,
    device: str = "auto",
    together: bool = True,
    progress: ProgressCallback | None = None,
) -> RenderResult:
    """Write `track` steered by `faders` to `output` (wav, flac or ogg by its name), tags included.

    With neutral faders the output equals the input; it is only lowered where a track above full scale (float or lossy
    files) would clip in an integer file.

    Parameters
    ----------
    track, analysis
        The analysis is of this track.
    output
        Path; its ending is the format.
    faders
        Gains in dB.
    model
        Predicts before and after; the default checkpoint if None.
    match_loudness
        Give the output the input's integrated loudness, as far as the ceiling allows; peaks are then limited. Without
        it the track is lowered until the limiter is idle.
    bit_depth
        "16", "24" or "float", of wav and flac.
    ceiling_dbtp
        True peak that is not exceeded, -20 to 0 dBTP.
    dither
        Whether 16 bit samples get triangular dither before they are rounded; None: only where the track is changed.
    overwrite
        Replace the output if it exists.
    device
        Where the mask filter computes, and the default model.
    together
        Several decoupled faders are solved as a whole, on a track of more than a minute one fader too; False: they
        add up, as they do live.
    progress
        Called with the fraction done, 0..1.

    Raises
    ------
    InputError
        For an output that cannot or must not be written, an analysis of another sound, a ceiling out of range, and a
        device that is not there.
    """
    started = time.monotonic()
    output = Path(output)
    low, high = CEILING_RANGE_DBTP
    if not low <= ceiling_dbtp <= high:
        raise InputError(f"ceiling {ceiling_dbtp:g} dBTP is out of range, it goes from {low:g} to {high:g}")
    validate_output(output, bit_depth=bit_depth, source=track.path, overwrite=overwrite)
    check_layout(output, channels=track.channels, channel_mask=track.source.channel_mask)
    if analysis.track_digest != track.digest:
        raise InputError(f"{analysis.path or 'the analysis'}: it is of another sound than {track.path}")
    chosen_device_name = resolve_device(device)
    model = load_model(device=chosen_device_name) if model is None else model
    report = progress or (lambda fraction: None)
    track.recall_loudness(analysis.loudness_lufs)
    stored = analysis.prediction if analysis.model_digest == model.digest else None
    before = stored or predict_track(track, model)
    setting = None
    if together and analysis.response is not None and np.any(faders.to_array()):
        from .whole_setting import solve_whole

        setting = solve_whole(track, analysis, faders, model, by_all=True, before=before)
    report(0.1)
    with atomic_write(output) as temp_path:
        weights, positions = analysis.mask_weights, faders
        if setting is not None:
            from ..steering.faders.setting import as_mask

            weights, positions = as_mask(setting.gains_db)
        written = write_with_levels(
            track,
            analysis.mask_labels,
            weights,
            temp_path,
            name=output,
            faders=positions,
            match_loudness=match_loudness,
            headroom=not match_loudness,
            bit_depth=bit_depth,
            ceiling_dbtp=ceiling_dbtp,
            dither=dither,
            device=chosen_device_name,
            progress=lambda fraction: report(0.1 + 0.9 * fraction),
        )
        scale = track.network_peak * 10 ** (_level_difference(track, analysis, written) / 20)
        after = predict_track(written.track, model, scale=scale, like=track)
        if track.source.array is None:  # (samples in memory have no tags)
            copy_tags(track.source.data, temp_path, name=output)
    # (faders that are solved together leave the features at zero alone, which each of them alone does not quite)
    if setting is None:
        shift = expected_emotions(analysis, faders.to_array(), model)
    else:
        shift = emotions_of(setting.asked, model)
    expected = shifted_emotions(before.emotions, shift)
    loudness_error = abs(written.loudness_lufs - track.loudness_lufs)
    is_measured = min(written.loudness_lufs, track.loudness_lufs) > SILENCE_LUFS
    report(1.0)
    return RenderResult(
        file=str(track.path),
        output=str(output),
        duration_s=track.duration_s,
        seconds=time.monotonic() - started,
        midlevel={"before": dict(before.midlevel), "after": dict(after.midlevel)},
        emotions={"before": dict(before.emotions), "after": dict(after.emotions), "surrogate": expected},
        loudness_lufs={"before": track.loudness_lufs, "after": written.loudness_lufs},
        true_peak_dbtp=written.true_peak_dbtp,
        gain_db=written.gain_db,
        loudness_matched=is_measured and loudness_error <= LOUDNESS_TOLERANCE_LU if match_loudness else None,
        headroom_db=written.headroom_db,
        confirmed={}
        if analysis.response is None
        else confirmed_part(dict(zip(MIDLEVEL, _moved(before, after).tolist(), strict=True)), analysis.confirmed),
        setting_error=None if setting is None else replace(setting, moved=_moved(before, after)).error,
    )


def _moved(before: Prediction, after: Prediction) -> FloatArray:
    """By how much the features changed: [7]."""
    return np.array([after.midlevel[name] - before.midlevel[name] for name in MIDLEVEL], np.float32)


def _level_difference(track: Track, analysis: Analysis, written: WrittenLevels) -> float:
    """Gain in dB of the file on the track for which its prediction is corrected: the head-room, or all of it."""
    if analysis.response is None or min(written.loudness_lufs, track.loudness_lufs) <= SILENCE_LUFS:
        return -written.headroom_db
    return written.loudness_lufs - track.loudness_lufs
