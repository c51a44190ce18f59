"""Examples: the life of a template, and who tapped its buttons."""

from shared.contracts import button_clicks, template_drafts
from shared.contracts.base import Message
from tests.contracts.samples.basics import NUMBER_ID, PHONE, USER_ID

TEMPLATE_ID = "tpl_9aB1cD2eF3gH4iJ5kL6mN7"
_COMPONENTS = ({"type": "BODY", "text": "Hi {{1}}! Your order is on its way.", "example": {"body_text": [["John"]]}},)
_VARIABLES = (
    template_drafts.VariableInput(
        variable_name="customer_name",
        position=1,
        extraction_field="name",
        default_value="Customer",
        sample_value="John",
        description="Customer's name",
        placeholder="e.g., John Smith",
    ),
)

EXAMPLES: tuple[Message, ...] = (
    template_drafts.CreateTemplate(
        template_id=TEMPLATE_ID,
        user_id=USER_ID,
        phone_number_id=NUMBER_ID,
        name="order_update",
        category="UTILITY",
        language="en",
        components=_COMPONENTS,
        variables=_VARIABLES,
    ),
    template_drafts.EditTemplate(template_id=TEMPLATE_ID, components=_COMPONENTS),
    template_drafts.SetTemplateVariables(template_id=TEMPLATE_ID, variables=_VARIABLES),
    template_drafts.SubmitTemplate(template_id=TEMPLATE_ID),
    template_drafts.DeleteTemplate(template_id=TEMPLATE_ID),
    template_drafts.GetTemplate(template_id=TEMPLATE_ID),
    button_clicks.GetTemplateButtonClicks(template_id=TEMPLATE_ID),
    button_clicks.ListButtonClicks(user_id=USER_ID, template_id=TEMPLATE_ID, offset=50),
    button_clicks.GetLeadButtonActivity(user_id=USER_ID, customer_phone=PHONE),
)
