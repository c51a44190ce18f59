"""The answers of the external send API, each status with its meaning and an example."""

from typing import Any

from services.gateway.openapi.external_models import (
    DryRunAnswer,
    ErrorAnswer,
    QueuedAnswer,
    SentAnswer,
    TemplatesAnswer,
    UpstreamErrorAnswer,
)
from services.gateway.openapi.operations import Answer

_IDS = {"message_id": "6789abcdef1234567890abcd", "conversation_id": "6789abcdef1234567890aaaa"}
_TRACE = {"timestamp": "2026-03-05T10:30:00.000Z", "correlationId": "req_4WTJc6p0xNZ7f2vQ1mBd8s"}
_META_REFUSAL = {
    "message": "(#131030) Recipient phone number not in allowed list",
    "code": 131030,
    "subcode": None,
    "type": "OAuthException",
    "details": "Recipient phone number not in allowed list: add it and try again.",
    "fbtrace_id": "Az8or2yhqkZfEZ-_4Qn_Bam",
}
_INVOICE = {
    "template_name": "invoice_ready",
    "language": "en",
    "category": "utility",
    "meta_status": "APPROVED",
    "meta_template_id": "1219262932664098",
    "quality_score": "GREEN",
    "parameter_format": "positional",
    "header": {"format": "DOCUMENT", "text": None, "variable_count": 0, "example": None},
    "body": {
        "text": "Hello {{1}}, your invoice for {{2}} is ready. Total: {{3}}.",
        "variable_count": 3,
        "example": None,
    },
    "footer": {"text": "Powered by WAAPI"},
    "buttons": [],
    "raw_components": [
        {"type": "HEADER", "format": "DOCUMENT"},
        {"type": "BODY", "text": "Hello {{1}}, your invoice for {{2}} is ready. Total: {{3}}."},
        {"type": "FOOTER", "text": "Powered by WAAPI"},
    ],
}


def _refusal(description: str, error: str, code: str, *headers: str, **more: Any) -> Answer:
    example = {"success": False, "error": error, "code": code, **more, **_TRACE}
    return Answer(description, (ErrorAnswer,), {code: example}, headers)


def _wrong(field: str, message: str) -> dict[str, Any]:
    return {"details": [{"field": field, "message": message}]}


_CARDS = "interactive.cards is required for type=carousel."
_STATUS = "status query parameter must be a template status such as APPROVED, or ALL"
BAD_BODY = _refusal(
    "A required field is missing or a value is not valid; nothing was sent. `details` names every field that is wrong.",
    _CARDS,
    "invalid_request",
    **_wrong("interactive.cards", _CARDS),
)
BAD_QUERY = _refusal("The path or the query is not valid.", _STATUS, "invalid_request", **_wrong("status", _STATUS))
UNAUTHENTICATED = _refusal(
    "No API key, or one that is wrong, revoked or expired.",
    "Missing or invalid Authorization token",
    "invalid_token",
    "WWW-Authenticate",
)
NO_CREDITS = _refusal(
    "The user has no free credit. Only where `METER_EXTERNAL_API` is on: by default these messages cost none.",
    "Not enough credits",
    "insufficient_credits",
)
FORBIDDEN = _refusal(
    "The API key is not permitted for this phone number or this kind of request.",
    "The API key lacks the permission send_interactive",
    "permission_missing",
)
NUMBER_GONE = _refusal("The phone number is no more.", "Phone number not found", "not_found")
NO_TEMPLATE = _refusal(
    "No template has this name; `error` says which names come close.",
    "No approved template is called invoice_redy. Did you mean invoice_ready?",
    "template_not_found",
)
IN_PROGRESS = _refusal(
    "A request with this `Idempotency-Key` is still being worked on, or (`phone_number_paused`) Meta no longer takes "
    "the phone number's access token.",
    "A request with this Idempotency-Key is still being worked on",
    "idempotency_in_progress",
    "Retry-After",
)
TOO_LARGE = _refusal("The body is larger than 1 MiB.", "The body is too large", "payload_too_large")
NOT_JSON = _refusal(
    "The body is not sent as plain JSON.",
    "The body must be sent with Content-Type: application/json, uncompressed",
    "unsupported_media_type",
)
OTHER_BODY = _refusal(
    "The `Idempotency-Key` was used with another body; nothing was sent.",
    "This Idempotency-Key was used with another body",
    "idempotency_key_reused",
)
TOO_OFTEN = _refusal(
    "The API key calls more than 100 times a second, after a burst of 200.",
    "This API key calls too often; slow down",
    "rate_limited",
    "Retry-After",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
)
FAULT = _refusal("A fault of ours.", "Something went wrong on our side", "internal_error")
AWAY = _refusal(
    "Broker, database or a service is away. Nothing was sent, or the `Idempotency-Key` keeps it from being sent twice: "
    "try again after `Retry-After`.",
    "The service cannot reach its database right now; try again",
    "service_unavailable",
    "Retry-After",
)
REFUSED_BY_META = Answer(
    "Meta refused the message; `error` holds its words. With `outcome_unknown` among the warnings Meta itself did not "
    "say whether it was sent.",
    (UpstreamErrorAnswer,),
    {
        "refused": {
            "success": False,
            "error": _META_REFUSAL,
            "code": "upstream_rejected",
            "data": {**_IDS, "status": "failed"},
            **_TRACE,
        }
    },
)
SENT = Answer(
    "Meta accepted the message. With `dry_run=true`: what Meta would get.",
    (SentAnswer, DryRunAnswer),
    {
        "sent": {
            "success": True,
            "data": {
                "message_id": _IDS["message_id"],
                "wa_message_id": "wamid.HBgLMTIzNDU2Nzg5MBUCABIYFzNFQjA1NkU2MzYzMEExQzlENjM3QzgA",
                "conversation_id": _IDS["conversation_id"],
                "status": "sent",
            },
            "message": "Message sent successfully.",
        },
        "dry run": {
            "success": True,
            "data": {
                "dry_run": True,
                "payload": {
                    "messaging_product": "whatsapp",
                    "recipient_type": "individual",
                    "to": "+919876543210",
                    "type": "text",
                    "text": {"body": "Hello! How can we help you today?", "preview_url": False},
                },
            },
            "message": "Dry run: nothing was sent.",
        },
    },
)
QUEUED = Answer(
    "The outcome is not known yet: the message is on its way, or only Meta knows. The truth follows by webhook.",
    (QueuedAnswer,),
    {
        "queued": {
            "success": True,
            "data": {
                "message_id": _IDS["message_id"],
                "wa_message_id": None,
                "conversation_id": _IDS["conversation_id"],
                "status": "queued",
            },
            "message": "Message queued: its outcome is not known yet and follows by webhook.",
        }
    },
)
TEMPLATES = Answer(
    "A page of templates.",
    (TemplatesAnswer,),
    {
        "templates": {
            "success": True,
            "data": {
                "templates": [_INVOICE],
                "pagination": {"page": 1, "limit": 50, "total": 1, "totalPages": 1},
            },
            "message": "Templates retrieved successfully.",
        }
    },
)
