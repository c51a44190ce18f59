"""`POST /api/external/send-message?dry_run=true`: what would be sent, and nothing is."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from shared.contracts.messaging import RenderedMessage, RenderMessage
from shared.errors import InvalidInputError, ServiceUnavailableError
from tests.gateway.conftest import Gateway, Tenant, make_tenant
from tests.gateway.schemas.bodies import BUTTON, TEXT

PAYLOAD = {
    "messaging_product": "whatsapp",
    "recipient_type": "individual",
    "to": "+919876543210",
    "type": "text",
    "text": {"body": "Hello", "preview_url": False},
}


@dataclass
class RenderingStandIn:
    """Answers what the gateway asks of messaging."""

    asked: list[RenderMessage] = field(default_factory=list)
    warnings: tuple[str, ...] = ()
    error: Exception | None = None

    async def render_message(self, query: RenderMessage) -> RenderedMessage:
        """Always the same payload."""
        self.asked.append(query)
        if self.error is not None:
            raise self.error
        return RenderedMessage(payload=PAYLOAD, warnings=self.warnings)


@pytest.fixture
def rendering(gateway: Gateway) -> RenderingStandIn:
    """Messaging, as far as dry runs need it."""
    standing_in = RenderingStandIn()
    gateway.bus.on(RenderMessage, standing_in.render_message)
    return standing_in


async def post(
    gateway: Gateway, tenant: Tenant, body: Any = TEXT, query: str = "dry_run=true", **headers: str
) -> tuple[int, Any]:
    """Post with the tenant's key."""
    response = await gateway.public.post(f"{tenant.url}?{query}", json=body, headers=tenant.headers | headers)
    return response.status, await response.json()


async def test_the_answer_holds_what_would_go_to_meta(
    gateway: Gateway, tenant: Tenant, rendering: RenderingStandIn
) -> None:
    status, body = await post(gateway, tenant)

    assert status == 200
    assert body == {
        "success": True,
        "data": {"dry_run": True, "payload": PAYLOAD},
        "message": "Dry run: nothing was sent.",
    }
    assert gateway.messaging.sends == []


async def test_messaging_is_asked_for_the_callers_number_and_content(
    gateway: Gateway, tenant: Tenant, rendering: RenderingStandIn
) -> None:
    await post(gateway, tenant)

    (query,) = rendering.asked
    assert (query.user_id, query.phone_number_id) == ("usr_1", tenant.phone_number_id)
    assert (query.to, query.content.type) == (TEXT["to"], "text")


async def test_warnings_are_those_of_a_send(gateway: Gateway, tenant: Tenant, rendering: RenderingStandIn) -> None:
    rendering.warnings = ("offer_expired: x",)

    _, body = await post(gateway, tenant, TEXT | {"priority": 1})

    assert body["data"]["warnings"] == ["offer_expired: x", "ignored_field: priority"]


async def test_dry_run_false_sends(gateway: Gateway, tenant: Tenant, rendering: RenderingStandIn) -> None:
    status, body = await post(gateway, tenant, query="dry_run=false")

    assert (status, body["data"]["status"]) == (200, "sent")
    assert (len(gateway.messaging.sends), rendering.asked) == (1, [])


@pytest.mark.parametrize("value", ["", "1", "yes", "TRUE", "true%20", "nonsense"])
async def test_any_other_value_is_a_400_and_nothing_is_sent(
    gateway: Gateway, tenant: Tenant, rendering: RenderingStandIn, value: str
) -> None:
    status, body = await post(gateway, tenant, query=f"dry_run={value}")

    assert (status, body["error"]) == (400, "dry_run query parameter must be one of true, false")
    assert (gateway.messaging.sends, rendering.asked) == ([], [])


async def test_permissions_number_and_body_are_checked_as_for_a_send(
    gateway: Gateway, tenant: Tenant, rendering: RenderingStandIn
) -> None:
    other = await make_tenant(gateway, "usr_2", permissions=["send_text"])

    wrong_body, body = await post(gateway, tenant, {"to": "+1", "type": "text"})
    no_permission, _ = await post(gateway, other, BUTTON)
    no_key = await gateway.public.post(f"{tenant.url}?dry_run=true", json=TEXT)
    foreign = await gateway.public.post(f"{other.url}?dry_run=true", json=TEXT, headers=tenant.headers)

    assert (wrong_body, no_permission, no_key.status, foreign.status) == (400, 403, 401, 403)
    assert {detail["field"] for detail in body["details"]} == {"to", "text"}
    assert rendering.asked == []


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidInputError("template.body.variables: expected 3 values, got 2"), 400),
        (ServiceUnavailableError("messaging is away"), 503),
    ],
)
async def test_messagings_errors_keep_their_words(
    gateway: Gateway, tenant: Tenant, rendering: RenderingStandIn, error: Any, status: int
) -> None:
    rendering.error = error

    answer, body = await post(gateway, tenant)

    assert (answer, body["error"]) == (status, error.message)


async def test_an_idempotency_key_is_still_free_for_the_real_request(
    gateway: Gateway, tenant: Tenant, rendering: RenderingStandIn
) -> None:
    key = {"Idempotency-Key": "order-1"}

    rendered, _ = await post(gateway, tenant, **key)
    kept = await gateway.database.idempotency_keys.count_documents({})
    sent, body = await post(gateway, tenant, query="dry_run=false", **key)

    assert (rendered, kept, sent, body["data"]["status"]) == (200, 0, 200, "sent")
    assert len(gateway.messaging.sends) == 1
