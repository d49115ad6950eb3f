"""A pattern file for REAPER (`.ReaperOSC`): its transport and master fader move Moodfader's, and the other way round.

A line has the name of what REAPER does and the messages that belong to it; the letter before an address is the type
of its argument (n: 0 to 1, t: on and off). REAPER's patterns number tracks and parameters and cannot name them, so
the seven faders come in by its FX learn (docs/controllers.md). Format: REAPER's own Default.ReaperOSC.
"""

from typing import Final

from ..osc.subscriptions import NORM
from ..parameters.table import ROOT, find_parameter

PATTERNS: Final = {
    "PLAY": ("t", f"{ROOT}/transport/play"),
    "PAUSE": ("t", f"{ROOT}/transport/pause"),
    "REPEAT": ("t", f"{ROOT}/transport/loop"),
    "MASTER_VOLUME": ("n", f"{ROOT}/master{NORM}"),
}
"""Type letter and address by the name of REAPER's action."""
_COUNTS: Final = ("TRACK", "SEND", "RECEIVE", "FX", "FX_PARAM", "FX_INST_PARAM", "MARKER", "REGION")


def reaper_osc() -> str:
    """The pattern file."""
    lines = ["# Moodfader: copy this into REAPER's folder OSC and choose it as pattern config.", ""]
    lines += [f"DEVICE_{name}_COUNT 0" for name in _COUNTS] + [""]
    for action, (letter, address) in PATTERNS.items():
        find_parameter(address.removesuffix(NORM))
        lines.append(f"{action} {letter}{address}")
    return "\n".join(lines) + "\n"
