"""Eerola's human perceptual ratings of five-second excerpts, and which feature each scale stands for."""

from pathlib import Path
from typing import Final

from .soundtracks import audio_by_number
from .table import Clip, number, rating, read_rows

PERCEPTUAL: Final = (
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
    audio = audio_by_number(folder)
    clips = []
    for line, row in enumerate(read_rows(table), start=2):
        path = audio.get(int(number(row, "number", table, line)))
        if path is not None:
            ratings = {f"heard_{name}": rating(row, name, table, line) for name in PERCEPTUAL}
            group = (groups or {}).get(path, path.stem)
            start = number(row, "offset_s", table, line)
            clips.append(Clip(path=path, group=group, ratings=ratings, start_s=start, length_s=EXCERPT_SECONDS))
    return clips


HEARD_AS: Final = {
    "articulation": ("articulation", -1),  # rated from staccato to legato
    "key_clarity": ("tonal_stability", 1),
    "pulse_clarity": ("rhythmic_stability", 1),
    "mode": ("modality", -1),  # rated from minor to major
    "harmonic_complexity": ("dissonance", 1),
    "density": ("rhythmic_complexity", 1),
}
"""Which scale of Eerola's perceptual ratings speaks for which feature, and in which direction."""
