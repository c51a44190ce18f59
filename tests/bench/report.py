"""What a bench run has measured: a table for people, JSON for whatever compares runs."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.bench.latency import Latency
from tests.bench.processes import Cost


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was measured: `text` for the table, of one row or more, `figures` for the JSON."""

    name: str
    text: str
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """One run."""

    began_at: datetime
    lines: Sequence[Line]

    def write(self, folder: Path) -> Path:
        """Keep it as JSON; returns the file."""
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{self.began_at:%Y%m%dT%H%M%S}.json"
        content = dataclasses.asdict(self) | {"began_at": self.began_at.isoformat()}
        file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        return file

    def table(self) -> str:
        """For a terminal."""
        return "\n".join(
            f"  {line.name if number == 0 else '':<22} {row}"
            for line in self.lines
            for number, row in enumerate(line.text.splitlines())
        )


def cost_text(cost: Cost, *, of: str = "a message") -> str:
    """Processor time for people."""
    parts = ", ".join(f"{name} {used:.0f}" for name, used in cost.by_process.items())
    return f"{cost.total:7,.0f} µs of processor time {of}: {parts}"


def rest_text(cost: Cost) -> str:
    """Processor time of each second in which there is nothing to do."""
    return ", ".join(f"{name} {used / 1000:.0f} ms/s" for name, used in cost.by_process.items())


def times_text(latency: Latency) -> str:
    """Percentiles for people, and whatever was answered but 200."""
    odd = {status: number for status, number in latency.answers.items() if status != "200"}
    told = f"   answers other than 200: {odd}" if odd else ""
    return f"p50 {latency.p50:.1f} ms, p95 {latency.p95:.1f} ms, p99 {latency.p99:.1f} ms{told}"
