"""Customers of every kind: with files, without a number, with preferences, on Instagram."""

import base64
from typing import Any

import pytest

from tests.eventually import eventually
from tests.sandbox.conftest import NUMBER, RECIPIENT, TOKEN, Sandbox, error_of

ACCOUNT, CUSTOMER = "17841405822304914", "1254459154682919"


async def write(sandbox: Sandbox, **body: Any) -> Any:
    """Play a customer."""
    known = {"phone_number_id": NUMBER, "from": RECIPIENT}
    return (await sandbox.call("POST", "/_sandbox/inbound", known | body))[1]


async def told(sandbox: Sandbox) -> dict[str, Any]:
    """The only change of messages, once it is posted."""
    (value,) = await eventually(lambda: sandbox.product.values("messages"))
    return dict(value)


async def on_instagram(sandbox: Sandbox, *members: str) -> list[Any]:
    """The elements of Instagram's posts that have a member, once there are any."""

    def found() -> list[Any]:
        elements = [each for entry in sandbox.product.entries() for each in entry.get("messaging", [])]
        return [each for each in elements if set(members) <= each.keys()]

    return list(await eventually(found))


async def test_a_file_is_named_in_the_webhook_and_downloaded_with_the_token(sandbox: Sandbox) -> None:
    data = base64.b64encode(b"a plan").decode()
    await write(sandbox, type="document", document={"filename": "plan.pdf", "caption": "Plan", "data": data})

    (message,) = (await told(sandbox))["messages"]
    node = await sandbox.get(f"/v23.0/{message['document']['id']}")
    path = "/v23.0/" + node["url"].partition("/v23.0/")[2]
    with_token = await sandbox.client.get(path, headers={"Authorization": f"Bearer {TOKEN}"})
    without = await sandbox.client.get(path)

    assert (message["document"]["filename"], node["file_size"]) == ("plan.pdf", 6)
    assert (await with_token.read(), with_token.content_type) == (b"a plan", "application/pdf")
    assert without.status >= 400


async def test_a_customer_may_hide_the_number(sandbox: Sandbox) -> None:
    await write(sandbox, type="text", text="Hola", hidden=True)

    value = await told(sandbox)
    assert value["contacts"][0].keys() == {"profile", "user_id"}
    assert "from" not in value["messages"][0]
    assert value["messages"][0]["from_user_id"] == value["contacts"][0]["user_id"]


async def test_a_customer_may_stop_marketing(sandbox: Sandbox) -> None:
    await write(sandbox, type="preference", preference={"value": "stop"})

    (value,) = await eventually(lambda: sandbox.product.values("user_preferences"))
    assert [(each["category"], each["value"]) for each in value["user_preferences"]] == [("marketing_messages", "stop")]


async def test_an_instagram_message_has_instagrams_form(sandbox: Sandbox) -> None:
    about = {"phone_number_id": ACCOUNT, "from": CUSTOMER, "platform": "instagram"}

    answer = await write(sandbox, type="text", text="In stock?", **about)

    (element,) = await on_instagram(sandbox, "message")
    assert (element["sender"]["id"], element["recipient"]["id"]) == (CUSTOMER, ACCOUNT)
    assert element["message"] == {"mid": answer["wamid"], "text": "In stock?"}


async def test_an_answer_on_instagram_is_echoed_and_seen(sandbox: Sandbox) -> None:
    body = {"recipient": {"id": CUSTOMER}, "message": {"text": "Yes"}}

    status, answer = await sandbox.call("POST", f"/v23.0/{ACCOUNT}/messages", body)

    (seen,) = await on_instagram(sandbox, "read")
    (echo,) = await on_instagram(sandbox, "message")
    assert (status, answer["recipient_id"]) == (200, CUSTOMER)
    assert seen["read"] == {"mid": answer["message_id"]}
    assert echo["message"] == {"mid": answer["message_id"], "text": "Yes", "is_echo": True}


@pytest.mark.parametrize(
    "body",
    [
        {"recipient": {"id": CUSTOMER}, "message": {"text": "ক" * 334}},
        {"recipient": {"id": CUSTOMER}, "message": {}},
        {"recipient": {}, "message": {"text": "x"}},
        {"recipient": {"id": CUSTOMER}, "message": {"text": "x"}, "biz_opaque_callback_data": "w1"},
    ],
)
async def test_what_instagram_does_not_take_is_refused(sandbox: Sandbox, body: Any) -> None:
    answer = await sandbox.call("POST", f"/v23.0/{ACCOUNT}/messages", body)

    assert (answer[0], error_of(answer)["code"]) == (400, 100)
