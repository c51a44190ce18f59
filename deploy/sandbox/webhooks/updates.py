"""The updates Meta posts, and the bytes of a post that carries many of them."""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as field_of
from typing import Any

import orjson

from ..errors import webhook_error
from ..ledger import Message, StatusName


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """One status of one message."""

    message: Message
    status: StatusName
    at: float
    priced: bool
    error_code: int | None = None


@dataclass(frozen=True, slots=True)
class ChangeUpdate:
    """Any other change: an inbound message, a template's review, …"""

    waba_id: str
    field: str
    value: Mapping[str, Any]
    timed: bool = True  # `messages` entries carry no time of their own
    at: float = field_of(default_factory=time.time)  # it happened, however late it is posted


Update = StatusUpdate | ChangeUpdate

_FREE = {"billable": False, "pricing_model": "PMP", "type": "free_customer_service", "category": "service"}
_PRICING: Mapping[str, Mapping[str, Any]] = {"service": _FREE} | {
    category: {"billable": True, "pricing_model": "PMP", "type": "regular", "category": category}
    for category in ("marketing", "utility", "authentication")
}


def envelope(updates: Iterable[Update]) -> bytes:
    """One post: statuses of the same number share a change, everything keeps its order."""
    entries: list[dict[str, Any]] = []
    open_changes: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for update in updates:
        if isinstance(update, ChangeUpdate):
            change = {"field": update.field, "value": update.value}
            timed = {"time": int(update.at)} if update.timed else {}
            entries.append({"id": update.waba_id, **timed, "changes": [change]})
            continue
        message = update.message
        # A status that shows no number needs its own `contacts`, so it stands alone.
        key = (message.phone_number_id, message.wamid if message.user_id else "")
        statuses = open_changes.get(key)
        if statuses is None:
            statuses = open_changes[key] = []
            entries.append(_status_entry(update, statuses))
        statuses.append(_status(update))
    return escape(orjson.dumps({"object": "whatsapp_business_account", "entry": entries}))


def metadata(phone_number_id: str, display_phone_number: str) -> dict[str, str]:
    """Which number a `messages` change is about."""
    return {"display_phone_number": display_phone_number, "phone_number_id": phone_number_id}


def escape(body: bytes) -> bytes:
    """Meta's own spelling of JSON: `/` as `\\/`, everything beyond ASCII as lower-case `\\uXXXX`."""
    if not body.isascii():
        body = json.dumps(orjson.loads(body), ensure_ascii=True, separators=(",", ":")).encode()
    return body.replace(b"/", b"\\/")


def _status_entry(update: StatusUpdate, statuses: list[dict[str, Any]]) -> dict[str, Any]:
    message = update.message
    value: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "metadata": metadata(message.phone_number_id, message.display_phone_number),
    }
    if message.user_id and update.error_code is None:
        profile = {} if update.status == "sent" else {"username": f"@user{message.to[-6:]}"}
        value["contacts"] = [{"profile": profile, "user_id": message.user_id}]
    return {"id": message.waba_id, "changes": [{"field": "messages", "value": value | {"statuses": statuses}}]}


def _status(update: StatusUpdate) -> dict[str, Any]:
    message = update.message
    status: dict[str, Any] = {"id": message.wamid, "status": update.status, "timestamp": str(int(update.at))}
    if message.user_id is None:
        status["recipient_id"] = message.wa_id
    elif update.error_code is None:
        status["recipient_user_id"] = message.user_id
    if message.opaque is not None:
        status["biz_opaque_callback_data"] = message.opaque
    if update.error_code is not None:
        status["errors"] = [webhook_error(update.error_code)]
    elif update.priced:
        status["pricing"] = _PRICING[message.category]
    return status
