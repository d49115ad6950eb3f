"""Whether the machine has time to spare: from Linux's counters of what its processors did (/proc/stat)."""

from pathlib import Path
from typing import Final

_STAT: Final = Path("/proc/stat")
_SPARE: Final = 0.5
"""With less than this share of the processors' time left, what wants to run may have to wait."""
_STOLEN: Final = 1
"""Ticks that the host may have taken since the last look: one is what small change adds up to over many seconds."""
_SETTLED: Final = 8
"""So many looks in a row must find time to spare before the machine counts as calm."""


class CpuLoadMonitor:
    """Looks at the counters whenever it is asked, a few times a second."""

    def __init__(self, stat: Path = _STAT) -> None:
        self._stat = stat
        self._before = self._counters()
        self._calm = 0

    def is_loaded(self) -> bool:
        """Whether processors were short, or taken away (by the host of a virtual machine), lately; unknown: yes."""
        now = self._counters()
        if now is None or self._before is None:
            return True
        passed = [after - before for after, before in zip(now, self._before, strict=True)]
        self._before = now
        total, idle, stolen = sum(passed), passed[3] + passed[4], passed[7]
        short = total <= 0 or idle < _SPARE * total or stolen > _STOLEN
        self._calm = 0 if short else self._calm + 1
        return self._calm < _SETTLED

    def _counters(self) -> list[int] | None:
        """user, nice, system, idle, iowait, irq, softirq, steal of all processors together."""
        try:
            counters = [int(word) for word in self._stat.read_text().splitlines()[0].split()[1:9]]
        except (OSError, ValueError, IndexError):
            return None
        return counters if len(counters) == 8 else None
