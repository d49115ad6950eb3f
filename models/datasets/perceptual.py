"""Reader of perceptual ratings of five-second excerpts (MusicScienceData), whose scales correspond to features."""

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
    """Read the perceptual ratings.

    Parameters
    ----------
    folder
        With the table `perceptual.csv` and numbered audio files.
    groups
        Groups by path of the audio file; by default each file is a group.

    Returns
    -------
    list of Clip
        Excerpts of five seconds with ratings `heard_<scale>`, 0..1.

    Raises
    ------
    InputError
        The table is missing or cannot be read.
    """
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
"""The feature that each perceptual scale corresponds to, and the sign of the expected correlation."""
