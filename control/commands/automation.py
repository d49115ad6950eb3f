"""render --automation: a recorded performance as a sound file."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from ...models.common.errors import InputError
from ..console.options import load_or_analyze
from ..console.output import Output

if TYPE_CHECKING:
    from ...engine.analysis.analysis import AnalysisSettings
    from ...engine.dsp.segment_mask import SegmentMask
    from ...models.inference.checkpoint import Model


def render_automation(
    file: Path,
    automation: Path,
    output: Path,
    *,
    bit_depth: str,
    model: "Model",
    settings: "AnalysisSettings",
    voice: Output,
) -> None:
    """Write what was played. `file` is the performance's first track, or one of its tracks by name.

    Raises InputError.
    """
    from ...engine.audio.track import load_track
    from ...engine.dsp.segment_mask import SegmentMask
    from ...engine.performance.automation_file import read_automation
    from ...engine.performance.replay import replay

    history = read_automation(automation)
    names = [track.name for track in history.tracks]
    if len(names) > 1 and file.name not in names:
        raise InputError(f"{file}: none of the tracks that were played ({', '.join(names)})")
    which = names.index(file.name) if file.name in names else 0
    tracks = tuple(file if number == which else track for number, track in enumerate(history.tracks))

    settings = dataclasses.replace(settings, coupled=history.coupled)

    def steering(number: int, path: Path) -> tuple["SegmentMask", str, str]:
        track = load_track(path)
        analysis = load_or_analyze(track, model, settings, voice)
        known = SegmentMask(analysis.segments, analysis.mask_weights, sample_rate=history.sample_rate)
        return known, track.digest, analysis.model_digest

    with voice.progress(f"Rendering {output.name}") as report:
        done = replay(history, output, steering=steering, tracks=tracks, bit_depth=bit_depth, progress=report)
    shown = f"{done.output}: {done.duration_s:.2f} s at {done.sample_rate} Hz, {done.changes} changes"
    voice.result(dataclasses.asdict(done), lambda: shown)
