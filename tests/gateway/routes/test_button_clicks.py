"""Taps on buttons in the documented shapes; and the nine old routes below /admin."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from shared.contracts import button_clicks as contracts
from shared.contracts.templates import ListTemplates, SyncResult, SyncTemplates, Templates
from tests.gateway.conftest import NOON, Gateway
from tests.gateway.routes.test_template_drafts import BODY, NOON_TEXT, DraftsStandIn, call, service

__all__ = ["service"]

CLICK = contracts.ButtonClick(
    click_id="click_001",
    template_id="tpl_abc123",
    button_id="get_started",
    button_text="Get Started",
    customer_phone="+14155551234",
    clicked_at=NOON,
)


@dataclass
class ClicksStandIn:
    """Answers what the gateway asks about taps."""

    asked: list[Any] = field(default_factory=list)

    async def of_template(self, query: contracts.GetTemplateButtonClicks) -> contracts.TemplateButtonClicks:
        """The sample of the dashboard API."""
        self.asked.append(query)
        rows = [("get_started", "Get Started", 45, 32), ("learn_more", "Learn More", 28, 25)]
        return contracts.TemplateButtonClicks(
            template_id=query.template_id,
            template_name="promo_offer",
            buttons=tuple(
                contracts.ButtonCount(
                    button_id=button, button_text=text, type="QUICK_REPLY", total_clicks=total, unique_clicks=unique
                )
                for button, text, total, unique in rows
            ),
            total_clicks=73,
        )

    async def listed(self, query: contracts.ListButtonClicks) -> contracts.ButtonClicks:
        """One of 150."""
        self.asked.append(query)
        return contracts.ButtonClicks(items=(CLICK,), total=150)

    async def of_lead(self, query: contracts.GetLeadButtonActivity) -> contracts.LeadButtonActivity:
        """One button, tapped five times."""
        self.asked.append(query)
        tapped = contracts.ClickedOnce(template_name="promo_offer", button_text="Get Started", clicked_at=NOON)
        return contracts.LeadButtonActivity(buttons_clicked=(tapped,), total_clicks=5)


@pytest.fixture
async def clicks(gateway: Gateway) -> ClicksStandIn:
    """The stand-in, registered."""
    standing_in = ClicksStandIn()
    gateway.bus.on(contracts.GetTemplateButtonClicks, standing_in.of_template)
    gateway.bus.on(contracts.ListButtonClicks, standing_in.listed)
    gateway.bus.on(contracts.GetLeadButtonActivity, standing_in.of_lead)
    return standing_in


async def test_a_templates_taps_are_shown_as_documented(gateway: Gateway, clicks: ClicksStandIn) -> None:
    status, answer = await call(gateway, "GET", "/api/v1/templates/tpl_abc123/button-clicks")

    assert status == 200
    assert answer["data"] == {
        "template_id": "tpl_abc123",
        "template_name": "promo_offer",
        "buttons": [
            {
                "button_id": "get_started",
                "button_text": "Get Started",
                "type": "QUICK_REPLY",
                "total_clicks": 45,
                "unique_clicks": 32,
            },
            {
                "button_id": "learn_more",
                "button_text": "Learn More",
                "type": "QUICK_REPLY",
                "total_clicks": 28,
                "unique_clicks": 25,
            },
        ],
        "total_clicks": 73,
    }


async def test_a_page_of_taps_is_shown_as_documented(gateway: Gateway, clicks: ClicksStandIn) -> None:
    status, answer = await call(gateway, "GET", "/api/v1/button-clicks?user_id=usr_1")

    assert status == 200
    assert list(answer)[:3] == ["success", "data", "pagination"]
    assert answer["data"] == [
        {
            "click_id": "click_001",
            "template_id": "tpl_abc123",
            "button_id": "get_started",
            "button_text": "Get Started",
            "customer_phone": "+14155551234",
            "clicked_at": NOON_TEXT,
        }
    ]
    assert answer["pagination"] == {"total": 150, "limit": 50, "offset": 0}


async def test_a_page_is_chosen_by_template_limit_and_offset(gateway: Gateway, clicks: ClicksStandIn) -> None:
    await call(gateway, "GET", "/api/v1/button-clicks?user_id=usr_1&template_id=tpl_1&limit=200&offset=400")

    assert clicks.asked == [contracts.ListButtonClicks(user_id="usr_1", template_id="tpl_1", limit=200, offset=400)]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "user_id query parameter is required"),
        ("?user_id=usr_1&limit=0", "limit query parameter must be a whole number from 1 to 200"),
        ("?user_id=usr_1&limit=201", "limit query parameter must be a whole number from 1 to 200"),
        ("?user_id=usr_1&offset=-1", "offset query parameter must be a whole number of at least 0"),
        ("?user_id=usr_1&offset=x", "offset query parameter must be a whole number of at least 0"),
        (
            "?user_id=usr_1&template_id=%24ne",
            "template_id query parameter must have 1 to 128 letters, digits or _ . : + @ -",
        ),
    ],
)
async def test_a_wrong_page_names_the_parameter(
    gateway: Gateway, clicks: ClicksStandIn, query: str, message: str
) -> None:
    status, answer = await call(gateway, "GET", f"/api/v1/button-clicks{query}")

    assert (status, answer["message"]) == (400, message)
    assert clicks.asked == []


@pytest.mark.parametrize("written", ["%2B14155551234", "+14155551234", "%2014155551234", "14155551234"])
async def test_a_lead_is_found_however_its_number_is_written(
    gateway: Gateway, clicks: ClicksStandIn, written: str
) -> None:
    status, answer = await call(gateway, "GET", f"/api/v1/leads/{written}/button-activity?user_id=usr_1")

    assert status == 200
    assert answer["data"] == {
        "customer_phone": "+14155551234",
        "buttons_clicked": [{"template_name": "promo_offer", "button_text": "Get Started", "clicked_at": NOON_TEXT}],
        "total_clicks": 5,
    }
    assert clicks.asked == [contracts.GetLeadButtonActivity(user_id="usr_1", customer_phone="+14155551234")]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("%2B14155551234/button-activity", "user_id query parameter is required"),
        (
            "anna/button-activity?user_id=usr_1",
            "customer_phone must be a phone number with its country code, e.g. +14155551234",
        ),
    ],
)
async def test_a_wrong_lead_is_refused(gateway: Gateway, clicks: ClicksStandIn, path: str, message: str) -> None:
    status, answer = await call(gateway, "GET", f"/api/v1/leads/{path}")

    assert (status, answer["message"]) == (400, message)


@dataclass
class OldListStandIn:
    """The list and the sync, which the old routes know as well."""

    asked: list[Any] = field(default_factory=list)

    async def list_templates(self, query: ListTemplates) -> Templates:
        """None."""
        self.asked.append(query)
        return Templates(items=())

    async def sync_templates(self, command: SyncTemplates) -> SyncResult:
        """Nothing."""
        self.asked.append(command)
        return SyncResult(imported=(), updated=(), errors=())


@pytest.fixture
def old(gateway: Gateway) -> OldListStandIn:
    """The stand-in, registered."""
    standing_in = OldListStandIn()
    gateway.bus.on(ListTemplates, standing_in.list_templates)
    gateway.bus.on(SyncTemplates, standing_in.sync_templates)
    return standing_in


SYNC = {"user_id": "usr_1", "phone_number_id": "pn_1"}
OLD_SYNC = {"userId": "usr_1", "phoneNumberId": "pn_1"}
OLD_BODY = {name: value for name, value in BODY.items() if name not in SYNC} | OLD_SYNC
LEAD = "/leads/%2B14155551234/button-activity"
NINE: list[tuple[str, str, str, Any]] = [
    ("GET", "/templates?phone_number_id=pn_1", "/templates?phoneNumberId=pn_1", None),
    ("GET", "/templates/tpl_1", "/templates/tpl_1", None),
    ("POST", "/templates", "/templates", OLD_BODY),
    ("POST", "/templates/tpl_1/submit", "/templates/tpl_1/submit", None),
    ("POST", "/templates/sync", "/templates/sync", OLD_SYNC),
    ("DELETE", "/templates/tpl_1", "/templates/tpl_1", None),
    ("GET", "/templates/tpl_1/button-clicks", "/templates/tpl_1/button-clicks", None),
    ("GET", "/button-clicks?user_id=usr_1&template_id=tpl_1", "/button-clicks?userId=usr_1&templateId=tpl_1", None),
    ("GET", f"{LEAD}?user_id=usr_1", f"{LEAD}?userId=usr_1", None),
]


@pytest.mark.parametrize(("method", "new_path", "old_path", "body"), NINE)
async def test_an_old_route_does_what_the_new_one_does_in_either_spelling(
    gateway: Gateway,
    service: DraftsStandIn,
    clicks: ClicksStandIn,
    old: OldListStandIn,
    *,
    method: str,
    new_path: str,
    old_path: str,
    body: Any,
) -> None:
    new_body = {"userId": "user_id", "phoneNumberId": "phone_number_id"}
    today = {new_body.get(name, name): value for name, value in body.items()} if body else None

    status, expected = await call(gateway, method, f"/api/v1{new_path}", json=today)
    for path, sent in ((new_path, today), (old_path, body)):
        response = await gateway.admin(method, f"/admin{path}", json=sent)
        answer = await response.json()
        assert (response.status, answer.get("data"), answer.get("message")) == (
            status,
            expected.get("data"),
            expected.get("message"),
        )
        assert response.headers["Deprecation"] == "@1765584000"
        assert response.headers["Link"] == f'</api/v1{path.partition("?")[0]}>; rel="successor-version"'


@pytest.mark.parametrize(("method", "_new", "path", "body"), NINE)
async def test_an_old_route_wants_an_operators_token(
    gateway: Gateway, service: DraftsStandIn, method: str, _new: str, path: str, body: Any
) -> None:
    status, answer = await call(gateway, method, f"/admin{path}", json=body)

    assert (status, answer["error"]) == (401, "Unauthorized")
    assert service.asked == []


async def test_an_old_route_names_a_missing_parameter_as_today(gateway: Gateway) -> None:
    response = await gateway.admin("GET", "/admin/templates")

    assert (response.status, (await response.json())["message"]) == (400, "phone_number_id query parameter is required")
