"""The external send API, described."""

import json
from pathlib import Path

from services.gateway.domain.permissions import PERMISSION_FOR_TYPE
from services.gateway.openapi.document import Api
from services.gateway.openapi.external_answers import (
    AWAY,
    BAD_BODY,
    BAD_QUERY,
    FAULT,
    FORBIDDEN,
    IN_PROGRESS,
    NO_CREDITS,
    NO_TEMPLATE,
    NOT_JSON,
    NUMBER_GONE,
    OTHER_BODY,
    QUEUED,
    REFUSED_BY_META,
    SENT,
    TEMPLATES,
    TOO_LARGE,
    TOO_OFTEN,
    UNAUTHENTICATED,
)
from services.gateway.openapi.operations import Operation, Parameter, RequestBody
from services.gateway.schemas.send import SEND_BODY

_SEND_EXAMPLES = json.loads(Path(__file__).with_name("send_examples.json").read_text(encoding="utf-8"))
_PHONE = Parameter(
    "encodedPhoneId",
    "path",
    "The phone number's id in Base64, as shown with the API key. Standard and URL-safe, padded or not.",
    {"type": "string", "minLength": 1},
    "cG5fM2s5ZA",
    required=True,
)
_FILTERS = (
    Parameter(
        "status",
        "query",
        "Meta's status in either case; `all` for templates of every status.",
        {"type": "string", "pattern": "^[A-Za-z_]{1,40}$", "default": "APPROVED"},
    ),
    Parameter(
        "language",
        "query",
        "One language code, such as `en_US`.",
        {"type": "string", "pattern": "^([A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8})?)?$"},
    ),
    Parameter(
        "search",
        "query",
        "Part of the name, in either case.",
        {"type": "string", "maxLength": 100, "pattern": "^[^\\x00-\\x1f\\x7f]*$"},
    ),
    Parameter(
        "page",
        "query",
        "Page number; 10,000 templates at most can be skipped.",
        {"type": "integer", "minimum": 1, "maximum": 10001, "default": 1},
    ),
    Parameter("limit", "query", "Page size.", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}),
)

SEND_MESSAGE = Operation(
    method="post",
    path="/api/external/send-message/{encodedPhoneId}",
    name="sendMessage",
    summary="Send a message",
    description="Sends one WhatsApp message of any type from the phone number of the API key.\n\n"
    "Members that we do not know are ignored and named in `warnings`. Whether values fit an approved template is "
    "checked before Meta is asked; a recipient's number must be possible in its country.\n\n"
    "| type | permission |\n|---|---|\n"
    + "\n".join(f"| `{kind}` | `{permission}` |" for kind, permission in PERMISSION_FOR_TYPE.items()),
    tag="Messages",
    access="api_key",
    permission=PERMISSION_FOR_TYPE,
    parameters=(
        _PHONE,
        Parameter(
            "dry_run",
            "query",
            "`true`: answer with what Meta would get. Nothing is sent or stored, and Meta is not asked.",
            {"type": "string", "enum": ["false", "true"], "default": "false"},
        ),
        Parameter(
            "Idempotency-Key",
            "header",
            "Any text of your own for this request. Repeated with the same body within 24 hours, the work is done once "
            "and the first answer given again, with `Idempotent-Replayed: true`.",
            {
                "type": "string",
                "minLength": 1,
                "maxLength": 255,
                "pattern": "^[\\x21-\\x7e]([\\x20-\\x7e]*[\\x21-\\x7e])?$",
            },
            "order-12345-confirmation",
        ),
    ),
    body=RequestBody("SendMessageBody", SEND_BODY, _SEND_EXAMPLES),
    answers={
        200: SENT,
        202: QUEUED,
        400: BAD_BODY,
        401: UNAUTHENTICATED,
        402: NO_CREDITS,
        403: FORBIDDEN,
        404: NUMBER_GONE,
        409: IN_PROGRESS,
        413: TOO_LARGE,
        415: NOT_JSON,
        422: OTHER_BODY,
        429: TOO_OFTEN,
        500: FAULT,
        502: REFUSED_BY_META,
        503: AWAY,
    },
)
_DISCOVERY_ERRORS = {400: BAD_QUERY, 401: UNAUTHENTICATED, 403: FORBIDDEN}
_DISCOVERY_FAULTS = {429: TOO_OFTEN, 500: FAULT, 503: AWAY}
LIST_TEMPLATES = Operation(
    method="get",
    path="/api/external/templates/{encodedPhoneId}",
    name="listTemplates",
    summary="List templates",
    description="The templates that may be sent from the phone number of the API key, newest first.",
    tag="Templates",
    access="api_key",
    permission="read_templates",
    parameters=(_PHONE, *_FILTERS),
    answers={200: TEMPLATES, **_DISCOVERY_ERRORS, 404: NUMBER_GONE, **_DISCOVERY_FAULTS},
)
LIST_VARIANTS = Operation(
    method="get",
    path="/api/external/templates/{encodedPhoneId}/{name}",
    name="listTemplateVariants",
    summary="Get one template in all its languages",
    description="The languages in which the template of exactly this name is approved (or has `status`).",
    tag="Templates",
    access="api_key",
    permission="read_templates",
    parameters=(
        _PHONE,
        Parameter("name", "path", "The template's name.", {"type": "string"}, "invoice_ready", required=True),
        *_FILTERS,
    ),
    answers={200: TEMPLATES, **_DISCOVERY_ERRORS, 404: NO_TEMPLATE, **_DISCOVERY_FAULTS},
)

EXTERNAL_API = Api(
    title="WAAPI external send API",
    version="1.0.0",
    description="Send WhatsApp messages with an API key, and find out what may be sent.\n\n"
    "Every answer is JSON. Phone numbers are in E.164 format (`+919876543210`), media are publicly accessible "
    "`https://` links. Clients should ignore members of answers that they do not know.",
    tags={
        "Messages": "Text, media, templates, interactive messages and carousels.",
        "Templates": "What is approved, and which values it needs.",
    },
    operations=(SEND_MESSAGE, LIST_TEMPLATES, LIST_VARIANTS),
)
