"""How a bench run's figures are put together."""

import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from tests.bench import payloads
from tests.bench.dispatch import Round, WithStatuses
from tests.bench.latency import Latency
from tests.bench.processes import Cost, Processes
from tests.bench.report import Report


def round_of(messages_per_second: float, microseconds: float) -> Round:
    return Round(messages_per_second, Cost({"messaging": microseconds}))


SINGLE = Latency.of([0.004, 0.005, 0.030], {"200": 3})
REPORT = Report(
    began_at=datetime(2026, 3, 5, 10, 30, tzinfo=UTC),
    messages=6_000,
    product=(round_of(900, 600), round_of(500, 500), round_of(1_800, 400)),
    reference=(round_of(1_000, 300), round_of(1_000, 300), round_of(3_000, 300)),
    with_statuses=WithStatuses(600, 1_800, Cost()),
    latency=SINGLE,
    single_cost=Cost(),
    meta=SINGLE,
    sustained_per_second=300,
    sustained=SINGLE,
    memory_mib={"messaging": 80.0},
)


def test_each_round_is_compared_with_its_neighbour_and_the_median_counts() -> None:
    assert REPORT.ratio == pytest.approx(0.6)
    assert REPORT.cost_ratio == pytest.approx(0.6)


def test_percentiles_are_milliseconds_that_were_really_seen() -> None:
    assert (SINGLE.p50, SINGLE.p99) == (5.0, 30.0)


def test_a_report_is_written_under_its_time_and_read_back(tmp_path: Path) -> None:
    file = REPORT.write(tmp_path)

    written = orjson.loads(file.read_bytes())
    assert file.name == "20260305T103000.json"
    assert (written["ratio"], written["sustained"]["answers"]) == (pytest.approx(0.6), {"200": 3})


def test_processor_time_is_counted_for_each_message() -> None:
    processes = Processes(lambda: {"self": 1})

    with processes.cost_of(messages=10) as cost:
        pass

    assert cost.total >= 0
    assert processes.resident_mib()["self"] > 0


def test_payloads_are_measured_by_documented_request() -> None:
    line = payloads.measure()

    assert len(line.figures["by_request"]) == 27
    assert all(cost > 0 for cost in line.figures["by_request"].values())
    assert line.text in dataclasses.replace(REPORT, lines=(line,)).table()
