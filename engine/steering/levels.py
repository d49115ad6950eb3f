"""Where the response of a track to each fader is measured; without torch, for the processes that have none."""

from typing import Final

LEVELS_DB: Final = (-12.0, -6.0, -3.0, 3.0, 6.0, 12.0)
