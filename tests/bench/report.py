"""What a bench run has measured: a table for people, JSON for whatever compares runs."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.dispatch import Round, WithStatuses
from tests.bench.latency import Latency
from tests.bench.processes import Cost

TARGET_RATIO = 0.6


@dataclass(frozen=True, slots=True)
class Line:
    """One more thing that was measured: `text` for the table, `figures` for the JSON."""

    name: str
    text: str
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """One run."""

    began_at: datetime
    messages: int  # of a dispatch round
    product: Sequence[Round]
    reference: Sequence[Round]
    with_statuses: WithStatuses
    latency: Latency  # of a single send, at 50 a second
    single_cost: Cost
    meta: Latency  # the sandbox alone, at the same pace
    sustained_per_second: float
    sustained: Latency
    memory_mib: Mapping[str, float]  # resident, by process
    lines: Sequence[Line] = ()  # of everything else

    @property
    def ratio(self) -> float:
        """The median of the rounds' ratios: each round is compared with its neighbour alone."""
        rounds = zip(self.product, self.reference, strict=True)
        return median(ours.messages_per_second / theirs.messages_per_second for ours, theirs in rounds)

    @property
    def cost_ratio(self) -> float:
        """The same of processor time, which a busy machine changes less: the reference's by ours."""
        rounds = zip(self.product, self.reference, strict=True)
        return median(theirs.cost.total / ours.cost.total for ours, theirs in rounds)

    def write(self, folder: Path) -> Path:
        """Keep it as JSON; returns the file."""
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{self.began_at:%Y%m%dT%H%M%S}.json"
        content = dataclasses.asdict(self) | {
            "began_at": self.began_at.isoformat(),
            "ratio": self.ratio,
            "cost_ratio": self.cost_ratio,
        }
        file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        return file

    def table(self) -> str:
        """For a terminal."""
        rows = [
            ("dispatch, product", _rounds(self.product)),
            ("", _cost(self.product[-1].cost)),
            ("dispatch, reference", _rounds(self.reference)),
            ("", _cost(self.reference[-1].cost)),
            ("ratio", f"{self.ratio:7.2f}   (target {TARGET_RATIO}); of processor time {self.cost_ratio:.2f}"),
            ("with statuses", f"{self.with_statuses.messages_per_second:7,.0f} messages/s"),
            ("", f"{self.with_statuses.statuses_per_second:7,.0f} statuses/s received and applied"),
            ("", _cost(self.with_statuses.cost)),
            ("single send, 50/s", _times(self.latency)),
            ("", _cost(self.single_cost)),
            ("  of this Meta", _times(self.meta)),
            (
                "  added by us",
                f"p50 {self.latency.p50 - self.meta.p50:.1f} ms, p99 {self.latency.p99 - self.meta.p99:.1f} ms",
            ),
            ("single send, most", f"{self.sustained_per_second:7,.0f} messages/s   {_times(self.sustained)}"),
            ("memory, MiB", ", ".join(f"{name} {size:.0f}" for name, size in self.memory_mib.items())),
            *((line.name, line.text) for line in self.lines),
        ]
        return "\n".join(f"  {name:<22} {value}" for name, value in rows)


def _rounds(rounds: Sequence[Round]) -> str:
    rates = [each.messages_per_second for each in rounds]
    return f"{median(rates):7,.0f} messages/s   ({', '.join(f'{rate:,.0f}' for rate in rates)})"


def _cost(cost: Cost) -> str:
    parts = ", ".join(f"{name} {used:.0f}" for name, used in cost.by_process.items())
    return f"{cost.total:7,.0f} µs of processor time a message: {parts}"


def _times(latency: Latency) -> str:
    odd = {status: number for status, number in latency.answers.items() if status != "200"}
    told = f"   answers other than 200: {odd}" if odd else ""
    return f"p50 {latency.p50:.1f} ms, p95 {latency.p95:.1f} ms, p99 {latency.p99:.1f} ms{told}"
