"""Drafts for tests: the dashboard API's own example, and what is done to it."""

from typing import Any

from shared.contracts.campaigns import TemplateInUse, TemplateUse
from shared.contracts.template_drafts import (
    CreateTemplate,
    DeleteTemplate,
    EditTemplate,
    GetTemplate,
    SubmittedTemplate,
    SubmitTemplate,
    TemplateDetails,
    TemplateDraft,
    VariableInput,
)
from tests.templates.stage import Stage

ORDER_UPDATE: dict[str, Any] = {
    "type": "BODY",
    "text": "Hi {{1}}! Your order #{{2}} status: {{3}}",
    "example": {"body_text": [["John", "12345", "shipped"]]},
}
SOUND: dict[str, Any] = {"type": "BODY", "text": "Hi {{1}}, all is well.", "example": {"body_text": [["John"]]}}
VARIABLES = (
    VariableInput(
        variable_name="customer_name",
        position=1,
        description="Customer's name",
        default_value="Customer",
        sample_value="John",
    ),
    VariableInput(
        variable_name="order_id", position=2, description="Order number", sample_value="12345", is_required=True
    ),
    VariableInput(variable_name="status", position=3, default_value="processing", sample_value="shipped"),
)


def draft(template_id: str = "tpl_1", **changes: Any) -> CreateTemplate:
    """The example of the dashboard API."""
    fields: dict[str, Any] = {
        "template_id": template_id,
        "user_id": "usr_1",
        "phone_number_id": "pn_1",
        "name": "order_update",
        "category": "UTILITY",
        "language": "en",
        "components": (ORDER_UPDATE,),
        "variables": VARIABLES,
    }
    return CreateTemplate(**(fields | changes))


def sound(template_id: str = "tpl_1", **changes: Any) -> CreateTemplate:
    """A draft that Meta takes."""
    return draft(template_id, **({"components": (SOUND,), "variables": ()} | changes))


async def create(stage: Stage, command: CreateTemplate) -> TemplateDraft:
    """As the gateway does."""
    return await stage.bus.request(command, timeout_seconds=20)


async def edit(stage: Stage, template_id: str = "tpl_1", **changes: Any) -> TemplateDraft:
    """As the gateway does."""
    return await stage.bus.request(EditTemplate(template_id=template_id, **changes), timeout_seconds=20)


async def submit(stage: Stage, template_id: str = "tpl_1") -> SubmittedTemplate:
    """As the gateway does."""
    return await stage.bus.request(SubmitTemplate(template_id=template_id), timeout_seconds=60)


async def details(stage: Stage, template_id: str = "tpl_1") -> TemplateDetails:
    """As the gateway does."""
    return await stage.bus.request(GetTemplate(template_id=template_id), timeout_seconds=30)


async def delete(stage: Stage, template_id: str = "tpl_1") -> None:
    """As the gateway does."""
    await stage.bus.request(DeleteTemplate(template_id=template_id), timeout_seconds=20)


def have_campaigns(stage: Stage, *using: str) -> None:
    """Campaigns answers; these campaigns use every template."""

    async def template_in_use(_query: TemplateInUse) -> TemplateUse:
        return TemplateUse(in_use=bool(using), campaign_ids=using)

    stage.bus.on(TemplateInUse, template_in_use)
