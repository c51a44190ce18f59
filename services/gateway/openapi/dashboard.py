"""The dashboard API and the operator's routes, described."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from services.gateway.openapi import dashboard_models as models
from services.gateway.openapi.document import Api
from services.gateway.openapi.operations import Answer, Operation, Parameter, RequestBody
from services.gateway.schemas.admin import ChangeApiKeyBody, CreateApiKeyBody, CreateWebhookBody
from services.gateway.schemas.dashboard import AddPhoneNumberBody, CreateUserBody, SyncTemplatesBody

_IDENTIFIER = {"type": "string", "pattern": "^[A-Za-z0-9_.:+@-]{1,128}$"}
_EVERYWHERE = {
    401: "A credential was sent, or is needed, and does not hold.",
    403: "This address or origin may not use the dashboard API.",
    421: "The Host header names none of our hosts.",
    500: "A fault of ours.",
    503: "Broker, database or a service is away; try again after `Retry-After`.",
}
_WITH_BODY = {
    409: "It exists already, belongs to another, or a request with this `Idempotency-Key` is still being worked on.",
    413: "The body is larger than 1 MiB.",
    415: "The body is not sent as plain JSON.",
    422: "The `Idempotency-Key` was used with another body.",
}
_INVALID = {400: "A field or parameter is missing or not valid; `details` names each."}
_UNKNOWN = {404: "There is no such thing, or it belongs to another user."}
_LATE = {504: "This takes longer than usual and goes on; the message says what shows the result."}
_META = {502: "Meta refused, or could not be reached."}
_HEADERS = {401: ("WWW-Authenticate",), 503: ("Retry-After",)}

_IDEMPOTENCY = Parameter(
    "Idempotency-Key",
    "header",
    "Any text of your own for this request. Repeated with the same body within 24 hours, the work is done once and the "
    "first answer given again.",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x20-\\x7e]+$"},
)
_USER = Parameter("user_id", "query", "Whose they are.", _IDENTIFIER, "usr_123", required=True)
_USER_EXAMPLE = {"user_id": "usr_123", "email": "ravi@example.com", "company_name": "Acme"}
_NUMBER_EXAMPLE = {
    "user_id": "usr_123",
    "platform": "whatsapp",
    "meta_phone_number_id": "106540352242922",
    "access_token": "EAAGm0PX4ZCpsBA",
    "display_name": "Acme support",
    "waba_id": "102290129340398",
}


def _id(name: str, description: str, example: str) -> Parameter:
    return Parameter(name, "path", description, {"type": "string", "minLength": 1}, example, required=True)


def _answers(status: int, model: type[BaseModel], description: str, *errors: Mapping[int, str]) -> Mapping[int, Answer]:
    texts = {code: text for more in (*errors, _EVERYWHERE) for code, text in more.items()}
    refusals = {code: Answer(text, (models.RefusedAnswer,), {}, _HEADERS.get(code, ())) for code, text in texts.items()}
    return {status: Answer(description, (model,)), **dict(sorted(refusals.items()))}


def _open(tag: str, **rest: Any) -> Operation:
    return Operation(tag=tag, access="open", **rest)


def _admin(tag: str, **rest: Any) -> Operation:
    return Operation(tag=tag, access="admin", **rest)


_USERS = (
    _open(
        "Users",
        method="post",
        path="/api/v1/users",
        name="createUser",
        summary="Create a user",
        description="The id is the caller's choice.",
        parameters=(_IDEMPOTENCY,),
        body=RequestBody.of(CreateUserBody, _USER_EXAMPLE),
        answers=_answers(201, models.NewUserAnswer, "The user.", _INVALID, _WITH_BODY),
    ),
    _open(
        "Users",
        method="get",
        path="/api/v1/users/{user_id}",
        name="getUser",
        summary="Get a user",
        description="With the present credits.",
        parameters=(_id("user_id", "The user's id.", "usr_123"),),
        answers=_answers(200, models.UserAnswer, "The user.", _UNKNOWN),
    ),
)
_NUMBERS = (
    _open(
        "Phone numbers",
        method="get",
        path="/api/v1/phone-numbers",
        name="listPhoneNumbers",
        summary="List a user's phone numbers",
        description="Newest first; none for an unknown user.",
        parameters=(
            _USER,
            Parameter(
                "platform",
                "query",
                "Of one platform.",
                {"type": "string", "enum": ["whatsapp", "instagram", "webchat"]},
            ),
        ),
        answers=_answers(200, models.NumbersAnswer, "The numbers.", _INVALID),
    ),
    _open(
        "Phone numbers",
        method="post",
        path="/api/v1/phone-numbers",
        name="addPhoneNumber",
        summary="Add a phone number",
        description="A number, and a WhatsApp Business Account, belongs to one user.",
        parameters=(_IDEMPOTENCY,),
        body=RequestBody.of(AddPhoneNumberBody, _NUMBER_EXAMPLE),
        answers=_answers(201, models.NewNumberAnswer, "The number.", _INVALID, _UNKNOWN, _WITH_BODY, _LATE),
    ),
    _open(
        "Phone numbers",
        method="get",
        path="/api/v1/phone-numbers/{phone_number_id}",
        name="getPhoneNumber",
        summary="Get a phone number",
        description="With its agent.",
        parameters=(_id("phone_number_id", "Our id of the number.", "pn_3k9d"),),
        answers=_answers(200, models.NumberAnswer, "The number.", _UNKNOWN),
    ),
)
_TEMPLATES = (
    _open(
        "Templates",
        method="get",
        path="/api/v1/templates",
        name="listDashboardTemplates",
        summary="List the templates of a number's WhatsApp Business Account",
        description="Newest first.",
        parameters=(
            Parameter("phone_number_id", "query", "Our id of a number.", _IDENTIFIER, "pn_3k9d", required=True),
            Parameter(
                "status",
                "query",
                "Meta's status in either case; `all` for templates of every status.",
                {"type": "string", "pattern": "^[A-Za-z_]{1,40}$", "default": "APPROVED"},
            ),
        ),
        answers=_answers(200, models.DashboardTemplatesAnswer, "The templates.", _INVALID, _UNKNOWN),
    ),
    _open(
        "Templates",
        method="post",
        path="/api/v1/templates/sync",
        name="syncTemplates",
        summary="Bring templates over from Meta",
        description="Imports what is approved, and refreshes what is known.",
        parameters=(_IDEMPOTENCY,),
        body=RequestBody.of(SyncTemplatesBody, {"user_id": "usr_123", "phone_number_id": "pn_3k9d"}),
        answers=_answers(200, models.SyncAnswer, "What was done.", _INVALID, _UNKNOWN, _WITH_BODY, _META, _LATE),
    ),
)
_KEYS = (
    _admin(
        "API keys",
        method="post",
        path="/admin/api-keys",
        name="createApiKey",
        summary="Create an API key",
        description="The token is shown this once.",
        parameters=(_IDEMPOTENCY,),
        body=RequestBody.of(
            CreateApiKeyBody, {"user_id": "usr_123", "phone_number_id": "pn_3k9d", "name": "Shop back end"}
        ),
        answers=_answers(201, models.NewKeyAnswer, "The key.", _INVALID, _UNKNOWN, _WITH_BODY),
    ),
    _admin(
        "API keys",
        method="get",
        path="/admin/api-keys",
        name="listApiKeys",
        summary="List a user's API keys",
        description="Without their tokens.",
        parameters=(_USER,),
        answers=_answers(200, models.KeysAnswer, "The keys.", _INVALID),
    ),
    _admin(
        "API keys",
        method="patch",
        path="/admin/api-keys/{key_id}",
        name="changeApiKey",
        summary="Change an API key",
        description="The next request with it already meets the change.",
        parameters=(_id("key_id", "The key's id.", "key_AbCd1234"),),
        body=RequestBody.of(ChangeApiKeyBody, {"permissions": ["send_text", "send_interactive"]}),
        answers=_answers(
            200, models.KeyAnswer, "The key.", _INVALID, _UNKNOWN, {413: _WITH_BODY[413], 415: _WITH_BODY[415]}
        ),
    ),
    _admin(
        "API keys",
        method="delete",
        path="/admin/api-keys/{key_id}",
        name="deleteApiKey",
        summary="Revoke an API key",
        description="It is refused from the next request on.",
        parameters=(_id("key_id", "The key's id.", "key_AbCd1234"),),
        answers=_answers(200, models.Done, "It is revoked.", _UNKNOWN),
    ),
)
_WEBHOOKS = (
    _admin(
        "Webhooks",
        method="post",
        path="/admin/webhooks",
        name="createWebhook",
        summary="Subscribe a URL to a user's events",
        description="The secret is shown this once.",
        parameters=(_IDEMPOTENCY,),
        body=RequestBody.of(
            CreateWebhookBody,
            {"user_id": "usr_123", "url": "https://shop.example.com/hooks/waapi", "events": ["message.sent"]},
        ),
        answers=_answers(201, models.NewWebhookAnswer, "The webhook.", _INVALID, _UNKNOWN, _WITH_BODY, _LATE),
    ),
    _admin(
        "Webhooks",
        method="get",
        path="/admin/webhooks",
        name="listWebhooks",
        summary="List a user's webhooks",
        description="Without their secrets.",
        parameters=(_USER,),
        answers=_answers(200, models.WebhooksAnswer, "The webhooks.", _INVALID),
    ),
    _admin(
        "Webhooks",
        method="delete",
        path="/admin/webhooks/{webhook_id}",
        name="deleteWebhook",
        summary="Delete a webhook",
        description="Nothing more is delivered.",
        parameters=(_id("webhook_id", "The webhook's id.", "wh_3k9d"),),
        answers=_answers(200, models.Done, "It is deleted.", _UNKNOWN, _LATE),
    ),
)

DASHBOARD_API = Api(
    title="WAAPI dashboard API",
    version="1.0.0",
    description="What the dashboard and its operators use, on the private listener. The dashboard API asks for no "
    "login; `/admin` asks for an operator's token.",
    tags={
        "Users": "Businesses with their own numbers, keys and credits.",
        "Phone numbers": "Channels to customers.",
        "Templates": "What Meta has approved.",
        "API keys": "Who may use the external send API.",
        "Webhooks": "Who hears what happens.",
    },
    operations=(*_USERS, *_NUMBERS, *_TEMPLATES, *_KEYS, *_WEBHOOKS),
)
