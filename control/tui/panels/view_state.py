"""What the terminal view shows, gathered once a refresh from the session; no widget, no clock and no colour."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ....models.common.constants import EMOTIONS, MIDLEVEL
from ...parameters.table import ROOT, Value

NO_CHANGE: Final = 0.01
"""Changes of a prediction below this are shown as none."""
_LARGEST: Final = 1e9  # no position, count or level that is shown is as large


@dataclass(frozen=True)
class Effect:
    """What the faders do to one prediction, over the seconds that sounded last.

    Parameters
    ----------
    name : str
        The feature or emotion.
    original, steered : float or None
        Prediction from the original sound and from the steered sound, 0 to 1; None where not known (of features only
        the change is).
    change : float or None
        Measured: steered minus original.
    expected : float or None
        The change that the surrogate expects.
    """

    name: str
    original: float | None
    steered: float | None
    change: float | None
    expected: float | None


@dataclass(frozen=True)
class ViewState:
    """One moment of a running performance, as it is shown.

    Parameters
    ----------
    values : mapping
        Values by address.
    title : str
        What plays.
    selected : int
        Index of the selected fader.
    clients : sequence of str
        OSC clients that are subscribed.
    notes : sequence of str
        Notes of the program since the start, the newest last.
    message : str
        Answer to the last key, or a question; empty for none.
    peak_hold_db : float or None
        Largest true peak of the last seconds in dBTP.
    channel_holds_db : tuple of float
        Largest sample peaks of the first two channels of the last seconds in dBFS.
    show_targets : bool
        Whether targets stand in the place of the faders; `selected` is then an emotion.
    page : str
        What stands in the place of all but the head: "help", "tracks" (`selected` is then a track), "address"; empty:
        the panels.
    titles : sequence of str
        The set list.
    url : str
        Address of the web page; empty: there is none.
    """

    values: Mapping[str, Value]
    title: str = ""
    selected: int = 0
    clients: Sequence[str] = ()
    notes: Sequence[str] = ()
    message: str = ""
    peak_hold_db: float | None = None
    channel_holds_db: tuple[float, float] | None = None
    show_targets: bool = False
    page: str = ""
    titles: Sequence[str] = ()
    url: str = ""

    def value(self, address: str) -> Value:
        """The value at an address below /moodfader; None where there is none."""
        return self.values.get(f"{ROOT}/{address}")

    def optional(self, address: str) -> float | None:
        """The finite number at an address below /moodfader, or None where none is known."""
        value = self.value(address)
        if not isinstance(value, int | float) or not -_LARGEST < value < _LARGEST:
            return None
        return float(value)

    def number(self, address: str, default: float = 0.0) -> float:
        """The number at an address below /moodfader, or the default where none is known."""
        value = self.optional(address)
        return default if value is None else value

    def flag(self, address: str) -> bool:
        """The switch at an address below /moodfader."""
        return bool(self.value(address))

    def effect(self, name: str) -> Effect:
        """The effect on one feature or emotion."""
        kinds = ("original", "measured", "effect", "expected")
        original, steered, change, expected = (self.optional(f"{kind}/{name}") for kind in kinds)
        return Effect(name, original, steered, change, expected)

    @property
    def feature_effects(self) -> list[Effect]:
        """The effects on the seven features, in the faders' order."""
        return [self.effect(name) for name in MIDLEVEL]

    @property
    def emotion_effects(self) -> list[Effect]:
        """The effects on the eight emotions."""
        return [self.effect(name) for name in EMOTIONS]


_SIGNS: Final = {
    "steered": "●",
    "zero": "○",
    "original": "◐",
    "delta": "Δ",
    "no_analysis": "◌",
    "paused": "‖",
    "ended": "■",
    "output_gone": "✖",
    "renderer_gone": "✖",
}
_WARNINGS: Final = ("no_analysis", "output_gone", "renderer_gone")


@dataclass(frozen=True)
class SoundState:
    """What sounds: a sign, words, and whether it is a warning, as the faders have no effect on it."""

    sign: str
    words: str
    warning: bool


def sound_state(view: ViewState) -> SoundState:
    """The state of the sound in words, as the session gives it; settling after a recent move."""
    sound = str(view.value("state/sound") or "")
    words = str(view.value("state/text") or sound.replace("_", " "))
    if view.flag("excerpt/settling") and sound in ("steered", "zero", "delta"):
        words += ", settling"
    return SoundState(_SIGNS.get(sound, "·"), words, sound in _WARNINGS)
