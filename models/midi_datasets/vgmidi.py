"""Reader of VGMIDI (Ferreira & Whitehead 2019): 200 piano arrangements of game music with valence and arousal.

About 30 listeners rated each piece, measure by measure, on -1..1; the mean over listeners and measures is on no scale
of the predictions, so it is tied to them by rising lines of its own: `vgmidi_valence` and `vgmidi_energy`, 0..1.

Two layouts are read: the published one (`vgmidi_raw_<n>.json` with "annotations" and "pieces", and the MIDI files
that the pieces name) and a table `pieces.csv` with the columns file, group (game), valence and energy.
"""

from collections import defaultdict
from pathlib import Path
from typing import Any, Final

import numpy as np

from ..common.errors import InputError
from ..common.parsing import parse_json, read_text
from .rendered_sets import MidiPiece, pieces_from_table

_MIN_LISTENERS: Final = 3
_MAX_BYTES: Final = 64 << 20


def read_vgmidi(folder: Path) -> list[MidiPiece]:
    """Read the labelled part of the data set.

    Parameters
    ----------
    folder
        With `pieces.csv`, or with `vgmidi_raw_<n>.json` and MIDI files somewhere below.

    Returns
    -------
    list of MidiPiece
        With ratings `vgmidi_valence` and `vgmidi_energy`, 0..1; the group is the game.

    Raises
    ------
    InputError
        A table or a MIDI file is missing or cannot be read.
    """
    if (folder / "pieces.csv").is_file():
        return pieces_from_table(folder / "pieces.csv", "vgmidi", lambda path: path.stem)
    annotations = sorted(folder.rglob("vgmidi_raw_*.json"))
    if not annotations:
        raise InputError(f"{folder}: no VGMIDI: neither pieces.csv nor vgmidi_raw_1.json is in it")
    files = {path.name: path for path in sorted(folder.rglob("*.mid"), reverse=True)}
    pieces = {piece.path: piece for path in annotations for piece in _from_annotations(path, files)}
    if not pieces:
        raise InputError(f"{folder}: none of the pieces of {annotations[0].name} has a MIDI file")
    return list(pieces.values())


def _from_annotations(path: Path, files: dict[str, Path]) -> list[MidiPiece]:
    """Pieces of one file of annotations that have a MIDI file; keys are `piece<n>_<listener>` and `piece<n>`."""
    content = _read_json(path)
    heard: dict[str, list[tuple[float, float]]] = defaultdict(list)
    pieces = []
    try:
        for key, listener in content["annotations"].items():
            means = [float(np.mean([float(x) for x in listener[name]])) for name in ("valence", "arousal")]
            if np.isfinite(means).all() and max(map(abs, means)) <= 1:
                heard[key.rsplit("_", 1)[0]].append((means[0], means[1]))
        for key, piece in content["pieces"].items():
            midi = files.get(Path(str(piece["midi"])).name)
            if midi is not None and len(heard[key]) >= _MIN_LISTENERS:
                valence, energy = (np.mean(heard[key], axis=0) + 1) / 2
                ratings = {"vgmidi_valence": float(valence), "vgmidi_energy": float(energy)}
                pieces.append(MidiPiece(midi, _game(midi.stem), ratings))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path}: not VGMIDI's annotations (another version?)") from error
    return pieces


def _read_json(path: Path) -> dict[str, Any]:
    try:
        text = read_text(path, limit=_MAX_BYTES)
    except FileNotFoundError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    try:
        content = parse_json(text)
    except ValueError as error:
        raise InputError(f"{path}: not a readable JSON file (damaged? {error})") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: not VGMIDI's annotations (a list?)")
    return content


def _game(stem: str) -> str:
    """Game from a file's name: `Series_Console_Game_Piece` of newer copies, `The_Game_Piece` of older ones."""
    parts = stem.split("_")
    consoles = [place for place, part in enumerate(parts[1:-2], start=1) if part.isupper() or part[:2] == "PS"]
    return parts[consoles[0] + 1].lower() if consoles else " ".join(parts[:-1]).lower()
