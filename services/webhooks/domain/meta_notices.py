"""What Meta says of numbers and accounts: quality, limits, bans, names, reviews, errors.

Source: Meta, WhatsApp Business Platform, webhooks (`phone_number_quality_update`, `account_update`, …).
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import orjson

from services.webhooks.domain.meta_values import content, inner, moment, text, text_or_none
from shared.contracts.inbound import MetaNotice
from shared.ids import derived_hex_id

ACCOUNT_ERROR = "account_error"

Value = dict[str, Any]

# Where each kind of notice has its one word.
_EVENT_OF: Mapping[str, Callable[[Value], Any]] = {
    "phone_number_quality_update": lambda value: value.get("event"),
    "phone_number_name_update": lambda value: value.get("decision"),
    "account_update": lambda value: value.get("event"),
    "account_review_update": lambda value: value.get("decision"),
    "account_alerts": lambda value: inner(value, "alert_info").get("alert_type") or value.get("alert_type"),
    "business_capability_update": lambda value: "CAPABILITY_UPDATE",
    "security": lambda value: value.get("event"),
    ACCOUNT_ERROR: lambda value: value.get("code"),
}


def is_notice(field_name: Any) -> bool:
    """Whether messaging is told of this field."""
    return isinstance(field_name, str) and field_name in _EVENT_OF


def read_notice(field_name: str, entry: Value, value: Value, received_at: datetime) -> MetaNotice:
    """One notice; `value` is the change's, or one of the errors in it. Raises ValueError when it cannot be read."""
    waba_id, kept = text(entry.get("id")), content(value)
    when = text_or_none(entry.get("time")) or text_or_none(value.get("timestamp")) or ""
    limit = value.get("max_daily_conversations_per_business") or value.get("current_limit")
    metadata = inner(value, "metadata")
    return MetaNotice(
        id=derived_hex_id(
            "notice", waba_id, field_name, when, orjson.dumps(kept, option=orjson.OPT_SORT_KEYS).decode()
        ),
        field=field_name,
        waba_id=waba_id,
        meta_phone_number_id=text_or_none(metadata.get("phone_number_id")),
        display_phone_number=_digits(value.get("display_phone_number") or metadata.get("display_phone_number")),
        event=text_or_none(_EVENT_OF[field_name](value)) or "UNKNOWN",
        limit=text_or_none(limit),
        content=kept,
        at=moment(entry.get("time"), received_at),
    )


def _digits(value: Any) -> str | None:
    found = "".join(character for character in text_or_none(value) or "" if character.isascii() and character.isdigit())
    return found or None
