"""How a bench run's figures are put together."""

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from tests.bench import payloads
from tests.bench.comparison import Comparison
from tests.bench.dispatch import Round
from tests.bench.latency import Latency
from tests.bench.processes import Cost, Processes
from tests.bench.report import Line, Report


def round_of(messages_per_second: float, microseconds: float) -> Round:
    return Round(messages_per_second, Cost({"messaging": microseconds}))


SINGLE = Latency.of([0.004, 0.005, 0.030], {"200": 3})
COMPARISON = Comparison(
    product=[round_of(900, 600), round_of(500, 500), round_of(1_800, 400)],
    reference=[round_of(1_000, 300), round_of(1_000, 300), round_of(3_000, 300)],
    dramatiq=[round_of(200, 3_000), round_of(250, 3_000), round_of(300, 3_000)],
)
REPORT = Report(datetime(2026, 3, 5, 10, 30, tzinfo=UTC), [Line("one", "first\nsecond", {"figure": 1}), Line("", "x")])


def test_each_round_is_compared_with_its_neighbours_and_the_median_counts() -> None:
    lines = {line.name: line for line in COMPARISON.lines()}

    assert lines["dispatch / reference"].text == "   0.60   (target 0.6); of processor time 0.60"
    assert lines["dispatch / dramatiq"].text == "   4.50   (target 4); of processor time 6.00"
    assert lines["dispatch / dramatiq"].figures == {"ratio": pytest.approx(4.5), "cost_ratio": pytest.approx(6)}
    assert lines["dispatch, dramatiq"].figures["messages_per_second"] == [200, 250, 300]


def test_percentiles_are_milliseconds_that_were_really_seen() -> None:
    assert (SINGLE.p50, SINGLE.p99) == (5.0, 30.0)


def test_a_report_is_written_under_its_time_and_read_back(tmp_path: Path) -> None:
    file = REPORT.write(tmp_path)

    assert file.name == "20260305T103000.json"
    assert orjson.loads(file.read_bytes())["lines"][0]["figures"] == {"figure": 1}


def test_further_rows_of_a_line_have_no_name() -> None:
    assert [row.split() for row in REPORT.table().splitlines()] == [["one", "first"], ["second"], ["x"]]


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
    assert line.text in Report(REPORT.began_at, [line]).table()
