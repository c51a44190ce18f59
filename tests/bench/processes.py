"""What the processes of a product cost: processor time and memory, from /proc.

On a machine that does other things as well, time on the clock says little and processor time says most.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cost:
    """Processor time in microseconds for each message, by process; processes that used next to none are left out."""

    by_process: dict[str, float] = field(default_factory=dict)

    @property
    def total(self) -> float:
        """All processes together."""
        return sum(self.by_process.values())


@dataclass(frozen=True, slots=True)
class Processes:
    """The processes that are watched, by name."""

    pids: Callable[[], Mapping[str, int]]

    @contextmanager
    def cost_of(self, messages: int) -> Iterator[Cost]:
        """The cost of what happens inside the block, known after it."""
        cost, before = Cost(), self._cpu_seconds()
        yield cost
        for name, seconds in self._cpu_seconds().items():
            used = 1e6 * (seconds - before.get(name, 0.0)) / messages
            if used >= 1:
                cost.by_process[name] = used

    def resident_mib(self) -> dict[str, float]:
        """Memory that is in use now."""
        return {name: _resident_kib(pid) / 1024 for name, pid in self.pids().items()}

    def _cpu_seconds(self) -> dict[str, float]:
        return {name: _cpu_ticks(pid) / TICKS_PER_SECOND for name, pid in self.pids().items()}


def _cpu_ticks(pid: int) -> int:
    # The name in the second field may hold spaces and parentheses: count from the last one.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _resident_kib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
