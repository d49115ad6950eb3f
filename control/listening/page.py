"""Writes the page of a listening test with its sounds: one folder that opens in a browser without a server."""

import contextlib
import importlib.resources
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from ...models.common import atomic_write as files
from ...models.common.errors import InputError
from .pairs import Pair, write_sound
from .questions import question_text

PAGE: Final = "index.html"
SOUNDS: Final = "sounds"
_NAME_BYTES: Final = 5
_PLACE: Final = "/*TEST*/null"
_OUR_NAME: Final = re.compile(f"[0-9a-f]{{{2 * _NAME_BYTES}}}")


def check_folder(folder: Path, *, overwrite: bool) -> None:
    """See that the page can be written there. Raises InputError."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: exists already, and is no folder")
    files.check_folder(folder)
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
        Where to; made if it is not there. What an earlier test left in its `sounds` (told by its names) is removed
        when this one is complete; where it cannot be written, nothing of it stays.
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
    existed = folder.exists()
    files.make_folder(sounds)
    before = {file for file in sounds.glob("*.wav") if _OUR_NAME.fullmatch(file.stem)}
    used: dict[str, None] = {}
    try:
        trials = [_trial(sounds, pair, rng, used) for pair in pairs]
        test = {"test": rng.bytes(4).hex(), "seed": seed, "trials": trials}
        resources = importlib.resources.files("moodfader.control.listening")
        template = (resources / "page.html").read_text(encoding="utf-8")
        # (a "<" in a file's name must not end the script)
        content = template.replace(_PLACE, json.dumps(test, ensure_ascii=True).replace("<", "\\u003c"))
        with files.atomic_write(folder / PAGE) as beside:
            beside.write_text(content, encoding="utf-8", errors="surrogateescape")
    except BaseException:
        _remove({sounds / f"{name}.wav" for name in used} - before)
        with contextlib.suppress(OSError):  # (there is something in it)
            sounds.rmdir()
            if not existed:
                folder.rmdir()
        raise
    _remove(before - {sounds / f"{name}.wav" for name in used})
    return folder / PAGE


def _trial(sounds: Path, pair: Pair, rng: np.random.Generator, used: dict[str, None]) -> dict[str, Any]:
    """Write the two sounds of a pair, under names that are added to `used`; what the page has to know of them."""
    names = []
    for samples in (pair.original, pair.steered):
        while (name := rng.bytes(_NAME_BYTES).hex()) in used:
            pass
        used[name] = None
        write_sound(sounds / f"{name}.wav", samples, pair.sample_rate, pair.channel_mask)
        names.append(f"{SOUNDS}/{name}.wav")
    return {
        "pair": pair.name,
        "question": pair.question,
        "text": question_text(pair.question),
        "direction": pair.direction,
        "original": names[0],
        "steered": names[1],
    }


def _remove(files: Iterable[Path]) -> None:
    for file in files:
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)
