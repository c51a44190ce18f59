"""Faults are switched on by name."""

from typing import Any

import pytest

from .conftest import Sandbox, error_of

CALM = {
    "latency_ms": 0,
    "lose_reply": 0,
    "error_rate": 0,
    "duplicate_webhooks": 0,
    "reorder_webhooks": 0,
    "repeat_statuses": 0,
    "repeat_within_seconds": 10,
    "rate_limit_per_second": 1000,
    "enforce_window": False,
    "marketing_cap": None,
    "portfolio_limit": None,
    "us_marketing_rule": False,
    "reject_templates": 0,
    "strict_carousel": False,
    "status_webhooks": True,
    "bare_sends": False,
    "profile": "calm",
}


async def test_a_sandbox_starts_calm(sandbox: Sandbox) -> None:
    assert await sandbox.get("/_sandbox/faults") == CALM


async def test_a_change_is_merged_into_what_was_there(sandbox: Sandbox) -> None:
    await sandbox.set_faults(latency_ms=5)

    faults = await sandbox.set_faults(lose_reply={"next": 3})

    assert faults == CALM | {"latency_ms": 5, "lose_reply": {"next": 3}}


async def test_a_profile_sets_all_rules_and_calm_takes_them_back(sandbox: Sandbox) -> None:
    meta = await sandbox.set_faults(profile="meta", portfolio_limit=None)
    calm = await sandbox.set_faults(profile="calm")

    assert (meta["enforce_window"], meta["rate_limit_per_second"], meta["portfolio_limit"]) == (True, 80, None)
    assert calm == CALM


BAD = {
    "unknown name": ({"latencyms": 1}, "latencyms"),
    "text for a number": ({"latency_ms": "5"}, "latency_ms"),
    "rate above one": ({"error_rate": 1.5}, "error_rate"),
    "number for a switch": ({"strict_carousel": 1}, "strict_carousel"),
    "unknown profile": ({"profile": "storm"}, "profile"),
    "next that is no count": ({"lose_reply": {"next": "one"}}, "lose_reply"),
}


@pytest.mark.parametrize(("change", "name"), BAD.values(), ids=BAD)
async def test_a_bad_change_names_the_fault_and_changes_nothing(
    sandbox: Sandbox, change: dict[str, Any], name: str
) -> None:
    answer = await sandbox.call("PUT", "/_sandbox/faults", {"latency_ms": 7} | change)

    assert (answer[0], error_of(answer)["field"]) == (400, name)
    assert await sandbox.get("/_sandbox/faults") == CALM


async def test_in_the_profile_meta_a_token_that_is_not_metas_is_refused(sandbox: Sandbox) -> None:
    await sandbox.set_faults(profile="meta", latency_ms=0)

    answer = await sandbox.send({"type": "text", "text": {"body": "Hi"}}, token="token")

    assert (answer[0], error_of(answer)["code"]) == (401, 190)


async def test_a_reset_forgets_everything(sandbox: Sandbox) -> None:
    await sandbox.set_faults(status_webhooks=False)
    await sandbox.send_text()
    await sandbox.call("PUT", "/_sandbox/receiver", {"secret": "whsec_AAAA", "status": 500})
    await sandbox.call("POST", "/receiver/demo", {})

    await sandbox.call("POST", "/_sandbox/reset")

    assert await sandbox.get("/_sandbox/faults") == CALM
    assert await sandbox.get("/_sandbox/messages") == {"messages": []}
    assert await sandbox.get("/_sandbox/receiver") == {"deliveries": []}
    assert (await sandbox.call("POST", "/receiver/demo", {}))[0] == 200


async def test_bare_sends_are_accepted_unread_and_not_kept(sandbox: Sandbox) -> None:
    await sandbox.set_faults(bare_sends=True)

    status, answer = await sandbox.send({"type": "nonsense"})

    assert (status, answer["messages"][0]["id"][:6]) == (200, "wamid.")
    assert await sandbox.get("/_sandbox/calls?count=true") == {"count": 0}
