"""render --automation: a recorded performance rendered to a sound file."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from ...models.common.atomic_write import check_no_input
from ...models.common.errors import InputError
from ..console.options import load_or_analyze
from ..console.output import Output

if TYPE_CHECKING:
    from ...engine.analysis.analysis import Analysis
    from ...engine.analysis.settings import AnalysisSettings
    from ...engine.audio.track import Track
    from ...engine.dsp.segment_mask import SegmentMask
    from ...engine.dsp.solved_settings import SolvedSetting
    from ...engine.performance.automation_file import Automation
    from ...models.inference.checkpoint import Model

_FADERS: Final = "/moodfader/midlevel/"


def render_automation(
    file: Path,
    automation: Path,
    output: Path,
    *,
    bit_depth: str,
    model: "Model",
    settings: "AnalysisSettings",
    console: Output,
) -> None:
    """Render a recorded performance. `file` is its first track, or one of its tracks by name. Raises InputError."""
    from ...engine.audio.track import load_track
    from ...engine.dsp.faders import Faders
    from ...engine.dsp.segment_mask import SegmentMask
    from ...engine.dsp.solved_settings import SolvedSetting
    from ...engine.performance.automation_file import read_automation
    from ...engine.performance.replay import replay
    from ...engine.render.whole_setting import solve_preset

    performance = read_automation(automation)
    names = [track.name for track in performance.tracks]
    if len(names) > 1 and file.name not in names:
        raise InputError(f"{file}: none of the tracks that were played ({', '.join(names)})")
    for note in _without_effect(performance):
        console.note(f"{automation}: {note}")
    index = names.index(file.name) if file.name in names else 0
    tracks = tuple(file if number == index else track for number, track in enumerate(performance.tracks))

    check_no_input([output], tracks)

    settings = dataclasses.replace(settings, coupled=performance.coupled)
    steered: dict[int, tuple[Track, Analysis]] = {}

    def steering(number: int, path: Path) -> tuple["SegmentMask", str, str]:
        track = load_track(path)
        analysis = load_or_analyze(track, model, settings, console)
        steered[number] = track, analysis
        mask = SegmentMask(analysis.mask_labels, analysis.mask_weights, sample_rate=performance.sample_rate)
        return mask, track.digest, analysis.model_digest

    def solved(number: int, path: Path, faders_db: tuple[float, ...]) -> "SolvedSetting":
        found = solve_preset(*steered[number], Faders(*faders_db), model)
        if found is None:
            raise InputError(f"{automation}: {faders_db} is no setting of several decoupled faders")
        return SolvedSetting(np.array(faders_db), found.correction_db)

    with console.progress(f"Rendering {output.name}") as report:
        result = replay(
            performance,
            output,
            steering=steering,
            settings=solved,
            tracks=tracks,
            bit_depth=bit_depth,
            progress=report,
        )
    shown = f"{result.output}: {result.duration_s:.2f} s at {result.sample_rate} Hz, {result.changes} changes"
    console.result(dataclasses.asdict(result), lambda: shown)


def _without_effect(performance: "Automation") -> list[str]:
    """What a file that was written by hand asks for and does not get, a line each."""
    from ...engine.performance.events import ANALYSIS_READY, FADE_OUT, SETTING_SOLVED
    from ..parameters.table import PARAMETERS

    known = {parameter.address for parameter in PARAMETERS} | {ANALYSIS_READY, SETTING_SOLVED, FADE_OUT}
    addresses = dict.fromkeys(change.address for change in performance.changes)
    unknown = [address[:60] for address in addresses if address not in known]
    notes = []
    if unknown:
        shown = ", ".join(unknown[:3]) + (f" and {len(unknown) - 3} more" if len(unknown) > 3 else "")
        notes.append(f"no control has the address {shown}: what is set there has no effect")
    if ANALYSIS_READY not in addresses and any(change.address.startswith(_FADERS) for change in performance.changes):
        notes.append(f"faders move, but no line with {ANALYSIS_READY} says from when on: they have no effect")
    return notes
