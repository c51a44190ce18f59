"""A message travels from a vendor's request to the phone and back as a signed webhook."""

import json
from pathlib import Path
from typing import Any

import pytest

from deploy.local.demo import RECIPIENT, USER_ID, DemoSeeder
from tests.product.api import Api
from tests.product.running import Product
from tests.product.tenants import Line, Tenant, send, text_to
from tests.product.waiting import seen

pytestmark = pytest.mark.system

EIGHT_KEYS = ["event", "message_id", "wa_message_id", "conversation_id", "to", "type", "status", "timestamp"]


def events_of(api: Api, path: str, message_id: str) -> list[dict[str, Any]]:
    """The deliveries about one message, each with its parsed body."""
    parsed = [delivery | {"event": json.loads(delivery["body"])} for delivery in api.deliveries(path)]
    return [delivery for delivery in parsed if delivery["event"]["message_id"] == message_id]


def test_the_demo_tenants_message_reaches_the_phone_and_one_verified_event_its_receiver(
    stack: Product, tmp_path: Path
) -> None:
    demo = DemoSeeder.on(stack.stack, tmp_path / "demo.json", templates_may_fail=False).seed()
    path = f"/api/external/send-message/{demo.encoded_phone_id}"

    first = stack.api.call("POST", path, text_to(RECIPIENT, "Hello!"), token=demo.api_token)
    later = stack.api.call("POST", path, text_to(RECIPIENT, "Again!"), token=demo.api_token)

    data = first.json()["data"]
    assert (first.status_code, data["status"]) == (200, "sent")
    phone = seen(lambda: stack.api.messages_to(RECIPIENT))
    assert (phone[0]["wamid"], phone[0]["body"]["text"]["body"]) == (data["wa_message_id"], "Hello!")
    seen(lambda: events_of(stack.api, "/receiver/demo", later.json()["data"]["message_id"]))
    events = events_of(stack.api, "/receiver/demo", data["message_id"])
    assert [delivery["verified"] for delivery in events] == [True]
    assert demo.user_id == USER_ID


def test_a_tenant_made_by_hand_gets_the_same(stack: Product, tenant: Tenant, line: Line) -> None:
    recipient = "+4915199000001"

    answer = send(stack.api, line, text_to(recipient))

    data = answer.json()["data"]
    assert (answer.status_code, data["status"]) == (200, "sent")
    assert [message["wamid"] for message in stack.api.messages_to(recipient)] == [data["wa_message_id"]]
    (delivery,) = seen(lambda: events_of(stack.api, tenant.receiver_path, data["message_id"]))
    assert delivery["verified"]
    assert list(delivery["event"])[:8] == EIGHT_KEYS
    assert delivery["event"]["wa_message_id"] == data["wa_message_id"]


def test_the_public_listener_sends_as_well_and_knows_no_dashboard(stack: Product, line: Line) -> None:
    headers = {"Authorization": f"Bearer {line.token}"}

    sent = stack.api.http.post(f"{stack.api.public}{line.path}", json=text_to("+4915199000002"), headers=headers)
    dashboard = stack.api.http.get(f"{stack.api.public}/api/v1/users/usr_1")

    assert (sent.status_code, dashboard.status_code) == (200, 404)


def test_a_template_is_sent_in_the_one_language_it_has(stack: Product, line: Line) -> None:
    recipient = "+4915199000003"
    template = {"name": "order_confirmation", "body": {"variables": ["Ana", "A-1042", "Friday"]}}

    answer = send(stack.api, line, {"to": recipient, "type": "template", "template": template})

    assert answer.status_code == 200, answer.text
    (message,) = stack.api.messages_to(recipient)
    assert message["body"]["template"]["language"] == {"code": "en_US"}


def test_a_template_with_several_languages_has_to_be_sent_in_one_of_them(stack: Product, line: Line) -> None:
    template = {"name": "appointment_reminder", "body": {"variables": ["Ana", "Friday"]}}
    body = {"to": "+4915199000004", "type": "template", "template": template}

    answer = send(stack.api, line, body)

    assert answer.status_code == 400
    assert "bn" in answer.text
    assert "en_US" in answer.text
    assert stack.api.messages_to("+4915199000004") == []


def test_a_message_that_meta_refuses_is_answered_with_metas_reason(stack: Product, line: Line) -> None:
    answer = send(stack.api, line, text_to("+999013100800"))

    assert answer.status_code == 502
    assert answer.json()["error"]["code"] == 131008
    assert answer.json()["data"]["status"] == "failed"


def test_a_lost_answer_is_found_again_by_its_status(stack: Product, tenant: Tenant, line: Line) -> None:
    """The sandbox's recipient 229: Meta sends the message and cuts the connection instead of answering."""
    recipient = "+999229000000"

    answer = send(stack.api, line, text_to(recipient))

    data = answer.json()["data"]
    assert (answer.status_code, data["status"]) == (200, "sent")
    assert [message["wamid"] for message in stack.api.messages_to(recipient)] == [data["wa_message_id"]]
    assert seen(lambda: events_of(stack.api, tenant.receiver_path, data["message_id"]))


def test_the_same_idempotency_key_sends_once(stack: Product, line: Line) -> None:
    recipient = "+4915199000005"

    first = send(stack.api, line, text_to(recipient), key="once")
    again = send(stack.api, line, text_to(recipient), key="once")

    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(stack.api.messages_to(recipient)) == 1
