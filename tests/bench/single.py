"""Single messages by the external send API: what one takes, what one costs, and how many go through."""

from collections.abc import Sequence
from dataclasses import asdict

from tests.bench.latency import Caller
from tests.bench.processes import Processes
from tests.bench.report import Line, cost_text, times_text

PACE_PER_SECOND = 50.0
CONCURRENCY = 64


async def measure(caller: Caller, processes: Processes, seconds: float) -> Sequence[Line]:
    """At a pace, straight to the sandbox at the same pace, and as many as there is room for."""
    await processes.quiet()
    with processes.cost_of(int(PACE_PER_SECOND * seconds)) as cost:
        ours = await caller.at_pace(caller.to_product, PACE_PER_SECOND, seconds)
    meta = await caller.at_pace(caller.to_sandbox, PACE_PER_SECOND, seconds)
    most_per_second, most = await caller.sustained(CONCURRENCY, seconds)
    p50, p99 = ours.p50 - meta.p50, ours.p99 - meta.p99
    return (
        Line(
            f"single send, {PACE_PER_SECOND:.0f}/s",
            f"{times_text(ours)}\n{cost_text(cost)}",
            {"latency": asdict(ours), "cost_us": cost.by_process},
        ),
        Line("  of this Meta", times_text(meta), {"latency": asdict(meta)}),
        Line("  added by us", f"p50 {p50:.1f} ms, p99 {p99:.1f} ms", {"p50_ms": p50, "p99_ms": p99}),
        Line(
            "single send, most",
            f"{most_per_second:7,.0f} messages/s   {times_text(most)}",
            {"per_second": most_per_second, "latency": asdict(most)},
        ),
    )
