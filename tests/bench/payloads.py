"""What checking and rendering one message costs, without network, broker or database."""

import json
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from services.gateway.schemas.send import parse_send_body
from services.messaging.domain.payloads import graph_payload
from tests.bench.report import Line
from tests.messaging.domain.external_requests import Example, examples

TARGET_MICROSECONDS = 150
ROUNDS = 200
REQUESTS = Path(__file__).parents[1] / "messaging" / "domain" / "external_examples.json"


def measure() -> Line:
    """Validate each documented request as the gateway does, and render it as messaging does: processor time."""
    bodies = [each["request"] for each in json.loads(REQUESTS.read_text(encoding="utf-8"))]
    costs = {
        example.name: _microseconds(partial(_once, example, body))
        for example, body in zip(examples(), bodies, strict=True)
    }
    dearest = max(costs, key=lambda name: costs[name])
    middle = statistics.median(costs.values())
    return Line(
        "payload and checks",
        f"{middle:.0f} µs a message in the middle, {costs[dearest]:.0f} µs for the dearest ({dearest}); "
        f"target {TARGET_MICROSECONDS}",
        {"median_microseconds": middle, "by_request": costs},
    )


def _once(example: Example, body: dict[str, Any]) -> None:
    parse_send_body(body, local=True).content()
    rendered = graph_payload(example.to, example.content, example.template, now_ms=0)
    orjson.dumps(rendered.payload)


def _microseconds(work: Callable[[], None]) -> float:
    work()
    began = time.process_time_ns()
    for _ in range(ROUNDS):
        work()
    return (time.process_time_ns() - began) / ROUNDS / 1000
