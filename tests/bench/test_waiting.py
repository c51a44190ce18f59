"""What is told of deliveries beside very many that wait."""

from typing import Any

import pytest

from tests.bench.latency import Latency
from tests.bench.processes import Cost
from tests.bench.waiting import Look, Run, line_of, look_of

LOOK = Look("distinct", ("PROJECTION_COVERED", "DISTINCT_SCAN"), keys=10_200, documents=0, returned=200, milliseconds=9)
COST, EMPTY_REST, FULL_REST = (Cost({"mongod": used}) for used in (600, 20_000, 50_000))
EMPTY = Run(2_000, COST, Latency.of([0.2, 0.5], {}), EMPTY_REST, before_mib=80, after_mib=100, looks=(LOOK,))
FULL = Run(1_900, COST, Latency.of([0.2, 0.6], {}), FULL_REST, before_mib=81, after_mib=105, looks=(LOOK,))
EXPLAINED: dict[str, Any] = {
    "queryPlanner": {"winningPlan": {"stage": "PROJECTION_COVERED", "inputStage": {"stage": "DISTINCT_SCAN"}}},
    "executionStats": {
        "nReturned": 200,
        "executionTimeMillis": 9,
        "totalKeysExamined": 10_200,
        "totalDocsExamined": 0,
    },
}


def test_an_explanation_says_what_was_read_for_what() -> None:
    assert look_of({"distinct": "deliveries", "key": "webhook_id"}, EXPLAINED) == LOOK


def test_everything_stands_beside_the_same_with_nothing_else_stored() -> None:
    line = line_of(EMPTY, FULL, waiting=1_000_000, stored_in=40.0)

    assert line.text.splitlines() == [
        "  1,900 deliveries/s (target 1,000) when 2,000 come due together, each of another subscription; "
        "2,000 with nothing else stored",
        "    600 µs of processor time a delivery: mongod 600",
        "due to receiver p50 600 ms, p99 600 ms (target 1,000); p99 500 ms with nothing else stored",
        "memory 1.05 of that with nothing else stored (target 1.1): from 81 to 105 MiB, and from 80 to 100",
        "at rest mongod 50 ms/s; with nothing else stored mongod 20 ms/s",
        "what is due: distinct (PROJECTION_COVERED < DISTINCT_SCAN): 10,200 keys and 0 documents read for 200, 9 ms",
        "1,000,000 deliveries of 10,000 subscriptions wait, stored in 40 s",
    ]
    assert (line.figures["memory_ratio"], line.figures["full"]["looks"][0]["keys"]) == (pytest.approx(1.05), 10_200)
