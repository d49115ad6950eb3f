"""Writes the page of a listening test with its sounds: one folder that opens in a browser without a server."""

import importlib.resources
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from ...models.common.atomic_write import atomic_write
from ...models.common.errors import InputError
from .pairs import Pair, write_sound
from .questions import question_text

PAGE: Final = "index.html"
SOUNDS: Final = "sounds"
_PLACE: Final = "/*TEST*/null"


def check_folder(folder: Path, *, overwrite: bool) -> None:
    """See that the page can be written there. Raises InputError."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: exists already, and is no folder")
    for name in (PAGE, SOUNDS):
        if (folder / name).exists() and not overwrite:
            raise InputError(f"{folder / name}: exists already (--overwrite replaces it)")


def write_page(folder: Path, pairs: Sequence[Pair], *, seed: int) -> Path:
    """Write sounds and page.

    Files of sounds have names by chance, so that they do not say which one is steered. The order of trials and of the
    two sounds in each is made in the page, from the test's seed and what the listener calls themself: the same code
    gives the same order.

    Parameters
    ----------
    folder
        Where to; made if it is not there. What an earlier test left in its `sounds` is removed.
    pairs
        One trial each.
    seed
        Of names and orders.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    InputError
        If something cannot be written.
    """
    rng = np.random.default_rng(seed)
    sounds = folder / SOUNDS
    try:
        sounds.mkdir(parents=True, exist_ok=True)
        for old in sounds.glob("*.wav"):
            old.unlink()
    except OSError as error:
        raise InputError(f"{sounds}: cannot be written ({error.strerror or error})") from error
    trials: list[dict[str, Any]] = []
    used: set[str] = set()
    for pair in pairs:
        names = []
        for samples in (pair.original, pair.steered):
            while (name := rng.bytes(5).hex()) in used:
                pass
            used.add(name)
            write_sound(sounds / f"{name}.wav", samples, pair.sample_rate)
            names.append(f"{SOUNDS}/{name}.wav")
        trials.append(
            {
                "pair": pair.name,
                "question": pair.question,
                "text": question_text(pair.question),
                "direction": pair.direction,
                "original": names[0],
                "steered": names[1],
            }
        )
    test = {"test": rng.bytes(4).hex(), "seed": seed, "trials": trials}
    template = (importlib.resources.files("moodfader.control.listening") / "page.html").read_text(encoding="utf-8")
    # (a "<" in a file's name must not end the script)
    content = template.replace(_PLACE, json.dumps(test, ensure_ascii=True).replace("<", "\\u003c"))
    with atomic_write(folder / PAGE) as beside:
        beside.write_text(content, encoding="utf-8", errors="surrogateescape")
    return folder / PAGE
