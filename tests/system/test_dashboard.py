"""All seventeen functions of the dashboard's own TypeScript service, as a business would use them one after another."""

from pathlib import Path
from typing import Any

import pytest

from tests.compat.dashboard_service import DashboardService
from tests.eventually import eventually
from tests.product.running import Product
from tests.product.tenants import Line, Tenant

pytestmark = pytest.mark.system

PATIENCE_SECONDS = 40
LEAD = "+4915199000777"
OTHERS = ("+4915199000778", "+4915199000779")


def draft(tenant: Tenant, line: Line, name: str) -> dict[str, Any]:
    """A template with two quick replies."""
    replies = [{"type": "QUICK_REPLY", "text": text} for text in ("Get Started", "Learn More")]
    return {
        "user_id": tenant.user_id,
        "phone_number_id": line.phone_number_id,
        "name": name,
        "category": "UTILITY",
        "language": "en",
        "components": [
            {"type": "BODY", "text": "Hi {{1}}, your order {{2}} is ready.", "example": {"body_text": [["Al", "A-1"]]}},
            {"type": "BUTTONS", "buttons": replies},
        ],
        "variables": [
            {"variable_name": "customer_name", "position": 1, "extraction_field": "name", "default_value": "Customer"},
            {"variable_name": "order_id", "position": 2, "sample_value": "A-1", "is_required": True},
        ],
    }


async def approved(service: DashboardService, line: Line, template_id: str) -> None:
    """Wait until Meta has approved a template, and the dashboard's list shows it."""

    async def is_listed() -> bool:
        return template_id in {one["template_id"] for one in await service.data("listTemplates", line.phone_number_id)}

    await eventually(is_listed, PATIENCE_SECONDS)


async def test_a_business_runs_its_dashboard(stack: Product, tenant: Tenant, line: Line, node: Path) -> None:
    async with DashboardService.running(node, stack.api.gateway) as service:
        data = service.data

        numbers = await data("listPhoneNumbers", tenant.user_id)
        synced = await data("syncTemplates", tenant.user_id, line.phone_number_id)
        template = await data("createTemplate", draft(tenant, line, "order_ready"))
        spare = await data("createTemplate", draft(tenant, line, "never_used"))
        submitted = await data("submitTemplate", template["template_id"])
        await approved(service, line, template["template_id"])

        sent = await data(
            "sendMessage",
            {
                "phone_number_id": line.phone_number_id,
                "template_id": template["template_id"],
                "contact": {"phone": LEAD, "name": "Sarah Johnson", "email": "sarah@example.com"},
                "variables": {"2": "ORD-98765"},
            },
        )
        (message,) = stack.api.messages_to(LEAD)
        stack.api.control(
            "POST",
            "inbound",
            {
                "phone_number_id": line.meta_phone_number_id,
                "from": LEAD.removeprefix("+"),
                "type": "button",
                "button": {"payload": "get_started", "text": "Get Started"},
                "context_id": sent["message_id"],
            },
        )

        async def tapped() -> Any:
            found = await data("getTemplateButtonClicks", template["template_id"])
            return found if found["total_clicks"] else None

        clicks = await eventually(tapped, PATIENCE_SECONDS)
        taps = await data("listButtonClicks", tenant.user_id, {"templateId": template["template_id"], "limit": 5})
        lead = await data("getLeadButtonActivity", LEAD, tenant.user_id)

        contacts = [{"phone": phone, "name": "John", "variables": {"2": "A-7"}} for phone in OTHERS]
        campaign = await data(
            "createCampaign",
            {
                "phone_number_id": line.phone_number_id,
                "template_id": template["template_id"],
                "name": "Ready orders",
                "auto_start": True,
                "contacts": contacts,
            },
        )

        async def completed() -> Any:
            status = await data("getCampaignStatus", campaign["campaign_id"])
            return status if status["status"] == "COMPLETED" else None

        async def counted() -> Any:
            found = await data("getTemplate", template["template_id"])
            return found if found["analytics"]["total_sends"] == 3 else None

        status = await eventually(completed, PATIENCE_SECONDS)
        found = await eventually(counted, PATIENCE_SECONDS)

        channel = await data(
            "createWebchatChannel", {"user_id": tenant.user_id, "prompt_id": "prompt_sales_bot_v1", "name": "Shop chat"}
        )
        channels = await data("listWebchatChannels", tenant.user_id)
        embed = await data("getWebchatEmbed", channel["webchat_id"])
        closed = await service.call("deleteWebchatChannel", channel["webchat_id"])
        deleted = await service.call("deleteTemplate", spare["template_id"])

    assert [number["id"] for number in numbers] == [line.phone_number_id]
    assert (synced["errors"], synced["summary"]["totalErrors"]) == ([], 0)
    assert (template["status"], template["warnings"], submitted["status"]) == ("DRAFT", [], "PENDING")
    parameters = message["body"]["template"]["components"][0]["parameters"]
    assert [parameter["text"] for parameter in parameters] == ["Sarah Johnson", "ORD-98765"]
    assert (sent["message_id"], sent["credits_remaining"]) == (message["wamid"], 99)
    assert [(button["button_id"], button["total_clicks"]) for button in clicks["buttons"]] == [
        ("get_started", 1),
        ("learn_more", 0),
    ]
    assert [(tap["button_id"], tap["customer_phone"]) for tap in taps] == [("get_started", LEAD)]
    assert (lead["customer_phone"], lead["total_clicks"]) == (LEAD, 1)
    assert (campaign["status"], campaign["total_recipients"], campaign["credits_reserved"]) == ("RUNNING", 2, 2)
    assert (status["sent_count"], status["progress_percent"]) == (2, 100)
    assert found["template"]["status"] == "APPROVED"
    assert [one["webchat_id"] for one in channels["channels"]] == [channel["webchat_id"]]
    assert f'agent-id="{channel["webchat_id"]}"' in embed["embed_code"]
    assert closed["message"] == f"Webchat channel {channel['webchat_id']} deleted successfully"
    assert deleted["message"] == "Template deleted successfully"
