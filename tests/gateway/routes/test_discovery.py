"""`GET /api/external/templates`: what a vendor is shown."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from shared.contracts.templates import (
    DiscoveredTemplate,
    DiscoveredTemplates,
    DiscoverTemplates,
    TemplateBody,
    TemplateButton,
    TemplateHeader,
)
from shared.errors import NotFoundError, ServiceUnavailableError
from tests.gateway.conftest import Client, Gateway, Tenant, make_tenant

COMPONENTS = ({"type": "HEADER", "format": "DOCUMENT"}, {"type": "BODY", "text": "Hello {{1}}"})
INVOICE = DiscoveredTemplate(
    name="invoice_ready",
    language="en",
    category="UTILITY",
    status="APPROVED",
    parameter_format="positional",
    meta_template_id="1219262932664098",
    quality_score="GREEN",
    header=TemplateHeader(format="DOCUMENT", text=None, variable_count=0),
    body=TemplateBody(text="Hello {{1}}", variable_count=1),
    footer="Powered by WAAPI",
    buttons=(),
    components=COMPONENTS,
)
BARE = INVOICE.model_copy(
    update={
        "meta_template_id": None,
        "quality_score": None,
        "header": None,
        "body": None,
        "footer": None,
        "buttons": (TemplateButton(index=0, type="URL", text="Go", url="u", phone_number=None, variable_count=1),),
    }
)
SHOWN = {
    "template_name": "invoice_ready",
    "language": "en",
    "category": "utility",
    "meta_status": "APPROVED",
    "meta_template_id": "1219262932664098",
    "quality_score": "GREEN",
    "parameter_format": "positional",
    "header": {"format": "DOCUMENT", "text": None, "variable_count": 0, "example": None},
    "body": {"text": "Hello {{1}}", "variable_count": 1, "example": None},
    "footer": {"text": "Powered by WAAPI"},
    "buttons": [],
    "raw_components": list(COMPONENTS),
}


@dataclass
class TemplatesStandIn:
    """Answers what the gateway asks of templates."""

    asked: list[DiscoverTemplates] = field(default_factory=list)
    found: tuple[DiscoveredTemplate, ...] = (INVOICE,)
    total: int = 1
    error: Exception | None = None

    async def discover_templates(self, query: DiscoverTemplates) -> DiscoveredTemplates:
        """What the test wants to be found."""
        self.asked.append(query)
        if self.error is not None:
            raise self.error
        return DiscoveredTemplates(items=self.found, total=self.total)


@pytest.fixture
def templates(gateway: Gateway) -> TemplatesStandIn:
    """Templates, in place of the real service."""
    standing_in = TemplatesStandIn()
    gateway.bus.on(DiscoverTemplates, standing_in.discover_templates)
    return standing_in


async def get(client: Client, tenant: Tenant, rest: str = "") -> tuple[int, Any]:
    """Ask with the tenant's key."""
    response = await client.get(f"/api/external/templates/{tenant.encoded_phone_id}{rest}", headers=tenant.headers)
    return response.status, await response.json()


async def test_the_answer_is_the_documented_one_on_both_listeners(
    gateway: Gateway, tenant: Tenant, templates: TemplatesStandIn
) -> None:
    for client in (gateway.private, gateway.public):
        status, body = await get(client, tenant)

        assert (status, list(body)) == (200, ["success", "data", "message"])
        assert body == {
            "success": True,
            "data": {
                "templates": [SHOWN],
                "pagination": {"page": 1, "limit": 50, "total": 1, "totalPages": 1},
            },
            "message": "Templates retrieved successfully.",
        }
        assert list(body["data"]["templates"][0]) == list(SHOWN)


async def test_every_key_is_there_also_for_a_template_that_has_none_of_it(
    gateway: Gateway, tenant: Tenant, templates: TemplatesStandIn
) -> None:
    templates.found = (BARE,)

    _, body = await get(gateway.public, tenant)

    button = {
        "index": 0,
        "type": "URL",
        "text": "Go",
        "url": "u",
        "phone_number": None,
        "variable_count": 1,
        "example": None,
    }
    nothing = dict.fromkeys(("meta_template_id", "quality_score", "header", "body", "footer"))
    assert body["data"]["templates"] == [SHOWN | nothing | {"buttons": [button]}]


async def test_what_is_asked_for_by_default(gateway: Gateway, tenant: Tenant, templates: TemplatesStandIn) -> None:
    await get(gateway.public, tenant)

    assert templates.asked == [
        DiscoverTemplates(
            user_id="usr_1",
            phone_number_id=tenant.phone_number_id,
            status="APPROVED",
            language=None,
            search=None,
            name=None,
            offset=0,
            limit=50,
        )
    ]


@pytest.mark.parametrize(
    ("rest", "asked"),
    [
        ("?status=all", {"status": None}),
        ("?status=ALL", {"status": None}),
        ("?status=paused", {"status": "PAUSED"}),
        ("?language=pt_BR", {"language": "pt_BR"}),
        ("?search=Invoice", {"search": "Invoice"}),
        ("?search=&language=", {"search": None, "language": None}),
        ("?search=%24where%20(", {"search": "$where ("}),
        ("?search=" + "a" * 100, {"search": "a" * 100}),
        ("?page=3", {"offset": 100}),
        ("?page=3&limit=7", {"offset": 14, "limit": 7}),
        ("?limit=200&page=51", {"offset": 10_000, "limit": 200}),
        ("?limit=1", {"limit": 1}),
        ("?unknown=x", {}),
        ("/invoice_ready", {"name": "invoice_ready"}),
        ("/invoice_ready?status=all&language=en&limit=5", {"name": "invoice_ready", "status": None, "limit": 5}),
        ("/a%2Fb", {"name": "a/b"}),
    ],
)
async def test_the_query_reaches_templates(
    gateway: Gateway, tenant: Tenant, templates: TemplatesStandIn, rest: str, asked: dict[str, Any]
) -> None:
    status, _ = await get(gateway.public, tenant, rest)

    assert status == 200
    assert templates.asked[0].model_dump() | asked == templates.asked[0].model_dump()


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("limit=0", "limit query parameter must be a whole number from 1 to 200"),
        ("limit=201", "limit query parameter must be a whole number from 1 to 200"),
        ("limit=-5", "limit query parameter must be a whole number from 1 to 200"),
        ("limit=", "limit query parameter must be a whole number from 1 to 200"),
        ("limit=ten", "limit query parameter must be a whole number from 1 to 200"),
        ("limit=1e2", "limit query parameter must be a whole number from 1 to 200"),
        ("limit=%D9%A3", "limit query parameter must be a whole number from 1 to 200"),
        ("limit=" + "9" * 5000, "limit query parameter must be a whole number from 1 to 200"),
        ("page=0", "page query parameter must be a whole number of at least 1"),
        ("page=1.5", "page query parameter must be a whole number of at least 1"),
        ("page=999999999", "page query parameter lies too far: at most 10000 templates are skipped"),
        ("page=52&limit=200", "page query parameter lies too far: at most 10000 templates are skipped"),
        ("status=", "status query parameter must be a template status such as APPROVED, or ALL"),
        ("status=A%00", "status query parameter must be a template status such as APPROVED, or ALL"),
        ("language=%24ne", "language query parameter must be a language code such as en or en_US"),
        ("search=" + "a" * 101, "search query parameter must have at most 100 printable characters"),
        ("search=a%00", "search query parameter must have at most 100 printable characters"),
        ("search=%ED%A0%80a%0A", "search query parameter must have at most 100 printable characters"),
    ],
)
async def test_a_wrong_query_is_a_400_that_names_the_parameter(
    gateway: Gateway, tenant: Tenant, templates: TemplatesStandIn, query: str, error: str
) -> None:
    for path in ("", "/invoice_ready"):
        status, body = await get(gateway.public, tenant, f"{path}?{query}")

        assert (status, body["success"], body["error"]) == (400, False, error)
        assert body["details"] == [{"field": error.split(maxsplit=1)[0], "message": error}]
    assert templates.asked == []


@pytest.mark.parametrize("counts", [(0, 50, 0), (1, 1, 1), (50, 50, 1), (51, 50, 2), (101, 7, 15)])
async def test_the_pages_are_counted(
    gateway: Gateway, tenant: Tenant, templates: TemplatesStandIn, counts: tuple[int, int, int]
) -> None:
    total, limit, pages = counts
    templates.found, templates.total = (), total

    _, body = await get(gateway.public, tenant, f"?limit={limit}")

    assert body["data"]["templates"] == []
    assert body["data"]["pagination"] == {"page": 1, "limit": limit, "total": total, "totalPages": pages}


async def test_a_name_that_finds_nothing_is_a_404_with_names_like_it(
    gateway: Gateway, tenant: Tenant, templates: TemplatesStandIn
) -> None:
    details = [{"field": "name", "message": "no", "close_matches": ["invoice_ready"]}]
    templates.error = NotFoundError("did you mean invoice_ready?", code="template_not_found", details=details)

    status, body = await get(gateway.public, tenant, "/invoice_redy")

    assert (status, body["success"], body["error"]) == (404, False, "did you mean invoice_ready?")
    assert (body["code"], body["details"]) == ("template_not_found", details)


@pytest.mark.parametrize("name", ["a" * 513, "%00", "a%0Ab"])
async def test_a_name_that_no_template_can_have_is_a_404(
    gateway: Gateway, tenant: Tenant, templates: TemplatesStandIn, name: str
) -> None:
    status, body = await get(gateway.public, tenant, f"/{name}")

    assert (status, body["code"], templates.asked) == (404, "template_not_found", [])


async def test_templates_being_away_is_a_503(gateway: Gateway, tenant: Tenant, templates: TemplatesStandIn) -> None:
    templates.error = ServiceUnavailableError("the phone number could not be looked up in time")

    status, body = await get(gateway.public, tenant)

    assert (status, isinstance(body["error"], str)) == (503, True)


async def test_the_key_needs_read_templates_and_nothing_else(gateway: Gateway, templates: TemplatesStandIn) -> None:
    others = ["send_text", "send_media", "send_template", "send_interactive"]
    without = await make_tenant(gateway, "usr_1", permissions=others)
    with_it = await make_tenant(gateway, "usr_2", permissions=["read_templates"])

    for path in ("", "/invoice_ready"):
        refused, body = await get(gateway.public, without, path)
        allowed, _ = await get(gateway.public, with_it, path)

        assert (refused, body["error"]) == (403, "The API key lacks the permission read_templates")
        assert allowed == 200


async def test_a_wrong_key_or_number_is_refused_as_everywhere(
    gateway: Gateway, tenant: Tenant, templates: TemplatesStandIn
) -> None:
    other = await make_tenant(gateway, "usr_2")
    path = "/api/external/templates"
    missing = await gateway.public.get(f"{path}/{tenant.encoded_phone_id}")
    foreign = await gateway.public.get(f"{path}/{other.encoded_phone_id}", headers=tenant.headers)
    unknown = await gateway.public.get(f"{path}/cG5fbm9ib2R5/hello", headers=tenant.headers)
    broken = await gateway.public.get(f"{path}/%21%21", headers=tenant.headers)

    assert [answer.status for answer in (missing, foreign, unknown, broken)] == [401, 403, 403, 400]
    assert templates.asked == []


async def test_an_instagram_account_has_no_templates(gateway: Gateway, templates: TemplatesStandIn) -> None:
    tenant = await make_tenant(gateway, number={"platform": "instagram", "waba_id": None})

    status, body = await get(gateway.public, tenant)

    assert (status, body["code"], templates.asked) == (400, "not_whatsapp", [])


async def test_templates_cannot_be_written_over_the_external_api(gateway: Gateway, tenant: Tenant) -> None:
    path = f"/api/external/templates/{tenant.encoded_phone_id}"

    answer = await gateway.public.post(path, json={}, headers=tenant.headers)

    assert (answer.status, (await answer.json())["success"]) == (405, False)
