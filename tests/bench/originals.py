"""One of everything that the dashboard shows, made through the API: what `tests.bench.stored` then copies."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.product.api import Api
from tests.product.tenants import Tenant, add_tenant
from tests.product.waiting import seen

TENANT_NUMBER = 7_001
CUSTOMER = "+4915155500000"
TEMPLATE = "seen_by_all"
BODY = {"type": "BODY", "text": "Hi {{1}}, spring is here!", "example": {"body_text": [["Ana"]]}}
BUTTONS = {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Get Started"}]}


@dataclass(frozen=True, slots=True)
class Original:
    """A tenant with one of each, by id."""

    tenant: Tenant
    template_id: str
    message_id: str
    conversation_id: str
    contact_id: str
    campaign_id: str
    agent_id: str

    @property
    def phone_number_id(self) -> str:
        """Its only number."""
        return self.tenant.lines[0].phone_number_id


def make(api: Api) -> Original:
    """A message of a template to a customer who taps on it, its delivery to a vendor, an agent and a campaign."""
    tenant = add_tenant(api, TENANT_NUMBER)
    number = tenant.lines[0]
    api.made(f"/admin/users/{tenant.user_id}/credits", {"credits": 1_000})
    template_id = _approved(api, tenant)
    asked = {"phone_number_id": number.phone_number_id, "template_id": template_id}
    message = api.made("/api/v1/send", asked | {"contact": {"phone": CUSTOMER, "name": "Ana"}, "variables": {"1": "A"}})
    tap = {"type": "button", "button": {"payload": "get_started", "text": "Get Started"}}
    who = {"phone_number_id": number.meta_phone_number_id, "from": CUSTOMER.lstrip("+")}
    api.control("POST", "inbound", tap | who | {"context_id": message["message_id"]})
    campaign = api.made(
        "/api/v1/campaign", asked | {"name": "Spring", "contacts": [{"phone": CUSTOMER, "variables": {"1": "A"}}]}
    )
    [contact] = seen(_ask(api, f"/api/v1/contacts?user_id={tenant.user_id}"))
    seen(_ask(api, f"/admin/webhooks/{tenant.webhook_id}/deliveries?status=delivered"))
    seen(_ask(api, f"/api/v1/button-clicks?user_id={tenant.user_id}"))
    return Original(
        tenant,
        template_id,
        message_id=message["message_id"],
        conversation_id=message["conversation_id"].removeprefix("conv_"),
        contact_id=contact["contact_id"],
        campaign_id=campaign["campaign_id"],
        agent_id=_agent(api, tenant),
    )


def _approved(api: Api, tenant: Tenant) -> str:
    template = {"name": TEMPLATE, "language": "en_US", "category": "MARKETING", "components": [BODY, BUTTONS]}
    api.control("POST", "templates", {"waba_id": tenant.waba_id, **template})
    api.made(*tenant.sync())
    listed = _ask(api, f"/api/v1/templates?phone_number_id={tenant.lines[0].phone_number_id}")()
    return next(str(each["template_id"]) for each in listed if each["name"] == TEMPLATE)


def _agent(api: Api, tenant: Tenant) -> str:
    prompt = {"user_id": tenant.user_id, "prompt_id": "prompt_seen", "instructions": "Echo."}
    api.made("/admin/prompts", prompt)
    number = {"user_id": tenant.user_id, "phone_number_id": tenant.lines[0].phone_number_id}
    return str(api.made("/api/v1/agents", number | {"prompt_id": "prompt_seen", "name": "Bench"})["agent_id"])


def _ask(api: Api, path: str) -> Callable[[], list[Any]]:
    """A question for a list."""

    def ask() -> list[Any]:
        answer = api.call("GET", path)
        assert answer.is_success, f"GET {path} answered {answer.status_code}: {answer.text}"
        data = answer.json()["data"]
        return list(data if isinstance(data, list) else next(iter(data.values())))

    return ask
