"""Settings of the tracks of a batch: the command's options, and on top of them what a manifest's row says.

The columns of a manifest have the options' names (`max-rms-db` or `max_rms_db`); for render a column may have the
name of a feature and hold decibels, for steer that of an emotion and hold a shift.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from ...models.common.constants import EMOTIONS, MIDLEVEL
from ...models.common.errors import InputError
from ..commands.steer import shifts_of
from ..console.options import check_ceiling, fader_gains_db
from ..console.shared_options import AnalysisOptions

if TYPE_CHECKING:
    from ...engine.analysis.settings import AnalysisSettings

Values = dict[str, Any]
FORMATS: Final = ("wav", "flac", "ogg")
_TRUE: Final = {
    **dict.fromkeys(("1", "true", "yes", "wahr", "vrai", "verdadero", "vero", "waar"), True),
    **dict.fromkeys(("0", "false", "no", "falsch", "faux", "falso", "onwaar"), False),
}
"""Switches in a manifest; a spreadsheet writes them in its own language."""


def _switch(text: str) -> bool:
    return _TRUE[text.strip().lower()]


def _whole(text: str) -> int:
    return int(float(text)) if float(text).is_integer() else int(text)


def _words(text: str) -> list[str]:
    return text.replace(",", " ").replace(";", " ").split()


_ANALYSIS: Final[Mapping[str, Callable[[str], Any]]] = {
    "evaluations": _whole,
    "seed": _whole,
    "segmentation": str.strip,
    "estimator": str.strip,
    "perturbation": str.strip,
    "coupled": _switch,
    "quality": str.strip,
}
_SOUND: Final[Mapping[str, Callable[[str], Any]]] = {
    "ceiling": float,
    "bit_depth": str.strip,
    "format": str.strip,
}
COLUMNS: Final[Mapping[str, Mapping[str, Callable[[str], Any]]]] = {
    "predict": {"emotions_every": float},
    "analyze": _ANALYSIS,
    "render": {
        **_ANALYSIS,
        **_SOUND,
        "preset": str.strip,
        "set": _words,
        "match_loudness": _switch,
        **dict.fromkeys(MIDLEVEL, float),
    },
    "steer": {
        **_SOUND,
        "toward": _words,
        "keep": _words,
        "max_rms_db": float,
        "min_quality": float,
        **dict.fromkeys(EMOTIONS, float),
    },
}
"""What a manifest's columns may be called, by command, and how their text is read."""


class SettingsMaker:
    """Makes the settings of tracks: equal options give the same object.

    Parameters
    ----------
    command
        predict, analyze, steer or render.
    options
        Values of the command's options, by the names of `COLUMNS`.
    """

    def __init__(self, command: str, options: Values) -> None:
        self._command = command
        self._options = options
        self._made: dict[tuple[tuple[str, str], ...], tuple[Values, str | None]] = {}
        self.ignored: dict[str, None] = {}
        """Columns that are no options of the command."""

    def of_row(self, row: Mapping[str, str]) -> tuple[Values, str | None]:
        """Settings of a track, and the ending of the file to make of it (None: no file). Raises InputError."""
        known = {}
        for column, text in row.items():
            name = column.strip().lower().lstrip("-").replace("-", "_").replace(" ", "_")
            if name in COLUMNS[self._command]:
                known[name] = text
            else:
                self.ignored[column] = None
        key = tuple(sorted(known.items()))
        if key not in self._made:
            self._made[key] = _SETTINGS[self._command]({**self._options, **self._parsed(known)})
        return self._made[key]

    def _parsed(self, texts: Mapping[str, str]) -> Values:
        values = {}
        for name, text in texts.items():
            try:
                values[name] = COLUMNS[self._command][name](text)
            except KeyError:  # (of _switch)
                raise InputError(f"{name}: {text[:40]!r} is neither yes nor no") from None
            except (ValueError, OverflowError):
                raise InputError(f"{name}: {text[:40]!r} is not a number") from None
        return values


def analysis_settings(values: Values) -> "AnalysisSettings":
    """Settings of an analysis from the options of that name. Raises InputError."""
    return AnalysisOptions(**{name: values[name] for name in _ANALYSIS}).settings()


def _predict(values: Values) -> tuple[Values, str | None]:
    from ...engine.analysis.batched_prediction import check_step

    every_s = values["emotions_every"] or None
    check_step(every_s)
    return {"emotions_every": every_s}, None if every_s is None else ".csv"


def _analyze(values: Values) -> tuple[Values, str | None]:
    return analysis_settings(values).stored(), None


def _render(values: Values) -> tuple[Values, str | None]:
    from ...engine.dsp.faders import Faders

    gains_db = fader_gains_db(values["preset"], values["set"])
    gains_db |= {name: values[name] for name in MIDLEVEL if name in values}
    if not gains_db:
        raise InputError("no fader is moved: --preset or --set moves them, or columns of a manifest do")
    Faders.from_mapping(gains_db)
    settings = {
        "gains_db": gains_db,
        "match_loudness": values["match_loudness"],
        "analysis": analysis_settings(values).stored(),
    }
    return {**settings, **_sound(values)}, f".{values['format']}"


def _steer(values: Values) -> tuple[Values, str | None]:
    from ...engine.file_targets.quality import need_quality
    from ...engine.file_targets.targets import GAIN_RANGE_DB, Targets

    toward = shifts_of(values["toward"] or [])
    toward |= {name: values[name] for name in EMOTIONS if name in values}
    if not toward:
        raise InputError("say what is asked by --toward EMOTION=SHIFT, or by columns of a manifest")
    targets = Targets(toward, tuple(values["keep"] or ()))
    low, high = GAIN_RANGE_DB
    if not low <= values["max_rms_db"] <= high:
        raise InputError(f"--max-rms-db {values['max_rms_db']:g}: goes from {low:g} to {high:g} dB")
    if values["min_quality"] is not None:
        need_quality(values["min_quality"])
    settings = {
        "toward": dict(targets.toward),
        "keep": list(targets.keep),
        "max_rms_db": values["max_rms_db"],
        "min_quality": values["min_quality"],
    }
    return {**settings, **_sound(values)}, f".{values['format']}"


def _sound(values: Values) -> Values:
    """Settings of the files to write. Raises InputError."""
    from ...engine.render.audio_writer import BIT_DEPTHS

    check_ceiling(values["ceiling"])
    if values["format"] not in FORMATS:
        raise InputError(f"--format {values['format']}: there are {', '.join(FORMATS)}")
    if values["bit_depth"] not in BIT_DEPTHS:
        raise InputError(f"--bit-depth {values['bit_depth']}: there are {', '.join(BIT_DEPTHS)}")
    if values["format"] == "flac" and values["bit_depth"] == "float":
        raise InputError("--format flac: has no floating point, take wav or 24 bits")
    return {"ceiling": values["ceiling"], "bit_depth": values["bit_depth"]}


_SETTINGS: Final[Mapping[str, Callable[[Values], tuple[Values, str | None]]]] = {
    "predict": _predict,
    "analyze": _analyze,
    "render": _render,
    "steer": _steer,
}
