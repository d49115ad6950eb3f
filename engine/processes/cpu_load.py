"""CPU load monitor on Linux's /proc/stat."""

from pathlib import Path
from typing import Final

_STAT: Final = Path("/proc/stat")
_SPARE: Final = 0.5
"""Idle share of CPU time below which the machine counts as loaded."""
_STOLEN: Final = 1
"""Ticks stolen by the host between two readings above which the machine counts as loaded."""
_SETTLED: Final = 8
"""Consecutive readings without load after which the machine counts as idle."""


class CpuLoadMonitor:
    """Compares the counters at each call; to be called a few times a second."""

    def __init__(self, stat: Path = _STAT) -> None:
        self._stat = stat
        self._before = self._counters()
        self._idle_readings = 0

    def is_loaded(self) -> bool:
        """Whether the CPUs were busy or stolen (by the host of a virtual machine) recently; True if unknown."""
        now = self._counters()
        if now is None or self._before is None:
            return True
        passed = [after - before for after, before in zip(now, self._before, strict=True)]
        self._before = now
        total, idle, stolen = sum(passed), passed[3] + passed[4], passed[7]
        short = total <= 0 or idle < _SPARE * total or stolen > _STOLEN
        self._idle_readings = 0 if short else self._idle_readings + 1
        return self._idle_readings < _SETTLED

    def _counters(self) -> list[int] | None:
        """user, nice, system, idle, iowait, irq, softirq, steal of all processors together."""
        try:
            counters = [int(word) for word in self._stat.read_text().splitlines()[0].split()[1:9]]
        except (OSError, ValueError, IndexError):
            return None
        return counters if len(counters) == 8 else None
