"""Meta's webhooks, read once at the edge and tolerantly: what cannot be read is counted and stops nothing else.

Source: Meta, WhatsApp Business Platform, webhooks (`messages`, `message_template_status_update`,
`message_template_quality_update`, `template_category_update`).
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from shared.contracts.messaging import MetaError
from shared.contracts.webhooks import MetaStatus, TemplateUpdate
from shared.meta.errors import to_meta_error

WHATSAPP = "whatsapp_business_account"
STATUS = "status"
TEMPLATE_STATUS = "template_status"
TEMPLATE_QUALITY = "template_quality"
TEMPLATE_CATEGORY = "template_category"
UNREADABLE = "unreadable"

_TOLD_BY_AN_EVENT = frozenset({STATUS, TEMPLATE_STATUS, TEMPLATE_QUALITY, TEMPLATE_CATEGORY})
_MAX_TEXT = 1024  # Meta's ids and names are far shorter; a longer one is not an id
_KIND = re.compile(r"[a-z0-9_]{1,64}")


@dataclass(frozen=True, slots=True)
class MetaUpdates:
    """What one webhook says. `kinds` counts every single update in it by what it is."""

    statuses: tuple[MetaStatus, ...]
    templates: tuple[TemplateUpdate, ...]
    kinds: Mapping[str, int]

    @property
    def is_fully_told(self) -> bool:
        """Whether the events carry all of it; else the stored bytes are the only place that holds the rest."""
        return self.kinds.keys() <= _TOLD_BY_AN_EVENT


def parse_updates(raw: bytes, received_at: datetime) -> MetaUpdates:
    """Read one webhook's bytes. Never raises; `received_at` stands in where Meta gives no time that can be read."""
    reader = _Reader(received_at)
    body = _load(raw)
    if not isinstance(body, dict):
        reader.count(UNREADABLE)
    elif body.get("object") != WHATSAPP:
        reader.count_named("object", body.get("object"))
    else:
        for entry in reader.objects(body.get("entry")):
            reader.read_entry(entry)
    return MetaUpdates(tuple(reader.statuses), tuple(reader.templates), reader.kinds)


@dataclass(slots=True)
class _Reader:
    received_at: datetime
    statuses: list[MetaStatus] = field(default_factory=list)
    templates: list[TemplateUpdate] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)

    def count(self, kind: str) -> None:
        self.kinds[kind] += 1

    def count_named(self, kind: str, name: Any) -> None:
        """Count what Meta names; a name of no known form is `other`, so that kinds stay few."""
        self.count(f"{kind}.{name if isinstance(name, str) and _KIND.fullmatch(name) else 'other'}")

    def objects(self, value: Any) -> Iterator[dict[str, Any]]:
        """The objects of a list; whatever else stands there is counted as unreadable."""
        for element in value if isinstance(value, list) else [value]:
            if isinstance(element, dict):
                yield element
            else:
                self.count(UNREADABLE)

    def read_entry(self, entry: dict[str, Any]) -> None:
        for change in self.objects(entry.get("changes")):
            value = change.get("value")
            if not isinstance(value, dict):
                self.count(UNREADABLE)
            elif change.get("field") == "messages":
                self.read_messages(value)
            elif (kind := _template_kind(change.get("field"), value)) is not None:
                self.read_template(kind, entry, value)
            else:
                self.count_named("field", change.get("field"))

    def read_messages(self, value: dict[str, Any]) -> None:
        number = _inner(value, "metadata").get("phone_number_id")
        for status in self.objects(value.get("statuses", [])):
            self.read_status(status, number)
        for message in self.objects(value.get("messages", [])):
            self.count_named("message", message.get("type"))
        for _ in self.objects(value.get("errors", [])):
            self.count("account_error")

    def read_status(self, status: dict[str, Any], number: Any) -> None:
        try:
            read = MetaStatus(
                wa_message_id=_text(status.get("id")),
                status=_text(status.get("status")),
                at=_moment(status.get("timestamp"), self.received_at),
                meta_phone_number_id=_text_or_none(number) or "",  # the message id alone identifies the message
                recipient_id=_text_or_none(status.get("recipient_id")),
                opaque=_text_or_none(status.get("biz_opaque_callback_data")),
                error=_first_error(status.get("errors")),
            )
        except ValueError:
            self.count(UNREADABLE)
        else:
            self.statuses.append(read)
            self.count(STATUS)

    def read_template(self, kind: str, entry: dict[str, Any], value: dict[str, Any]) -> None:
        try:
            read = TemplateUpdate(
                waba_id=_text(entry.get("id")),
                meta_template_id=_text(value.get("message_template_id")),  # a number here, text in Meta's answers
                name=_text(value.get("message_template_name")),
                language=_text(value.get("message_template_language")).replace("-", "_"),
                at=_moment(entry.get("time"), self.received_at),
                **_template_news(kind, value),
            )
        except ValueError:
            self.count(UNREADABLE)
        else:
            self.templates.append(read)
            self.count(kind)


def _template_kind(field_name: Any, value: dict[str, Any]) -> str | None:
    """Which news of a template this is; Meta's page prints quality news under the name of status news."""
    if field_name == "template_category_update":
        return TEMPLATE_CATEGORY
    if field_name not in {"message_template_status_update", "message_template_quality_update"}:
        return None
    return TEMPLATE_QUALITY if "new_quality_score" in value else TEMPLATE_STATUS


def _template_news(kind: str, value: dict[str, Any]) -> dict[str, Any]:
    if kind == TEMPLATE_QUALITY:
        return {"event": "QUALITY_UPDATE", "quality_score": _text(value.get("new_quality_score")).upper()}
    if kind == TEMPLATE_CATEGORY:
        correct = _text_or_none(value.get("correct_category"))
        category = _text(value.get("new_category")).upper()
        return {"event": "CATEGORY_UPDATE", "category": category, "correct_category": correct and correct.upper()}
    reason = _text_or_none(value.get("reason"))
    return {
        "event": _text(value.get("event")),
        "reason": None if reason == "NONE" else reason,
        "explanation": _explanation(value),
    }


def _explanation(value: dict[str, Any]) -> str | None:
    """What Meta says to people beside its one word; which members it uses depends on the event."""
    rejection, other = _inner(value, "rejection_info"), _inner(value, "other_info")
    texts = (rejection.get("reason"), rejection.get("recommendation"), other.get("description"))
    return " ".join(filter(None, map(_text_or_none, texts))) or None


def _load(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        pass  # a profile name cut in the middle of an emoji leaves half a surrogate pair, which only `json` accepts
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _text(value: Any) -> str:
    text = _text_or_none(value)
    if text is None:
        raise ValueError("expected a text or a number")
    return text


def _text_or_none(value: Any) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and 0 < len(value) <= _MAX_TEXT else None


def _moment(value: Any, otherwise: datetime) -> datetime:
    """Unix seconds, which Meta writes as text in `messages` and as a number elsewhere."""
    text = str(value)
    if not (text.isascii() and text.isdigit() and len(text) <= 11):
        return otherwise
    return datetime.fromtimestamp(int(text), UTC)


def _inner(value: dict[str, Any], key: str) -> dict[str, Any]:
    inner = value.get(key)
    return inner if isinstance(inner, dict) else {}


def _first_error(errors: Any) -> MetaError | None:
    """The first error that can be read; a failure whose reason cannot be read is still a failure."""
    for error in errors if isinstance(errors, list) else ():
        try:
            return to_meta_error(error)
        except (AttributeError, TypeError, ValueError, OverflowError):
            continue
    return None
