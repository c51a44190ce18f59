"""Magic recipients: each makes one thing happen that Meta does now and then."""

import asyncio
from typing import Any

import aiohttp
import pytest

from tests.eventually import eventually

from .conftest import NUMBER, RECIPIENT, Sandbox, details_of, error_of


@pytest.mark.parametrize(
    ("to", "status", "code"),
    [("+999013042901", 400, 130429), ("+999000019001", 401, 190), ("+999013100001", 500, 131000)],
)
async def test_a_recipient_asks_for_an_error_at_once(sandbox: Sandbox, to: str, status: int, code: int) -> None:
    answer = await sandbox.send_text(to=to)

    calls = (await sandbox.get("/_sandbox/calls"))["calls"]
    assert (answer[0], error_of(answer)["code"]) == (status, code)
    assert [(call["outcome"], call["error_code"], call["wamid"]) for call in calls] == [("refused", code, None)]
    assert await sandbox.get("/_sandbox/calls?count=true") == {"count": 0}


async def test_a_recipient_asks_for_a_failure_later(sandbox: Sandbox) -> None:
    status, _ = await sandbox.send_text(to="+999113102601", biz_opaque_callback_data="w1:abc:1")
    await sandbox.has_status_names("failed")

    failed = sandbox.product.statuses()[0]
    assert status == 200
    assert failed["errors"] == [
        {
            "code": 131026,
            "title": "Message undeliverable",
            "message": "Message undeliverable",
            "error_data": {"details": "Message Undeliverable."},
            "href": "/documentation/business-messaging/whatsapp/support/error-codes",
        }
    ]
    assert failed["biz_opaque_callback_data"] == "w1:abc:1"
    assert "pricing" not in failed


STATUSES = {
    "sent only": ("+999220000001", ["sent"]),
    "never read": ("+999221000001", ["sent", "delivered"]),
    "read without delivered": ("+999222000001", ["sent", "read"]),
    "every status twice": ("+999223000001", ["sent", "sent", "delivered", "delivered", "read", "read"]),
    "reverse order": ("+999224000001", ["read", "delivered", "sent"]),
    "slow": ("+999225000001", ["sent", "delivered", "read"]),
}


@pytest.mark.parametrize(("to", "statuses"), STATUSES.values(), ids=STATUSES)
async def test_a_recipient_asks_for_its_statuses(sandbox: Sandbox, to: str, statuses: list[str]) -> None:
    await sandbox.send_text(to=to)

    await sandbox.has_status_names(*statuses)


async def test_a_recipient_refuses_the_first_few(sandbox: Sandbox) -> None:
    answers = [await sandbox.send_text(to="+999226020001") for _ in range(3)]

    assert [status for status, _ in answers] == [500, 500, 200]
    assert error_of(answers[0])["code"] == 131000


async def test_a_held_template_says_so_and_goes_out_later(sandbox: Sandbox) -> None:
    template = {"type": "template", "template": {"name": "hello_world", "language": {"code": "en_US"}}}

    _, body = await sandbox.send(template | {"to": "+999227000001"})

    assert body["messages"][0]["message_status"] == "held_for_quality_assessment"
    await sandbox.has_status_names("sent", "delivered", "read")


async def test_a_held_template_may_be_dropped_and_its_template_paused(sandbox: Sandbox) -> None:
    template = {"type": "template", "template": {"name": "hello_world", "language": {"code": "en_US"}}}

    _, body = await sandbox.send(template | {"to": "+999228000001"})
    await sandbox.has_status_names("failed")
    await eventually(lambda: sandbox.product.template_events() == ["PAUSED"])

    assert body["messages"][0]["message_status"] == "held_for_quality_assessment"
    assert sandbox.product.statuses()[0]["errors"][0]["code"] == 132015
    assert error_of(await sandbox.send(template))["code"] == 132015


async def test_a_recipient_cuts_the_connection_after_the_message_went_out(sandbox: Sandbox) -> None:
    with pytest.raises(aiohttp.ClientError):
        await sandbox.send_text(to="+999229000001", biz_opaque_callback_data="w1:abc:1")

    await sandbox.has_status_names("sent", "delivered", "read")
    calls = (await sandbox.get("/_sandbox/calls"))["calls"]
    assert [(call["outcome"], call["message_id"], call["to"]) for call in calls] == [
        ("reply_lost", "abc", "999229000001")
    ]


async def test_a_recipient_gets_a_page_instead_of_an_answer(sandbox: Sandbox) -> None:
    body = {"messaging_product": "whatsapp", "to": "+999230000001", "type": "text", "text": {"body": "Hi"}}
    headers = {"Authorization": "Bearer EAAtest"}

    async with sandbox.client.post(f"/v23.0/{NUMBER}/messages", json=body, headers=headers) as answer:
        assert (answer.status, answer.content_type) == (502, "text/html")

    assert await sandbox.get("/_sandbox/calls?count=true") == {"count": 0}


async def test_a_silent_recipient_is_never_heard_of(sandbox: Sandbox) -> None:
    status, _ = await sandbox.send_text(to="+999231000001")
    await sandbox.send_text(to="+999220000001")

    await sandbox.has_status_names("sent")

    assert status == 200
    assert sandbox.product.statuses()[0]["recipient_id"] == "999220000001"


async def test_a_hidden_recipient_is_known_by_a_business_scoped_id_alone(sandbox: Sandbox) -> None:
    await sandbox.send_text(to="+999232000001")
    await sandbox.has_status_names("sent", "delivered", "read")

    value = sandbox.product.values("messages")[0]
    assert "recipient_id" not in value["statuses"][0]
    assert value["statuses"][0]["recipient_user_id"].startswith("US.")
    assert value["contacts"][0]["user_id"] == value["statuses"][0]["recipient_user_id"]


async def test_a_renumbered_recipient_has_another_wa_id(sandbox: Sandbox) -> None:
    _, body = await sandbox.send_text(to="+999233000001")
    await sandbox.has_status_names("sent", "delivered", "read")

    assert body["contacts"] == [{"input": "+999233000001", "wa_id": "9992933000001"}]
    assert sandbox.product.statuses()[0]["recipient_id"] == "9992933000001"
    assert len((await sandbox.get("/_sandbox/messages?to=999233000001"))["messages"]) == 1


async def send_unanswered(sandbox: Sandbox, **more: Any) -> bool:
    try:
        await sandbox.send_text(**more)
    except aiohttp.ClientError:
        return True
    return False


async def test_the_next_replies_are_lost_but_the_messages_are_not(sandbox: Sandbox) -> None:
    await sandbox.set_faults(lose_reply={"next": 2})

    lost = [await send_unanswered(sandbox, to=f"+99922000000{index}") for index in range(3)]

    assert lost == [True, True, False]
    await sandbox.has_status_names("sent", "sent", "sent")
    assert await sandbox.get("/_sandbox/calls?count=true") == {"count": 3}


async def test_a_caller_that_gives_up_waiting_has_sent_its_message(sandbox: Sandbox) -> None:
    await sandbox.set_faults(latency_ms=60_000)

    async def has_sent() -> bool:
        return bool(await sandbox.get("/_sandbox/calls?count=true") == {"count": 1})

    waiting = asyncio.create_task(sandbox.send_text())
    await eventually(has_sent)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert await has_sent()


async def test_errors_come_at_the_rate_that_was_asked_for(sandbox: Sandbox) -> None:
    await sandbox.set_faults(error_rate=1)

    answer = await sandbox.send_text()

    assert (answer[0], error_of(answer)["code"]) == (500, 131000)


async def test_more_than_the_rate_of_a_number_is_130429(sandbox: Sandbox) -> None:
    await sandbox.set_faults(rate_limit_per_second=2)

    answers = [await sandbox.send_text() for _ in range(4)]
    elsewhere = await sandbox.send({"to": RECIPIENT, "type": "text", "text": {"body": "Hi"}}, number="200000000000000")

    assert [status for status, _ in answers] == [200, 200, 400, 400]
    assert error_of(answers[2])["code"] == 130429
    assert details_of(answers[2]) == "Cloud API message throughput has been reached."
    assert elsewhere[0] == 200


async def test_outside_the_window_free_form_fails_until_the_user_writes(sandbox: Sandbox) -> None:
    await sandbox.set_faults(enforce_window=True)
    await sandbox.send_text()
    await sandbox.has_status_names("failed")
    await sandbox.call("POST", "/_sandbox/inbound", {"phone_number_id": NUMBER, "from": RECIPIENT, "text": "Hi"})

    await sandbox.send_text()

    await sandbox.has_status_names("failed", "sent", "delivered", "read")
    assert sandbox.product.statuses()[0]["errors"][0]["code"] == 131047


async def test_marketing_is_capped_by_user_and_by_country(sandbox: Sandbox) -> None:
    body = [{"type": "BODY", "text": "Everything must go today"}]
    row = {"waba_id": "1", "name": "sale", "language": "en", "category": "MARKETING", "components": body}
    await sandbox.call("POST", "/_sandbox/templates", row)
    template = {"type": "template", "template": {"name": "sale", "language": {"code": "en"}}}
    await sandbox.set_faults(marketing_cap=1, us_marketing_rule=True)

    for to in ("+999220000001", "+999220000001", "+14155550123", "+16045550123"):
        await sandbox.send(template | {"to": to})

    def failed() -> set[str]:
        return {status["recipient_id"] for status in sandbox.product.statuses() if status["status"] == "failed"}

    await eventually(lambda: len(sandbox.product.status_names()) == 6)
    assert failed() == {"999220000001", "14155550123"}


async def test_the_portfolio_reaches_so_many_people(sandbox: Sandbox) -> None:
    await sandbox.set_faults(portfolio_limit=1)

    first, again, other = [await sandbox.send_text(to=to) for to in (RECIPIENT, RECIPIENT, "+14155550124")]

    assert (first[0], again[0], error_of(other)["code"]) == (200, 200, 131048)
