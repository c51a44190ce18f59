"""`/api/v1/templates`: details, drafts, changes, submission, deletion, in the documented shapes and words."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from shared.contracts import template_drafts as contracts
from shared.contracts.base import Done
from shared.errors import ConflictError, InvalidInputError, NotFoundError, UpstreamRejectedError
from tests.gateway.conftest import NOON, Gateway
from tests.gateway.routes.test_templates import ORDER

NOON_TEXT = "2026-11-21T12:00:00.000Z"
DRAFT = ORDER.model_copy(update={"template_id": "tpl_new123", "name": "order_update", "status": "DRAFT"})
BODY: dict[str, Any] = {
    "user_id": "usr_1",
    "phone_number_id": "pn_1",
    "name": "order_update",
    "category": "UTILITY",
    "language": "en",
    "components": [
        {
            "type": "BODY",
            "text": "Hi {{1}}! Your order #{{2}} status: {{3}}",
            "example": {"body_text": [["John", "12345", "shipped"]]},
        }
    ],
    "variables": [
        {
            "variable_name": "customer_name",
            "position": 1,
            "description": "Customer's name",
            "default_value": "Customer",
            "sample_value": "John",
            "is_required": False,
        },
        {
            "variable_name": "order_id",
            "position": 2,
            "description": "Order number",
            "sample_value": "12345",
            "is_required": True,
        },
        {
            "variable_name": "status",
            "position": 3,
            "description": "Order status",
            "default_value": "processing",
            "sample_value": "shipped",
        },
    ],
}


@dataclass
class DraftsStandIn:
    """Answers what the gateway asks of templates; `error` is what anything meets."""

    asked: list[Any] = field(default_factory=list)
    error: Exception | None = None

    def _note(self, request: Any) -> None:
        self.asked.append(request)
        if self.error is not None:
            raise self.error

    async def drafted(self, command: Any) -> contracts.TemplateDraft:
        """A draft with a warning."""
        self._note(command)
        return contracts.TemplateDraft(template=DRAFT, warnings=("variable_at_end: components[0].text ends",))

    async def details(self, request: Any) -> contracts.TemplateDetails:
        """The sample of the dashboard API."""
        self._note(request)
        analytics = contracts.TemplateAnalytics(total_sends=150, delivered_count=145, read_count=120, failed_count=5)
        return contracts.TemplateDetails(template=ORDER, analytics=analytics, submitted_at=NOON)

    async def submitted(self, command: contracts.SubmitTemplate) -> contracts.SubmittedTemplate:
        """Pending."""
        self._note(command)
        return contracts.SubmittedTemplate(
            template_id=command.template_id, status="PENDING", meta_template_id="987654321", submitted_at=NOON
        )

    async def deleted(self, command: contracts.DeleteTemplate) -> Done:
        """Gone."""
        self._note(command)
        return Done()


@pytest.fixture
async def service(gateway: Gateway) -> DraftsStandIn:
    """The stand-in, registered, and a user."""
    standing_in = DraftsStandIn()
    gateway.bus.on(contracts.CreateTemplate, standing_in.drafted)
    gateway.bus.on(contracts.EditTemplate, standing_in.drafted)
    gateway.bus.on(contracts.GetTemplate, standing_in.details)
    gateway.bus.on(contracts.SetTemplateVariables, standing_in.details)
    gateway.bus.on(contracts.SubmitTemplate, standing_in.submitted)
    gateway.bus.on(contracts.DeleteTemplate, standing_in.deleted)
    await gateway.private.post("/api/v1/users", json={"user_id": "usr_1", "email": "a@example.com"})
    return standing_in


async def call(gateway: Gateway, method: str, path: str, **options: Any) -> tuple[int, Any]:
    async with gateway.private.request(method, path, **options) as response:
        return response.status, await response.json()


async def test_a_template_is_shown_with_variables_and_analytics_as_documented(
    gateway: Gateway, service: DraftsStandIn
) -> None:
    status, answer = await call(gateway, "GET", "/api/v1/templates/tpl_abc123")

    assert status == 200
    assert answer["data"] == {
        "template": {
            "template_id": "tpl_abc123",
            "user_id": "usr_1",
            "phone_number_id": "pn_1",
            "name": "order_confirmation",
            "category": "UTILITY",
            "status": "APPROVED",
            "language": "en",
            "components": [{"type": "BODY", "text": "Hi {{1}}"}],
            "parameter_format": "positional",
            "meta_template_id": None,
            "quality_score": None,
            "rejected_reason": None,
            "status_reason": None,
            "correct_category": None,
            "submitted_at": NOON_TEXT,
            "created_at": NOON_TEXT,
            "updated_at": NOON_TEXT,
        },
        "variables": [
            {
                "variable_id": "var_1",
                "variable_name": "customer_name",
                "position": 1,
                "component_type": "BODY",
                "extraction_field": None,
                "default_value": "Customer",
                "sample_value": "John",
                "description": None,
                "is_required": False,
                "placeholder": None,
            }
        ],
        "analytics": {"total_sends": 150, "delivered_count": 145, "read_count": 120, "failed_count": 5},
    }


async def test_the_documented_request_makes_a_draft(gateway: Gateway, service: DraftsStandIn) -> None:
    status, answer = await call(gateway, "POST", "/api/v1/templates", json=BODY)

    assert status == 201
    assert answer["data"] == {
        "template_id": "tpl_new123",
        "user_id": "usr_1",
        "phone_number_id": "pn_1",
        "name": "order_update",
        "category": "UTILITY",
        "status": "DRAFT",
        "language": "en",
        "created_at": NOON_TEXT,
        "warnings": ["variable_at_end: components[0].text ends"],
    }
    (command,) = service.asked
    assert command.template_id.startswith("tpl_")
    assert command.components == tuple(BODY["components"])
    assert [each.model_dump(exclude_defaults=True) for each in command.variables] == [
        {name: value for name, value in each.items() if value is not False} for each in BODY["variables"]
    ]


async def test_a_draft_with_a_key_is_made_once(gateway: Gateway, service: DraftsStandIn) -> None:
    key = {"Idempotency-Key": "draft-1"}

    first = await call(gateway, "POST", "/api/v1/templates", json=BODY, headers=key)
    again = await call(gateway, "POST", "/api/v1/templates", json=BODY, headers=key)

    assert first == again
    assert len(service.asked) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"user_id": None}, "user_id is required"),
        ({"phone_number_id": None}, "phone_number_id is required"),
        ({"name": ""}, "name must not be empty"),
        ({"name": 7}, "name must be a string"),
        ({"name": "x" * 513}, "name must have at most 512 characters"),
        ({"category": "utility"}, "category must be 'MARKETING', 'UTILITY' or 'AUTHENTICATION'"),
        ({"language": "english, please"}, "language must be a language code such as en or en_US"),
        ({"components": None}, "components is required"),
        ({"components": []}, "components must not be empty"),
        ({"components": {}}, "components must be an array"),
        ({"components": [{"text": "Hi"}]}, "components[0].type is required"),
        ({"components": [{"type": "BODY", "text": 5}]}, "components[0].text must be a string"),
        ({"components": [{"type": "BODY", "x": "y" * 70_000}]}, "components must have at most 64 KiB as JSON"),
        ({"variables": [{"position": 1}]}, "variables[0].variable_name is required"),
        (
            {"variables": [{"variable_name": "1", "position": 1}]},
            "variables[0].variable_name must be a letter or _ and at most 63 letters, digits or _ more",
        ),
        (
            {"variables": [{"variable_name": "a", "position": -1}]},
            "variables[0].position must be at least 0",
        ),
        (
            {"variables": [{"variable_name": "a", "position": 1, "extraction_field": "password"}]},
            "variables[0].extraction_field must be name, email, company, phone or attributes.<key>",
        ),
    ],
)
async def test_a_wrong_draft_names_the_field_and_asks_nobody(
    gateway: Gateway, service: DraftsStandIn, change: dict[str, Any], message: str
) -> None:
    body = {name: value for name, value in (BODY | change).items() if value is not None}

    status, answer = await call(gateway, "POST", "/api/v1/templates", json=body)

    assert (status, answer["error"], answer["message"]) == (400, "Bad Request", message)
    assert service.asked == []


async def test_a_draft_of_an_unknown_user_is_not_found(gateway: Gateway, service: DraftsStandIn) -> None:
    status, answer = await call(gateway, "POST", "/api/v1/templates", json=BODY | {"user_id": "usr_nobody"})

    assert (status, answer["message"]) == (404, "User not found")


async def test_what_is_left_out_of_a_change_stays(gateway: Gateway, service: DraftsStandIn) -> None:
    status, answer = await call(gateway, "PATCH", "/api/v1/templates/tpl_1", json={"category": "MARKETING"})

    assert (status, answer["data"]["status"]) == (200, "DRAFT")
    assert service.asked == [contracts.EditTemplate(template_id="tpl_1", category="MARKETING")]


async def test_a_change_of_nothing_is_refused(gateway: Gateway, service: DraftsStandIn) -> None:
    status, answer = await call(gateway, "PATCH", "/api/v1/templates/tpl_1", json={})

    assert status == 400
    assert answer["message"] == "Nothing to change: give name, category, language, components or variables"


async def test_variables_are_set_and_the_details_shown(gateway: Gateway, service: DraftsStandIn) -> None:
    body = {"variables": [{"variable_name": "who", "position": 1}]}

    status, answer = await call(gateway, "PUT", "/api/v1/templates/tpl_1/variables", json=body)

    assert (status, set(answer["data"])) == (200, {"template", "variables", "analytics"})
    said = contracts.VariableInput(variable_name="who", position=1)
    assert service.asked == [contracts.SetTemplateVariables(template_id="tpl_1", variables=(said,))]


async def test_a_submission_needs_no_body_and_is_answered_as_documented(
    gateway: Gateway, service: DraftsStandIn
) -> None:
    status, answer = await call(gateway, "POST", "/api/v1/templates/tpl_new123/submit")

    assert status == 200
    assert answer["data"] == {
        "template_id": "tpl_new123",
        "status": "PENDING",
        "meta_template_id": "987654321",
        "submitted_at": NOON_TEXT,
    }


async def test_one_key_does_not_stand_for_two_templates(gateway: Gateway, service: DraftsStandIn) -> None:
    key = {"Idempotency-Key": "submit"}

    for template_id in ("tpl_1", "tpl_2", "tpl_1"):
        _, answer = await call(gateway, "POST", f"/api/v1/templates/{template_id}/submit", headers=key)
        assert answer["data"]["template_id"] == template_id

    assert [command.template_id for command in service.asked] == ["tpl_1", "tpl_2"]


async def test_a_deletion_is_answered_as_documented(gateway: Gateway, service: DraftsStandIn) -> None:
    status, answer = await call(gateway, "DELETE", "/api/v1/templates/tpl_1")

    assert status == 200
    assert set(answer) == {"success", "message", "timestamp", "correlationId"}
    assert (answer["success"], answer["message"]) == (True, "Template deleted successfully")


CALLS: list[tuple[str, str, Any]] = [
    ("GET", "/api/v1/templates/tpl_1", None),
    ("PATCH", "/api/v1/templates/tpl_1", {"category": "UTILITY"}),
    ("PUT", "/api/v1/templates/tpl_1/variables", {"variables": []}),
    ("POST", "/api/v1/templates", BODY),
    ("POST", "/api/v1/templates/tpl_1/submit", None),
    ("DELETE", "/api/v1/templates/tpl_1", None),
]


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (NotFoundError("Template not found"), 404, "Not Found"),
        (ConflictError("The template is being submitted"), 409, "Conflict"),
        (InvalidInputError("variables[0] has no place"), 400, "Bad Request"),
        (UpstreamRejectedError("Meta refused: Put text first."), 502, "Bad Gateway"),
    ],
)
async def test_errors_of_the_templates_service_keep_their_words(
    gateway: Gateway,
    service: DraftsStandIn,
    *,
    method: str,
    path: str,
    body: Any,
    error: Any,
    status: int,
    text: str,
) -> None:
    service.error = error

    answered, answer = await call(gateway, method, path, json=body)

    assert (answered, answer["error"], answer["message"]) == (status, text, error.message)


@pytest.mark.parametrize(("method", "path", "body"), [each for each in CALLS if "tpl_1" in each[1]])
async def test_an_id_that_cannot_exist_is_not_found_without_asking(
    gateway: Gateway, service: DraftsStandIn, method: str, path: str, body: Any
) -> None:
    status, answer = await call(gateway, method, path.replace("tpl_1", "%24ne"), json=body)

    assert (status, answer["message"]) == (404, "Template not found")
    assert service.asked == []


async def test_sync_is_no_template_and_takes_post_alone(gateway: Gateway, service: DraftsStandIn) -> None:
    async with gateway.private.get("/api/v1/templates/sync") as response:
        assert (response.status, response.headers["Allow"]) == (405, "POST")


async def test_a_number_that_no_store_can_keep_is_no_fault_of_ours(gateway: Gateway, service: DraftsStandIn) -> None:
    parts = [{"type": "BODY", "text": "Hi", "example": {"body_text": [[237941229870271636176896]]}}]

    status, _ = await call(gateway, "POST", "/api/v1/templates", json=BODY | {"components": parts, "variables": []})

    assert status == 201
