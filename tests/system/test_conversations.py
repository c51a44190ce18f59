"""Customers on every channel, as the product runs: what they say, send and wish."""

from itertools import count
from typing import Any

import pytest

from tests.product.running import Product
from tests.product.tenants import Line, Tenant
from tests.product.waiting import seen

pytestmark = pytest.mark.system

_customers = count(1)


@pytest.fixture
def customer() -> str:
    """A phone that has written to nobody yet."""
    return f"+49151780{next(_customers):05d}"


def write(stack: Product, line: Line, customer: str, **content: Any) -> None:
    """The customer does something."""
    stack.api.control("POST", "inbound", {"phone_number_id": line.meta_phone_number_id, "from": customer} | content)


def newest(stack: Product, tenant: Tenant) -> dict[str, Any]:
    """The tenant's most lately active conversation."""
    answer = stack.api.call("GET", f"/api/v1/conversations?user_id={tenant.user_id}")
    return dict(answer.json()["data"][0]) if answer.json()["data"] else {}


def marketing_template(stack: Product, tenant: Tenant) -> str:
    """A marketing template of the tenant's, with two variables in its body."""
    body = {"type": "BODY", "text": "Hi {{1}}, save {{2}} today.", "example": {"body_text": [["Ana", "25%"]]}}
    template = {"name": "holiday_promo", "language": "en_US", "category": "MARKETING", "components": [body]}
    stack.api.control("POST", "templates", {"waba_id": tenant.waba_id} | template)
    stack.api.made(*tenant.sync())
    path = f"/api/v1/templates?phone_number_id={tenant.lines[0].phone_number_id}"
    listed = stack.api.call("GET", path).json()["data"]
    return next(str(each["template_id"]) for each in listed if each["name"] == "holiday_promo")


def test_a_campaign_leaves_out_who_has_written_stop(stack: Product, line: Line, tenant: Tenant, customer: str) -> None:
    write(stack, line, customer, type="text", text="STOP")
    (confirmation,) = seen(lambda: stack.api.messages_to(customer))
    contact = newest(stack, tenant)["contact"]["contact_id"]
    other = f"{customer}7"

    campaign = stack.api.made(
        "/api/v1/campaign",
        {
            "phone_number_id": line.phone_number_id,
            "template_id": marketing_template(stack, tenant),
            "name": "Promo",
            "auto_start": True,
            "contacts": [{"phone": phone, "variables": {"1": "Asha", "2": "25%"}} for phone in (customer, other)],
        },
    )

    path = f"/api/v1/campaign/{campaign['campaign_id']}"
    seen(lambda: stack.api.call("GET", path).json()["data"]["status"] == "COMPLETED")
    assert "no more" in confirmation["body"]["text"]["body"]
    assert stack.api.call("GET", f"/api/v1/contacts/{contact}").json()["data"]["consent"]["marketing"] == "opted_out"
    assert [len(stack.api.messages_to(phone)) for phone in (customer, other)] == [1, 1]


def test_a_picture_is_downloaded_when_somebody_looks_at_it(
    stack: Product, line: Line, tenant: Tenant, customer: str
) -> None:
    write(stack, line, customer, type="image", image={"caption": "Broken"})
    last = seen(lambda: newest(stack, tenant).get("last_message", {}))

    link = stack.api.call("GET", f"/api/v1/media/{last['media_id']}")
    file = stack.api.http.get(link.headers["Location"])
    forged = stack.api.http.get(link.headers["Location"].replace("signature=", "signature=0"))

    assert (last["type"], last["text"], link.status_code) == ("image", "Broken", 302)
    assert (file.status_code, file.headers["Content-Type"], file.content[:4]) == (200, "image/png", b"\x89PNG")
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert forged.status_code == 403


def test_an_instagram_message_is_answered_on_instagram(stack: Product, tenant: Tenant) -> None:
    account, sender = f"1784{tenant.number:08d}", "1254459154682919"
    number = {
        "user_id": tenant.user_id,
        "platform": "instagram",
        "meta_phone_number_id": account,
        "access_token": tenant.access_token,
        "display_name": "@acme",
    }
    stack.api.made("/api/v1/phone-numbers", number)
    stack.api.control(
        "POST",
        "inbound",
        {"platform": "instagram", "phone_number_id": account, "from": sender, "type": "text", "text": "In stock?"},
    )
    conversation = seen(lambda: newest(stack, tenant))

    path = f"/api/v1/conversations/{conversation['conversation_id']}/messages"
    answer = stack.api.call("POST", path, {"type": "text", "text": "Yes, three are left."})

    assert answer.is_success, answer.text
    assert conversation["channel"] == "instagram"
    assert [message["body"]["message"]["text"] for message in stack.api.messages_to(sender)] == ["Yes, three are left."]
    seen(lambda: stack.api.call("GET", path).json()["data"][0]["status"] == "read")
