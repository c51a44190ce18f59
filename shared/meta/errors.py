"""Meta's error envelope, read tolerantly: `error_data` may be an object, a string or absent."""

from typing import Any

import orjson

from shared.contracts.messaging import MetaError


def parse_graph_error(raw: bytes) -> MetaError | None:
    """The error in a Graph API answer, or None when the body is not Meta's error envelope.

    Source: Meta, WhatsApp Cloud API error codes. Branch on `code` alone.
    """
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict) or not isinstance(error.get("code"), int):
        return None
    return to_meta_error(error)


def to_meta_error(error: dict[str, Any]) -> MetaError:
    """One error object, from an answer or from a webhook's `errors[]`."""
    data = error.get("error_data")
    details = data.get("details") if isinstance(data, dict) else data
    user_text = error.get("error_user_msg")
    return MetaError(
        message=str(error.get("message") or error.get("title") or "Meta gave no reason"),
        code=int(error.get("code") or 0),
        subcode=_int_or_none(error.get("error_subcode")),
        type=_text_or_none(error.get("type")),
        details=_text_or_none(user_text or details),
        fbtrace_id=_text_or_none(error.get("fbtrace_id")),
    )


def _int_or_none(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def _text_or_none(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
