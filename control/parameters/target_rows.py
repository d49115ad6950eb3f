"""Rows of the parameter table: shifts of the emotions that are asked for, and what comes of them."""

from typing import Final

from ...models.common.constants import EMOTIONS
from ...models.common.formatting import display_name
from .parameter import ROOT, Parameter

TARGET_RANGE: Final = (-0.2, 0.2)
"""Shifts that can be asked for, on the emotions' scale 0..1."""


def _target(name: str) -> Parameter:
    meaning = f"Shift of {display_name(name)} that is asked for; 0: to be kept as it is; nil or off: whatever comes."
    return Parameter(f"{ROOT}/target/{name}", "float", *TARGET_RANGE, "", None, meaning, optional=True)


def _watched(address: str, meaning: str) -> Parameter:
    return Parameter(f"{ROOT}/{address}", "float", None, None, "", None, meaning, writable=False)


TARGET_ROWS: Final[tuple[Parameter, ...]] = (
    *(_target(name) for name in EMOTIONS),
    Parameter(f"{ROOT}/target_off", "trigger", None, None, "", None, "All targets off; the faders go back."),
    *(
        _watched(f"reached/{name}", f"Shift of {display_name(name)} that the targets' faders bring about.")
        for name in EMOTIONS
    ),
    *(
        _watched(
            f"reachable/{end}/{name}",
            f"{word} shift of {display_name(name)} that the faders can do on this track, if it alone is asked for.",
        )
        for end, word in (("low", "Lowest"), ("high", "Highest"))
        for name in EMOTIONS
    ),
    Parameter(
        f"{ROOT}/state/target",
        "string",
        None,
        None,
        "",
        "",
        "How the targets stand, in words; empty while there are none.",
        False,
    ),
    Parameter(
        f"{ROOT}/state/target_phase",
        "string",
        None,
        None,
        "",
        "off",
        "The same as a word: off, waiting, solving, reached, nearest, failed.",
        False,
    ),
)
