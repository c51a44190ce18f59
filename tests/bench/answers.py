"""What an agent's answer takes beyond gathering and the model: from the customer's message to our reply at Meta."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tests.bench.processes import Cost, Processes
from tests.bench.report import Line
from tests.product.api import Api
from tests.product.tenants import Tenant
from tests.product.waiting import comes_true

MESSAGES = 100
WARM_UP_MESSAGES = 5
PER_SECOND = 10.0
TARGET_P50_MS = 60
PATIENCE_SECONDS = 30.0


async def measure(api: Api, tenant: Tenant, processes: Processes) -> Line:
    """One message of each of many customers, at a steady pace; the sandbox's model answers at once."""
    await asyncio.to_thread(_have_agent, api, tenant)
    first = [f"+49154{number:08d}" for number in range(WARM_UP_MESSAGES)]
    for customer in first:  # connections and caches, made once
        await asyncio.to_thread(_write, api, tenant, customer)
    await comes_true(lambda: _answered(api, first), PATIENCE_SECONDS)
    customers = [f"+49153{number:08d}" for number in range(MESSAGES)]
    with processes.cost_of(MESSAGES) as cost:
        for customer in customers:
            await asyncio.gather(asyncio.to_thread(_write, api, tenant, customer), asyncio.sleep(1 / PER_SECOND))
        await comes_true(lambda: _answered(api, customers[-5:]), PATIENCE_SECONDS)
    taken = [each for customer in customers if (each := await asyncio.to_thread(_taken_ms, api, customer)) is not None]
    return _line(sorted(taken), cost)


async def _answered(api: Api, customers: Sequence[str]) -> bool:
    return all([await asyncio.to_thread(api.messages_to, customer) for customer in customers])


def _have_agent(api: Api, tenant: Tenant) -> None:
    prompt = {"user_id": tenant.user_id, "prompt_id": "prompt_bench", "instructions": "Echo."}
    api.made("/admin/prompts", prompt)
    line = tenant.lines[0]
    body = {"user_id": tenant.user_id, "phone_number_id": line.phone_number_id, "prompt_id": "prompt_bench"}
    agent = api.made("/api/v1/agents", body | {"name": "Bench"})
    api.call("PATCH", f"/api/v1/agents/{agent['agent_id']}", {"debounce_ms": 0})


def _write(api: Api, tenant: Tenant, customer: str) -> None:
    body = {"phone_number_id": tenant.lines[0].meta_phone_number_id, "from": customer, "type": "text", "text": "Hello"}
    api.control("POST", "inbound", body)


def _taken_ms(api: Api, customer: str) -> float | None:
    """From the message to the first reply; None without one."""
    [message] = api.control("GET", f"inbound?from={customer.lstrip('+')}")["messages"]
    replies: list[dict[str, Any]] = api.messages_to(customer)
    if not replies:
        return None
    return (_moment(replies[0]["at"]) - _moment(message["at"])).total_seconds() * 1000


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _line(ordered: Sequence[float], cost: Cost) -> Line:
    p50, p95 = (ordered[int(len(ordered) * share)] if ordered else float("nan") for share in (0.5, 0.95))
    answered = f"{len(ordered)} of {MESSAGES} answered"
    return Line(
        "agent's answer",
        f"p50 {p50:.0f} ms (target {TARGET_P50_MS}), p95 {p95:.0f} ms beyond gathering and the model; {answered}; "
        f"{cost.total / 1000:.0f} ms of processor time an answer: "
        + ", ".join(f"{name} {used / 1000:.1f}" for name, used in cost.by_process.items()),
        {"p50_ms": p50, "p95_ms": p95, "answered": len(ordered), "asked": MESSAGES, "per_second": PER_SECOND}
        | {"cost_us": cost.by_process},
    )
