"""Presets: fader positions with a name, shipped with the program or the user's own, as TOML files.

    summary = "What it is for."

    [gains_db]
    melodiousness = 6.0

The user's own are kept in the platform's configuration folder (MOODFADER_CONFIG names another) and hide shipped
ones of the same name.
"""

import difflib
import importlib.resources
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import tomli_w

from ...models.common.atomic_write import atomic_write, make_folder
from ...models.common.errors import InputError
from ...models.common.parsing import parse_toml, read_text
from ...models.common.paths import config_dir

if TYPE_CHECKING:
    from ...engine.dsp.faders import Faders

SUFFIX: Final = ".toml"
_MAX_BYTES: Final = 64 * 1024
_MAX_SUMMARY: Final = 500
_MAX_DB: Final = 1000  # beyond this a number is a mistake of another kind than a fader out of range
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_NAMES_ARE: Final = "a name is made of letters, digits, - and _ (64 at most)"


@dataclass(frozen=True)
class Preset:
    """Gains in dB by feature (those not named stay at 0); `is_user`: it is one of the user's."""

    name: str
    summary: str
    gains_db: Mapping[str, float]
    path: Path
    is_user: bool

    @property
    def faders(self) -> "Faders":
        """The gains as `Faders`."""
        from ...engine.dsp.faders import Faders

        return Faders.from_mapping(self.gains_db)


def user_preset_dir() -> Path:
    """Where the user's presets are kept, whether it is there or not."""
    return config_dir() / "presets"


def available_presets() -> dict[str, Path]:
    """Files of all presets by name, in alphabetical order."""
    shipped = Path(str(importlib.resources.files("moodfader.presets")))
    paths: dict[str, Path] = {}
    for folder in (shipped, user_preset_dir()):
        if folder.is_dir():
            paths |= {path.stem: path for path in folder.glob("*" + SUFFIX) if _NAME.fullmatch(path.stem)}
    return dict(sorted(paths.items()))


def readable_presets() -> tuple[dict[str, Preset], dict[str, str]]:
    """All presets that can be read, and why the others cannot, both by name in alphabetical order."""
    readable, broken = {}, {}
    for name, path in available_presets().items():
        try:
            readable[name] = read_preset(path)
        except InputError as error:
            broken[name] = str(error)
    for path in sorted(user_preset_dir().glob("*" + SUFFIX)):
        if not _NAME.fullmatch(path.stem) and not path.name.startswith("."):
            broken[path.stem] = f"{path}: {_NAMES_ARE}, so this one cannot be loaded (rename it)"
    return readable, broken


def find_preset(name: str) -> Preset:
    """The preset of that name, the user's own first. Raises InputError, with a guess at what was meant.

    Examples
    --------
    >>> find_preset("dolce").gains_db["dissonance"]
    -5.0
    """
    if not isinstance(name, str):
        raise InputError(f"preset of type {type(name).__name__}: its name is needed")
    paths_by_name = available_presets()
    if name not in paths_by_name:
        near = difflib.get_close_matches(name[:80].lower(), paths_by_name, n=1)
        guess = f"did you mean {near[0]}?" if near else f"there are {', '.join(paths_by_name)}"
        raise InputError(f"no preset is called {name[:80]!r}: {guess}")
    return read_preset(paths_by_name[name])


def read_preset(path: Path) -> Preset:
    """Read one file. Raises InputError for what is not TOML, or not a preset."""
    from ...engine import Faders  # (torch takes seconds, and listing names must not)

    if path.is_fifo():
        raise InputError(f"{path}: it is a pipe, not a preset")
    try:
        values = parse_toml(read_text(path, limit=_MAX_BYTES))
    except FileNotFoundError:
        raise InputError(f"{path}: no such preset") from None
    except ValueError as error:
        raise error if isinstance(error, InputError) else InputError(f"{path}: not a TOML file ({error})") from error
    summary, gains_db = values.get("summary", ""), values.get("gains_db")
    if not isinstance(gains_db, dict) or not isinstance(summary, str) or set(values) - {"summary", "gains_db"}:
        raise InputError(f"{path}: a preset has a summary and a table [gains_db], nothing else")
    if len(summary) > _MAX_SUMMARY:
        raise InputError(f"{path}: the summary has more than {_MAX_SUMMARY} characters")
    for feature, value in gains_db.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > _MAX_DB:
            raise InputError(f"{path}: {feature} = {str(value)[:40]} is not a number of decibels")
    try:
        Faders.from_mapping(gains_db)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    numbers = {feature.lower().replace("-", "_"): float(value) for feature, value in gains_db.items()}
    return Preset(path.stem, summary, numbers, path, is_user=path.parent == user_preset_dir())


def save_preset(name: str, gains_db: Mapping[str, float], *, summary: str = "", overwrite: bool = False) -> Preset:
    """Keep a preset of the user's own. Raises InputError.

    A name is made of letters, digits, - and _; one of the user's own is only replaced with `overwrite`.
    """
    from ...engine import Faders

    if not _NAME.fullmatch(name):
        raise InputError(f"preset {name!r}: {_NAMES_ARE}")
    Faders.from_mapping(gains_db)
    path = user_preset_dir() / (name + SUFFIX)
    if path.exists() and not overwrite:
        raise InputError(f"{path}: exists already (--overwrite replaces it)")
    make_folder(path.parent)
    values = {"summary": summary, "gains_db": {feature: float(value) for feature, value in gains_db.items()}}
    with atomic_write(path) as temp_path:
        temp_path.write_text(tomli_w.dumps(values), encoding="utf-8")
    return read_preset(path)
