"""Reader of EMOPIA (Hung et al. 2021): about 1,080 clips of pop piano as MIDI, each put into one of four quadrants.

Quadrants 1 and 4 have positive valence, 1 and 2 high arousal. One of four annotators rated each clip, so the
ratings `emopia_valence` and `emopia_energy` are 0 or 1, tied to the predictions by rising lines.

Two layouts are read: the published one (`label.csv` with the columns ID, 4Q and annotator, MIDI files in `midis`) and
a table `labels.csv` with the columns file, group (song), valence and energy.
"""

import re
from pathlib import Path
from typing import Final

from ..common.errors import InputError
from ..datasets.table import read_rows
from .rendered_sets import MidiPiece, pieces_from_table

QUADRANTS: Final = {"1": (1.0, 1.0), "2": (0.0, 1.0), "3": (0.0, 0.0), "4": (1.0, 0.0)}
"""Valence and energy of each quadrant."""


def read_emopia(folder: Path) -> list[MidiPiece]:
    """Read the data set.

    Parameters
    ----------
    folder
        With `labels.csv`, or with `label.csv` and MIDI files somewhere below.

    Returns
    -------
    list of MidiPiece
        With ratings `emopia_valence` and `emopia_energy`; the group is the song.

    Raises
    ------
    InputError
        A table or a MIDI file is missing or cannot be read.
    """
    if (folder / "labels.csv").is_file():
        return pieces_from_table(folder / "labels.csv", "emopia", lambda path: song_of(path.stem))
    table = folder / "label.csv"
    if not table.is_file():
        raise InputError(f"{folder}: no EMOPIA: neither label.csv nor labels.csv is in it")
    files = {path.stem: path for path in sorted(folder.rglob("*.mid"), reverse=True)}
    pieces = []
    for row in read_rows(table):
        name, quadrant = row.get("ID", "").strip(), row.get("4Q", "").strip().lstrip("Qq")
        if quadrant not in QUADRANTS:
            raise InputError(f"{table}, row {row.line}: 4Q is {quadrant[:20]!r}, none of the quadrants 1 to 4")
        if name in files:
            valence, energy = QUADRANTS[quadrant]
            pieces.append(MidiPiece(files[name], song_of(name), {"emopia_valence": valence, "emopia_energy": energy}))
    if not pieces:
        raise InputError(f"{table}: none of its clips has a MIDI file <ID>.mid in {folder}")
    return pieces


def song_of(name: str) -> str:
    """Return the song of a clip `Q<quadrant>_<song>_<number>`, whose own name may have underscores."""
    return re.sub(r"_\d+$", "", re.sub(r"^Q\d_", "", name))
