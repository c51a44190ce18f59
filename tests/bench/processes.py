"""What the processes of a product cost: processor time and memory, from /proc.

On a machine that does other things as well, time on the clock says little and processor time says most.
"""

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")

_QUIET = 150_000  # microseconds of a second, of all processes: their sweepers and heartbeats go on
_QUIET_WITHIN_SECONDS = 60


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

    async def quiet(self) -> bool:
        """Return once all together need next to nothing for a second; False if they do not within a minute.

        What an earlier measurement has left behind (events that are told, a database that writes down what it was
        given) would be counted with the next one otherwise.
        """
        for _ in range(_QUIET_WITHIN_SECONDS):
            with self.cost_of(1) as cost:
                await asyncio.sleep(1)
            if cost.total < _QUIET:
                return True
        return False

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
