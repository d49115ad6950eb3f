"""Eerola's human perceptual ratings of five-second excerpts, and which feature each scale stands for."""

from pathlib import Path
from typing import Final

from .soundtracks import numbered_audio_files
from .table import Clip, parse_number, parse_rating, read_rows

PERCEPTUAL_SCALES: Final = (
    "articulation",
    "brightness",
    "density",
    "harmonic_complexity",
    "key_clarity",
    "mode",
    "pulse_clarity",
)

EXCERPT_SECONDS: Final = 5.0


def read_perceptual(folder: Path, *, groups: dict[Path, str] | None = None) -> list[Clip]:
    """Human ratings of five-second excerpts (Eerola's MusicScienceData), as `heard_<scale>`, 0..1."""
    table = folder / "perceptual.csv"
    audio = numbered_audio_files(folder)
    clips = []
    for line, row in enumerate(read_rows(table), start=2):
        path = audio.get(int(parse_number(row, "number", table, line)))
        if path is not None:
            ratings = {f"heard_{name}": parse_rating(row, name, table, line) for name in PERCEPTUAL_SCALES}
            group = (groups or {}).get(path, path.stem)
            start = parse_number(row, "offset_s", table, line)
            clips.append(Clip(path=path, group=group, ratings=ratings, start_s=start, length_s=EXCERPT_SECONDS))
    return clips


SCALE_TO_FEATURE: Final = {
    "articulation": ("articulation", -1),  # rated from staccato to legato
    "key_clarity": ("tonal_stability", 1),
    "pulse_clarity": ("rhythmic_stability", 1),
    "mode": ("modality", -1),  # rated from minor to major
    "harmonic_complexity": ("dissonance", 1),
    "density": ("rhythmic_complexity", 1),
}
"""Which scale of Eerola's perceptual ratings speaks for which feature, and in which direction."""
