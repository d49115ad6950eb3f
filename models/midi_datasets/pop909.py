"""Reader of POP909 (Wang et al. 2020): 909 pop songs as MIDI with keys and tempo, for labelled music in a pop idiom.

No emotions are rated. A stretch in one key says whether its mode is minor: `known_modality`, as of other synthetic
music, a little within the ends of the scale, for pop is rarely all of one mode.

Two layouts are read: the published one (`<number>/<number>.mid`, `key_audio.txt`, `beat_midi.txt`) and tables
`keys.csv` (file, start_s, end_s, key) and `tempo.csv` (file, bpm).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from ..common.errors import InputError
from ..datasets.table import find_file, parse_number, read_rows
from .rendered_sets import MidiPiece

MODALITY: Final = {"maj": 0.15, "min": 0.85}
"""Label of each mode."""
MIN_STRETCH_S: Final = 12.0
"""Shortest stretch in one key from which excerpts are taken."""


def read_pop909(folder: Path) -> list[MidiPiece]:
    """Read the data set.

    Parameters
    ----------
    folder
        With `keys.csv` and `tempo.csv`, or with a folder for each song somewhere below.

    Returns
    -------
    list of MidiPiece
        A piece for each stretch in one key, with its tempo; the group is the song.

    Raises
    ------
    InputError
        A table or a MIDI file is missing or cannot be read.
    """
    if (folder / "keys.csv").is_file():
        pieces = _from_tables(folder)
    else:
        songs = sorted(path.parent for path in folder.rglob("key_audio.txt"))
        if not songs:
            raise InputError(f"{folder}: no POP909: neither keys.csv nor a folder with key_audio.txt is in it")
        pieces = [piece for song in songs for piece in _from_song(song)]
    if not pieces:
        raise InputError(f"{folder}: no stretch of {MIN_STRETCH_S:g} s in one key has a MIDI file")
    return pieces


def _from_tables(folder: Path) -> list[MidiPiece]:
    keys, tempi = folder / "keys.csv", folder / "tempo.csv"
    bpm = {row.get("file", "").strip(): parse_number(row, "bpm", tempi, row.line) for row in read_rows(tempi)}
    pieces = []
    for row in read_rows(keys):
        midi = find_file(keys, row, kind="MIDI")
        stretch = (parse_number(row, "start_s", keys, row.line), parse_number(row, "end_s", keys, row.line))
        tempo = bpm.get(row["file"].strip())
        piece = _piece(midi, stretch, row.get("key", ""), tempo, f"{keys}, row {row.line}")
        pieces += [piece] if piece else []
    return pieces


def _from_song(song: Path) -> list[MidiPiece]:
    midi = song / f"{song.name}.mid"
    if not midi.is_file():
        return []
    beats = song / "beat_midi.txt"
    times = [row[0] for row in _number_rows(beats)] if beats.is_file() else []
    bpm = float(60 / np.median(np.diff(times))) if len(times) > 2 else None
    pieces = []
    for line, cells in enumerate(_cells(song / "key_audio.txt"), start=1):
        where = f"{song / 'key_audio.txt'}, line {line}"
        try:
            stretch, key = (float(cells[0]), float(cells[1])), cells[2]
        except (ValueError, IndexError) as error:
            raise InputError(f"{where}: not a start, an end and a key") from error
        piece = _piece(midi, stretch, key, bpm, where)
        pieces += [piece] if piece else []
    return pieces


def _piece(path: Path, stretch: tuple[float, float], key: str, bpm: float | None, where: str) -> MidiPiece | None:
    """The piece of a stretch, None for one that is too short."""
    mode = key.strip().rsplit(":", 1)[-1].lower()
    if mode not in MODALITY:
        raise InputError(f"{where}: key {key.strip()[:20]!r} is none like C:maj or A:min")
    if bpm is not None and not 20 <= bpm <= 400:
        raise InputError(f"{where}: a tempo of {bpm:g} beats a minute (in seconds?)")
    if stretch[1] - stretch[0] < MIN_STRETCH_S:
        return None
    return MidiPiece(path, path.stem, {"known_modality": MODALITY[mode]}, stretch_s=stretch, bpm=bpm)


def _cells(path: Path) -> list[list[str]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read (damaged?)") from error
    return [line.split() for line in lines if line.strip()]


def _number_rows(path: Path) -> Sequence[list[float]]:
    try:
        return [[float(cell) for cell in cells] for cells in _cells(path)]
    except ValueError as error:
        raise InputError(f"{path}: not a list of beats, a line each") from error
