"""Templates and taps on their buttons, described; and the nine old routes that do the same."""

from dataclasses import replace

from services.gateway.openapi import dashboard_models as models
from services.gateway.openapi import template_models
from services.gateway.openapi.dashboard_parts import (
    CHANGED_BODY,
    CONFLICT,
    IDEMPOTENCY,
    IDENTIFIER,
    INVALID,
    LATE,
    LIMIT,
    META,
    UNKNOWN,
    USER,
    WITH_BODY,
    answers,
    dashboard_operation,
    in_path,
)
from services.gateway.openapi.operations import Operation, Parameter, RequestBody
from services.gateway.schemas.dashboard import SyncTemplatesBody
from services.gateway.schemas.template_drafts import ChangeTemplateBody, CreateTemplateBody, TemplateVariablesBody

TEMPLATES_TAG, CLICKS_TAG = "Templates", "Button analytics"
_ALL = "/api/v1/templates"
_ONE = f"{_ALL}/{{template_id}}"
_ID = in_path("template_id", "Our id of the template.", "tpl_3k9d")
_NUMBER = Parameter("phone_number_id", "query", "Our id of a number.", IDENTIFIER, "pn_3k9d", required=True)
_STATUS = Parameter(
    "status",
    "query",
    "Meta's status in either case; `all` for templates of every status.",
    {"type": "string", "pattern": "^[A-Za-z_]{1,40}$", "default": "APPROVED"},
)
_VARIABLES = [
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
]
_COMPONENTS = [
    {
        "type": "BODY",
        "text": "Hi {{1}}! Your order #{{2}} status: {{3}}",
        "example": {"body_text": [["John", "12345", "shipped"]]},
    }
]
_DRAFT = {
    "user_id": "usr_123",
    "phone_number_id": "pn_3k9d",
    "name": "order_update",
    "category": "UTILITY",
    "language": "en",
    "components": _COMPONENTS,
    "variables": _VARIABLES,
}

_TEMPLATES = (
    dashboard_operation(
        TEMPLATES_TAG,
        method="get",
        path=_ALL,
        name="listDashboardTemplates",
        summary="List the templates of a number's WhatsApp Business Account",
        description="Newest first.",
        parameters=(_NUMBER, _STATUS),
        answers=answers(200, models.DashboardTemplatesAnswer, "The templates.", INVALID, UNKNOWN),
    ),
    dashboard_operation(
        TEMPLATES_TAG,
        method="get",
        path=_ONE,
        name="getDashboardTemplate",
        summary="Get a template",
        description="With its variables and what became of messages with it.",
        parameters=(_ID,),
        answers=answers(200, template_models.TemplateDetailsAnswer, "The template.", UNKNOWN),
    ),
    dashboard_operation(
        TEMPLATES_TAG,
        method="post",
        path=_ALL,
        name="createTemplate",
        summary="Draft a template",
        description="Meta hears of it when it is submitted; `warnings` say what it will refuse.",
        parameters=(IDEMPOTENCY,),
        body=RequestBody.of(CreateTemplateBody, _DRAFT),
        answers=answers(201, template_models.DraftedTemplateAnswer, "The draft.", INVALID, UNKNOWN, WITH_BODY, LATE),
    ),
    dashboard_operation(
        TEMPLATES_TAG,
        method="patch",
        path=_ONE,
        name="changeTemplate",
        summary="Change a draft, or a template that was rejected",
        description="A rejected one is submitted again afterwards. Name and language are fixed once Meta knows it.",
        parameters=(_ID,),
        body=RequestBody.of(ChangeTemplateBody, {"components": _COMPONENTS}),
        answers=answers(
            200,
            template_models.DraftedTemplateAnswer,
            "The draft.",
            INVALID,
            UNKNOWN,
            CONFLICT,
            CHANGED_BODY,
            LATE,
        ),
    ),
    dashboard_operation(
        TEMPLATES_TAG,
        method="put",
        path=f"{_ONE}/variables",
        name="setTemplateVariables",
        summary="Say what a template's variables are",
        description="In any status. What is not said of a variable is forgotten.",
        parameters=(_ID,),
        body=RequestBody.of(TemplateVariablesBody, {"variables": _VARIABLES}),
        answers=answers(
            200,
            template_models.TemplateDetailsAnswer,
            "The template.",
            INVALID,
            UNKNOWN,
            CONFLICT,
            CHANGED_BODY,
            LATE,
        ),
    ),
    dashboard_operation(
        TEMPLATES_TAG,
        method="post",
        path=f"{_ONE}/submit",
        name="submitTemplate",
        summary="Submit a template to Meta",
        description="A draft, or one that was rejected. Samples of media headers are uploaded first. When Meta "
        "refuses, the template stays what it was, with Meta's words as its `status_reason`.",
        parameters=(_ID, IDEMPOTENCY),
        answers=answers(200, template_models.SubmittedAnswer, "Meta has it.", INVALID, UNKNOWN, WITH_BODY, META, LATE),
    ),
    dashboard_operation(
        TEMPLATES_TAG,
        method="post",
        path=f"{_ALL}/sync",
        name="syncTemplates",
        summary="Bring templates over from Meta",
        description="Imports what is approved, and refreshes what is known.",
        parameters=(IDEMPOTENCY,),
        body=RequestBody.of(SyncTemplatesBody, {"user_id": "usr_123", "phone_number_id": "pn_3k9d"}),
        answers=answers(200, models.SyncAnswer, "What was done.", INVALID, UNKNOWN, WITH_BODY, META, LATE),
    ),
    dashboard_operation(
        TEMPLATES_TAG,
        method="delete",
        path=_ONE,
        name="deleteTemplate",
        summary="Delete a template",
        description="This language only, here and at Meta. Not while a campaign uses it.",
        parameters=(_ID,),
        answers=answers(200, models.Done, "It is deleted.", INVALID, UNKNOWN, CONFLICT, META, LATE),
    ),
)
_CLICKS = (
    dashboard_operation(
        CLICKS_TAG,
        method="get",
        path=f"{_ONE}/button-clicks",
        name="getTemplateButtonClicks",
        summary="Count the taps on a template's buttons",
        description="Buttons that nobody tapped are listed, too. Deleted templates keep their counts.",
        parameters=(_ID,),
        answers=answers(200, template_models.TemplateClicksAnswer, "The counts.", UNKNOWN),
    ),
    dashboard_operation(
        CLICKS_TAG,
        method="get",
        path="/api/v1/button-clicks",
        name="listButtonClicks",
        summary="List a user's taps",
        description="Newest first.",
        parameters=(
            USER,
            Parameter("template_id", "query", "Of one template.", IDENTIFIER, "tpl_3k9d"),
            LIMIT,
            Parameter(
                "offset",
                "query",
                "Taps to pass over.",
                {"type": "integer", "minimum": 0, "maximum": 999_999_999, "default": 0},
            ),
        ),
        answers=answers(200, template_models.ClicksAnswer, "The taps.", INVALID),
    ),
    dashboard_operation(
        CLICKS_TAG,
        method="get",
        path="/api/v1/leads/{customer_phone}/button-activity",
        name="getLeadButtonActivity",
        summary="Show what a customer tapped",
        description="Each button once. Nothing for a customer who is not known.",
        parameters=(
            Parameter(
                "customer_phone",
                "path",
                "The customer's number, with `+`, `%2B`, a space or nothing before it.",
                {"type": "string", "pattern": "^[+ ]?[1-9][0-9]{6,14}$"},
                "+14155551234",
                required=True,
            ),
            USER,
        ),
        answers=answers(200, template_models.LeadActivityAnswer, "What was tapped.", INVALID),
    ),
)

TEMPLATE_OPERATIONS = (*_TEMPLATES, *_CLICKS)


def _old(operation: Operation) -> Operation:
    """The same operation as the dashboard knew it before."""
    name = f"{operation.name[0].upper()}{operation.name[1:]}"
    headers = ("Deprecation", "Link")
    old_answers = {
        status: replace(answer, headers=(*answer.headers, *headers)) if status < 300 else answer
        for status, answer in operation.answers.items()
    }
    return replace(
        operation,
        path=operation.path.replace("/api/v1", "/admin", 1),
        name=f"old{name}",
        description=f"{operation.description} Moved to `{operation.path}`; `userId`, `phoneNumberId` and `templateId` "
        "are understood as well.",
        access="admin",
        answers=old_answers,
        deprecated=True,
    )


_NEWER = {"changeTemplate", "setTemplateVariables"}
OLD_OPERATIONS = tuple(_old(operation) for operation in TEMPLATE_OPERATIONS if operation.name not in _NEWER)
