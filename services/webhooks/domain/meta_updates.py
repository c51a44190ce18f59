"""Meta's webhooks, read once at the edge and tolerantly: what cannot be read is counted and stops nothing else.

Source: Meta, WhatsApp Business Platform and Instagram messaging, webhooks. Each kind has a file of its own.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.webhooks.domain.meta_instagram import ECHO, is_echo, read_instagram, read_seen
from services.webhooks.domain.meta_messages import read_message, read_preference
from services.webhooks.domain.meta_notices import ACCOUNT_ERROR, is_notice, read_notice
from services.webhooks.domain.meta_templates import (
    TEMPLATE_CATEGORY,
    TEMPLATE_QUALITY,
    TEMPLATE_STATUS,
    read_template,
    template_kind,
)
from services.webhooks.domain.meta_values import inner, load, moment, text, text_or_none
from shared.contracts.inbound import MetaMessage, MetaNotice, MetaPreference
from shared.contracts.messaging import MetaError
from shared.contracts.webhooks import MetaStatus, TemplateUpdate
from shared.meta.errors import to_meta_error

WHATSAPP = "whatsapp_business_account"
INSTAGRAM = "instagram"
STATUS = "status"
MESSAGE = "message"
PREFERENCE = "preference"
NOTICE = "notice"
UNREADABLE = "unreadable"

_TOLD_BY_AN_EVENT = frozenset(
    {STATUS, MESSAGE, PREFERENCE, NOTICE, TEMPLATE_STATUS, TEMPLATE_QUALITY, TEMPLATE_CATEGORY, ECHO}
)
_KIND = re.compile(r"[a-z0-9_]{1,64}")


@dataclass(frozen=True, slots=True)
class MetaUpdates:
    """What one webhook says. `kinds` counts every single update in it by what it is, `message.text` for example."""

    statuses: tuple[MetaStatus, ...]
    templates: tuple[TemplateUpdate, ...]
    kinds: Mapping[str, int]
    messages: tuple[MetaMessage, ...] = ()
    preferences: tuple[MetaPreference, ...] = ()
    notices: tuple[MetaNotice, ...] = ()

    @property
    def is_fully_told(self) -> bool:
        """Whether the events carry all of it; else the stored bytes are the only place that holds the rest."""
        return all(kind in _TOLD_BY_AN_EVENT or kind.split(".")[0] in {MESSAGE, NOTICE} for kind in self.kinds)


def parse_updates(raw: bytes, received_at: datetime) -> MetaUpdates:
    """Read one webhook's bytes. Never raises; `received_at` stands in where Meta gives no time that can be read."""
    reader, body = _Reader(received_at), load(raw)
    for envelope in body if isinstance(body, list) and body else [body]:  # Instagram's page prints a list around it
        reader.read_envelope(envelope)
    return MetaUpdates(
        statuses=tuple(reader.statuses),
        templates=tuple(reader.templates),
        kinds=reader.kinds,
        messages=tuple(reader.messages),
        preferences=tuple(reader.preferences),
        notices=tuple(reader.notices),
    )


@dataclass(slots=True)
class _Reader:
    received_at: datetime
    statuses: list[MetaStatus] = field(default_factory=list)
    templates: list[TemplateUpdate] = field(default_factory=list)
    messages: list[MetaMessage] = field(default_factory=list)
    preferences: list[MetaPreference] = field(default_factory=list)
    notices: list[MetaNotice] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)

    def count_named(self, kind: str, name: Any) -> None:
        """Count what Meta names; a name of no known form is `other`, so that kinds stay few."""
        self.kinds[f"{kind}.{name if isinstance(name, str) and _KIND.fullmatch(name) else 'other'}"] += 1

    def objects(self, value: Any) -> Iterator[dict[str, Any]]:
        """The objects of a list; whatever else stands there is counted as unreadable."""
        for element in value if isinstance(value, list) else [value]:
            if isinstance(element, dict):
                yield element
            else:
                self.kinds[UNREADABLE] += 1

    def read_envelope(self, body: Any) -> None:
        if not isinstance(body, dict):
            self.kinds[UNREADABLE] += 1
        elif body.get("object") == WHATSAPP:
            for entry in self.objects(body.get("entry")):
                self.read_entry(entry)
        elif body.get("object") == INSTAGRAM:
            for entry in self.objects(body.get("entry")):
                self.read_instagram_entry(entry)
        else:
            self.count_named("object", body.get("object"))

    def read_entry(self, entry: dict[str, Any]) -> None:
        for change in self.objects(entry.get("changes")):
            name, value = change.get("field"), change.get("value")
            if not isinstance(value, dict):
                self.kinds[UNREADABLE] += 1
            elif name == "messages":
                self.read_messages(entry, value)
            elif (kind := template_kind(name, value)) is not None:
                self.keep(self.templates, kind, read_template, kind, entry, value)
            elif name == "user_preferences":
                for preference in self.objects(value.get("user_preferences", [])):
                    self.keep(self.preferences, PREFERENCE, read_preference, preference, value)
            elif is_notice(name):
                self.keep(self.notices, f"{NOTICE}.{name}", read_notice, name, entry, value)
            else:
                self.count_named("field", name)

    def read_messages(self, entry: dict[str, Any], value: dict[str, Any]) -> None:
        number = inner(value, "metadata").get("phone_number_id")
        for status in self.objects(value.get("statuses", [])):
            self.keep(self.statuses, STATUS, _read_status, status, number)
        for message in self.objects(value.get("messages", [])):
            self.keep(self.messages, None, read_message, message, value)
        metadata = {"metadata": value.get("metadata")}
        for error in self.objects(value.get("errors", [])):
            self.keep(self.notices, f"{NOTICE}.{ACCOUNT_ERROR}", read_notice, ACCOUNT_ERROR, entry, error | metadata)

    def read_instagram_entry(self, entry: dict[str, Any]) -> None:
        account = entry.get("id")
        for element in self.objects(entry.get("messaging", [])):
            if is_echo(element):
                self.kinds[ECHO] += 1
            elif "read" in element:
                self.keep(self.statuses, STATUS, read_seen, element, account)
            else:
                self.keep(self.messages, None, read_instagram, element, account)
        for change in self.objects(entry.get("changes", [])):
            self.count_named("field", change.get("field"))

    def keep(self, kept: list[Any], kind: str | None, read: Callable[..., Any], *what: Any) -> None:
        """Read one update and count it; without a `kind`, by its own type."""
        try:
            found = read(*what, self.received_at)
        except ValueError:
            self.kinds[UNREADABLE] += 1
            return
        kept.append(found)
        if kind is None:
            self.count_named(MESSAGE, found.type)
        else:
            self.kinds[kind] += 1


def _read_status(status: dict[str, Any], number: Any, received_at: datetime) -> MetaStatus:
    return MetaStatus(
        wa_message_id=text(status.get("id")),
        status=text(status.get("status")),
        at=moment(status.get("timestamp"), received_at),
        meta_phone_number_id=text_or_none(number) or "",  # the message id alone identifies the message
        recipient_id=text_or_none(status.get("recipient_id")),
        recipient_user_id=text_or_none(status.get("recipient_user_id")),
        opaque=text_or_none(status.get("biz_opaque_callback_data")),
        pricing=_pricing(status),
        error=_first_error(status.get("errors")),
    )


def _pricing(status: dict[str, Any]) -> str | None:
    """`category/type`, e.g. `marketing/regular`; Meta's older form has no type."""
    pricing = status.get("pricing")
    if not isinstance(pricing, dict) or (category := text_or_none(pricing.get("category"))) is None:
        return None
    kind = text_or_none(pricing.get("type"))
    return category if kind is None else f"{category}/{kind}"


def _first_error(errors: Any) -> MetaError | None:
    """The first error that can be read; a failure whose reason cannot be read is still a failure."""
    for error in errors if isinstance(errors, list) else ():
        try:
            return to_meta_error(error)
        except (AttributeError, TypeError, ValueError, OverflowError):
            continue
    return None
