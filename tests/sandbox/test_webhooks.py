"""The webhooks a send causes: signed over the exact bytes, in Meta's spelling, and never lost."""

import json
from collections import Counter

import orjson

from deploy.sandbox.webhooks.updates import ChangeUpdate, envelope
from tests.eventually import eventually

from .conftest import NUMBER, WABA, Sandbox, signature


async def test_a_message_is_sent_then_delivered_then_read(sandbox: Sandbox) -> None:
    _, body = await sandbox.send_text(biz_opaque_callback_data="w1:abc:1")
    await sandbox.has_status_names("sent", "delivered", "read")

    values = sandbox.product.values("messages")
    value, status = next((value, one) for value in values for one in value["statuses"] if one["status"] == "sent")
    assert value["metadata"] == {"display_phone_number": "15552242922", "phone_number_id": NUMBER}
    assert sandbox.product.entries()[0]["id"] == WABA
    assert status == {
        "id": body["messages"][0]["id"],
        "status": "sent",
        "timestamp": status["timestamp"],
        "recipient_id": "14155550123",
        "biz_opaque_callback_data": "w1:abc:1",
        "pricing": {
            "billable": False,
            "pricing_model": "PMP",
            "type": "free_customer_service",
            "category": "service",
        },
    }
    assert status["timestamp"].isdecimal()


async def test_pricing_comes_with_sent_and_delivered_and_names_the_templates_category(sandbox: Sandbox) -> None:
    await sandbox.send_template("hello_world")
    await sandbox.has_status_names("sent", "delivered", "read")

    categories = {one["status"]: one.get("pricing", {}).get("category") for one in sandbox.product.statuses()}
    assert categories == {"sent": "utility", "delivered": "utility", "read": None}


async def test_the_signature_holds_over_the_exact_bytes(sandbox: Sandbox) -> None:
    await sandbox.send_text()
    await sandbox.has_status_names("sent", "delivered", "read")

    for body, headers in sandbox.product.posts:
        assert headers["X-Hub-Signature-256"] == signature(body)
        assert headers["Content-Type"] == "application/json"


async def test_the_bytes_are_spelt_as_meta_spells_them(sandbox: Sandbox) -> None:
    opaque = 'naïve/"\\/" 😀'

    await sandbox.send_text(biz_opaque_callback_data=opaque)
    await sandbox.has_status_names("sent", "delivered", "read")

    body, _ = sandbox.product.posts[0]
    assert rb"na\u00efve\/\"\\\/\" \ud83d\ude00" in body
    assert body.isascii()
    assert sandbox.product.statuses()[0]["biz_opaque_callback_data"] == opaque


async def test_a_post_that_is_not_answered_200_comes_again_with_the_same_bytes(sandbox: Sandbox) -> None:
    sandbox.product.answers = [503, 500]

    await sandbox.send_text(to="+999220000001")
    await sandbox.has_status_names("sent")

    assert sandbox.product.refused == [sandbox.product.posts[0][0]] * 2


async def test_nothing_is_lost_while_the_receiver_refuses(sandbox: Sandbox) -> None:
    sandbox.product.answers = [503] * 30

    for index in range(40):
        await sandbox.send_text(to=f"+99922000{index:04d}")

    def all_heard() -> bool:
        return len({status["id"] for status in sandbox.product.statuses()}) == 40

    await eventually(all_heard, timeout_seconds=30)


async def test_at_load_many_updates_share_a_post(sandbox: Sandbox) -> None:
    _, registered = await sandbox.call(
        "POST", "/_sandbox/inbound", {"phone_number_id": NUMBER, "from": "14155550123", "text": "Hi", "times": 400}
    )

    await eventually(lambda: len(sandbox.product.values("messages")) == 400)

    assert registered["wamid"].startswith("wamid.")
    assert len(sandbox.product.posts) < 100


async def test_every_post_comes_twice_when_asked(sandbox: Sandbox) -> None:
    await sandbox.set_faults(duplicate_webhooks=1)

    await sandbox.send_text(to="+999220000001")

    await eventually(lambda: len(sandbox.product.posts) == 2)
    assert sandbox.product.posts[0][0] == sandbox.product.posts[1][0]


async def test_two_statuses_change_places_when_asked(sandbox: Sandbox) -> None:
    await sandbox.set_faults(reorder_webhooks=1)

    await sandbox.send_text()

    await sandbox.has_status_names("delivered", "sent", "read")


async def test_statuses_come_five_times_when_asked(sandbox: Sandbox) -> None:
    await sandbox.set_faults(repeat_statuses=1, repeat_within_seconds=0.5)

    await sandbox.send_text(biz_opaque_callback_data="w1:abc:1")

    await eventually(lambda: Counter(sandbox.product.status_names()) == {"sent": 5, "delivered": 5, "read": 5})
    assert await sandbox.get("/_sandbox/messages?by=statuses") == {
        "told": [["w1:abc:1", ["sent", "delivered", "read"]]]
    }


async def test_what_a_user_wrote_comes_as_often_as_asked_and_is_pending_until_then(sandbox: Sandbox) -> None:
    text = {"phone_number_id": NUMBER, "from": "14155550123", "text": "Hi", "times": 5}
    await sandbox.call("POST", "/_sandbox/inbound", text | {"within_seconds": 0.5})

    async def all_taken() -> bool:
        return bool(await sandbox.get("/_sandbox/webhooks") == {"pending": 0})

    await eventually(all_taken)
    assert len(sandbox.product.values("messages")) == 5

    await sandbox.call("POST", "/_sandbox/inbound", text | {"within_seconds": 60})
    assert not await all_taken()


async def test_without_status_webhooks_there_are_none(sandbox: Sandbox) -> None:
    await sandbox.set_faults(status_webhooks=False)
    await sandbox.send_text(to="+999220000001")
    await sandbox.set_faults(status_webhooks=True)
    await sandbox.send_text(to="+999220000002")

    await sandbox.has_status_names("sent")

    assert sandbox.product.statuses()[0]["recipient_id"] == "999220000002"


async def test_the_handshake_is_performed_on_request(sandbox: Sandbox) -> None:
    answer = await sandbox.call("POST", "/_sandbox/handshake")

    assert answer == (200, {"ok": True, "status": 200})


async def test_an_inbound_message_has_metas_shape(sandbox: Sandbox) -> None:
    content = {"type": "button", "button": {"payload": "RATE_GOOD", "text": "Good"}, "context_id": "wamid.A"}
    _, answer = await sandbox.call(
        "POST", "/_sandbox/inbound", {"phone_number_id": NUMBER, "from": "+14155550123", "name": "Ana"} | content
    )
    await eventually(lambda: sandbox.product.posts)

    value = sandbox.product.values("messages")[0]
    person = "US.141555501230000000"
    assert value["contacts"] == [{"profile": {"name": "Ana"}, "wa_id": "14155550123", "user_id": person}]
    assert value["messages"] == [
        {
            "context": {"from": "15552242922", "id": "wamid.A"},
            "from": "14155550123",
            "from_user_id": person,
            "id": answer["wamid"],
            "timestamp": value["messages"][0]["timestamp"],
            "type": "button",
            "button": {"payload": "RATE_GOOD", "text": "Good"},
        }
    ]
    assert "time" not in sandbox.product.entries()[0]


async def test_an_inbound_text_may_be_a_plain_string(sandbox: Sandbox) -> None:
    body = {"phone_number_id": NUMBER, "from": "14155550123", "type": "text", "text": "শুভ সকাল"}

    await sandbox.call("POST", "/_sandbox/inbound", body)
    await eventually(lambda: sandbox.product.posts)

    assert sandbox.product.values("messages")[0]["messages"][0]["text"] == {"body": "শুভ সকাল"}
    assert json.loads(sandbox.product.posts[0][0]) == orjson.loads(sandbox.product.posts[0][0])


async def test_a_message_the_business_has_read_is_marked(sandbox: Sandbox) -> None:
    _, answer = await sandbox.call(
        "POST", "/_sandbox/inbound", {"phone_number_id": NUMBER, "from": "14155550123", "text": "Hi"}
    )
    receipt = {"messaging_product": "whatsapp", "status": "read", "message_id": answer["wamid"]}

    await sandbox.call("POST", f"/v23.0/{NUMBER}/messages", receipt)

    inbound = await sandbox.get("/_sandbox/inbound?from=14155550123")
    assert [message["read"] for message in inbound["messages"]] == [True]


async def test_a_change_tells_when_it_happened_however_late_it_is_posted() -> None:
    update = ChangeUpdate(WABA, "message_template_status_update", {"event": "APPROVED"}, at=1_700_000_000.9)

    posted = orjson.loads(envelope([update]))

    assert posted["entry"][0]["time"] == 1_700_000_000
