"""`/api/v1/templates`: the list and the sync."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from shared.contracts import templates
from shared.errors import NotFoundError, UpstreamRejectedError
from tests.gateway.conftest import NOON, Gateway

ORDER = templates.Template(
    template_id="tpl_abc123",
    user_id="usr_1",
    phone_number_id="pn_1",
    waba_id="1022",
    name="order_confirmation",
    language="en",
    category="UTILITY",
    status="APPROVED",
    components=({"type": "BODY", "text": "Hi {{1}}"},),
    variables=(
        templates.TemplateVariable(
            variable_id="var_1",
            variable_name="customer_name",
            position=1,
            component_type="BODY",
            default_value="Customer",
            sample_value="John",
        ),
    ),
    created_at=NOON,
    updated_at=NOON,
)


@dataclass
class TemplatesStandIn:
    """Answers what the gateway asks of templates."""

    asked: list[Any] = field(default_factory=list)
    error: Exception | None = None

    async def list_templates(self, query: templates.ListTemplates) -> templates.Templates:
        """Always the same one."""
        self.asked.append(query)
        if self.error is not None:
            raise self.error
        return templates.Templates(items=(ORDER,))

    async def sync_templates(self, command: templates.SyncTemplates) -> templates.SyncResult:
        """One imported, one refused."""
        self.asked.append(command)
        if self.error is not None:
            raise self.error
        return templates.SyncResult(
            imported=(templates.SyncedTemplate(template_id="tpl_imported1", name="existing_template"),),
            updated=(),
            errors=(templates.SyncError(name="broken", language="en", error="no components"),),
        )


@pytest.fixture
async def service(gateway: Gateway) -> TemplatesStandIn:
    """The stand-in, registered, and a user."""
    standing_in = TemplatesStandIn()
    gateway.bus.on(templates.ListTemplates, standing_in.list_templates)
    gateway.bus.on(templates.SyncTemplates, standing_in.sync_templates)
    await gateway.private.post("/api/v1/users", json={"user_id": "usr_1", "email": "a@example.com"})
    return standing_in


async def test_the_list_shows_templates_as_documented(gateway: Gateway, service: TemplatesStandIn) -> None:
    response = await gateway.private.get("/api/v1/templates?phone_number_id=pn_1")

    assert response.status == 200
    assert (await response.json())["data"] == [
        {
            "template_id": "tpl_abc123",
            "name": "order_confirmation",
            "category": "UTILITY",
            "status": "APPROVED",
            "language": "en",
            "components": [{"type": "BODY", "text": "Hi {{1}}"}],
            "variables": [
                {
                    "position": 1,
                    "variable_name": "customer_name",
                    "default_value": "Customer",
                    "sample_value": "John",
                }
            ],
        }
    ]
    assert service.asked == [templates.ListTemplates(phone_number_id="pn_1", status="APPROVED")]


@pytest.mark.parametrize(
    ("query", "status"), [("&status=ALL", None), ("&status=all", None), ("&status=DRAFT", "DRAFT")]
)
async def test_other_statuses_are_shown_when_asked_for(
    gateway: Gateway, service: TemplatesStandIn, query: str, status: str | None
) -> None:
    await gateway.private.get(f"/api/v1/templates?phone_number_id=pn_1{query}")

    assert service.asked[0].status == status


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "phone_number_id query parameter is required"),
        ("?phone_number_id=", "phone_number_id query parameter is required"),
        (
            "?phone_number_id=pn_1&status=%24ne",
            "status query parameter must be a template status such as APPROVED, or ALL",
        ),
    ],
)
async def test_a_wrong_query_names_the_parameter(gateway: Gateway, query: str, message: str) -> None:
    response = await gateway.private.get(f"/api/v1/templates{query}")
    body = await response.json()

    assert (response.status, body["error"], body["message"]) == (400, "Bad Request", message)


async def test_a_list_that_has_not_changed_is_not_carried_again(gateway: Gateway) -> None:
    asked: list[str | None] = []
    stored = [templates.Templates(items=(ORDER,), version="1")]

    async def list_templates(query: templates.ListTemplates) -> templates.Templates:
        asked.append(query.known_version)
        [found] = stored
        return found if found.version != query.known_version else templates.Templates(items=(), version=found.version)

    gateway.bus.on(templates.ListTemplates, list_templates)

    async def names() -> list[str]:
        response = await gateway.private.get("/api/v1/templates?phone_number_id=pn_1")
        return [each["name"] for each in (await response.json())["data"]]

    first, again = await names(), await names()
    stored[:] = [templates.Templates(items=(ORDER.model_copy(update={"name": "another"}),), version="2")]
    changed = await names()

    assert (first, again, changed) == (["order_confirmation"], ["order_confirmation"], ["another"])
    assert asked == [None, "1", "1"]


async def test_a_sync_says_what_it_did(gateway: Gateway, service: TemplatesStandIn) -> None:
    body = {"user_id": "usr_1", "phone_number_id": "pn_1"}

    response = await gateway.private.post("/api/v1/templates/sync", json=body)

    assert response.status == 200
    assert (await response.json())["data"] == {
        "imported": [{"template_id": "tpl_imported1", "name": "existing_template"}],
        "updated": [],
        "errors": [{"name": "broken", "language": "en", "error": "no components"}],
        "summary": {"totalImported": 1, "totalUpdated": 0, "totalErrors": 1},
    }
    assert service.asked == [templates.SyncTemplates(user_id="usr_1", phone_number_id="pn_1")]


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (NotFoundError("Phone number not found"), 404, "Not Found"),
        (UpstreamRejectedError("Invalid OAuth access token."), 502, "Bad Gateway"),
    ],
)
async def test_an_error_of_the_templates_service_keeps_its_words(
    gateway: Gateway, service: TemplatesStandIn, error: Any, status: int, text: str
) -> None:
    service.error = error

    response = await gateway.private.post(
        "/api/v1/templates/sync", json={"user_id": "usr_1", "phone_number_id": "pn_1"}
    )
    body = await response.json()

    assert (response.status, body["error"], body["message"]) == (status, text, error.message)


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"phone_number_id": "pn_1"}, 400, "user_id is required"),
        ({"user_id": "usr_1"}, 400, "phone_number_id is required"),
        ({"user_id": "usr_1", "phone_number_id": 5}, 400, "phone_number_id must be a string"),
        ({"user_id": "usr_nobody", "phone_number_id": "pn_1"}, 404, "User not found"),
    ],
)
async def test_a_wrong_sync_asks_nobody(
    gateway: Gateway, service: TemplatesStandIn, body: Any, status: int, message: str
) -> None:
    response = await gateway.private.post("/api/v1/templates/sync", json=body)

    assert (response.status, (await response.json())["message"]) == (status, message)
    assert service.asked == []
