"""Every JSON request of the external send API's document, in its order, reaches Meta as Meta documents it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.external.product import Product, Tenant

pytestmark = [pytest.mark.database, pytest.mark.rabbit]

DOMAIN = Path(__file__).parent.parent / "messaging" / "domain"
REQUESTS = json.loads((DOMAIN / "external_examples.json").read_text())
PAYLOADS = json.loads((DOMAIN / "external_payloads.json").read_text())
EXAMPLES = list(zip(REQUESTS, PAYLOADS, strict=True))


@pytest.fixture(scope="module")
async def vendor(product: Product) -> Tenant:
    """One vendor for the whole document."""
    return await product.add_tenant()


@pytest.mark.parametrize(("example", "expected"), EXAMPLES, ids=[request["example"] for request in REQUESTS])
async def test_the_request_is_answered_with_200_and_meta_gets_the_documented_payload(
    vendor: Tenant, example: dict[str, Any], expected: dict[str, Any]
) -> None:
    if example["template"] is not None:  # also flash_sale_full again, with a video header, before its second request
        await vendor.register(example["template"])
        await vendor.sync()
    key = await vendor.key()

    rendered = await key.send(example["request"], "?dry_run=true")
    answer = await key.send(example["request"], private=example["example"] == "cURL, backend direct")

    posted = (await vendor.posted())[-1]
    opaque = posted.pop("biz_opaque_callback_data")
    assert posted == expected["payload"]
    assert (rendered.status, rendered.body["data"]["payload"]) == (200, expected["payload"])
    data = answer.body["data"]
    assert answer.status == 200, answer
    assert answer.body == {"success": True, "data": data, "message": "Message sent successfully."}
    assert opaque == f"w1:{data['message_id']}:1"
    assert (data["status"], data["wa_message_id"][:6], len(data["conversation_id"])) == ("sent", "wamid.", 24)
    assert data.get("warnings", []) == expected["warnings"] == rendered.body["data"].get("warnings", [])


async def test_the_document_was_sent_in_its_order_and_nothing_besides(vendor: Tenant) -> None:
    posted = await vendor.posted()

    for body in posted:
        del body["biz_opaque_callback_data"]
    assert posted == [expected["payload"] for expected in PAYLOADS]
