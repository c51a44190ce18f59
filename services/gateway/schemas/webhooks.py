"""Bodies of the routes that manage vendor webhooks. Which URLs and events are allowed is decided by their owner."""

import re
from typing import Annotated, Literal

from pydantic import Field

from services.gateway.schemas.changes import ChangeBody
from services.gateway.schemas.checked import Checked
from services.gateway.schemas.fields import NOT_BLANK, Body, Identifier, Moment, OptionalText
from shared.contracts.conversations import Channel
from shared.contracts.messaging import MessageSource
from shared.web.field_errors import field_error

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}", re.ASCII)  # RFC 9110, 5.6.2
_HEADER_VALUE = re.compile(r"[\x20-\x7e]{0,1000}")
_MOST_HEADERS = 20
_OURS = ("x-webhook-", "webhook-", "proxy-", "sec-")
_RESERVED = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
    }
)


def _headers(value: dict[str, str]) -> dict[str, str]:
    seen: set[str] = set()
    for name, text in value.items():
        lower = name.lower()
        if not _HEADER_NAME.fullmatch(name):
            raise field_error("must have names of letters, digits and - only")
        if lower in _RESERVED or lower.startswith(_OURS):
            raise field_error("is a header that we set ourselves", field=name)
        if not _HEADER_VALUE.fullmatch(text):
            raise field_error("must have at most 1000 printable ASCII characters", field=name)
        if lower in seen:
            raise field_error("is used twice", field=name)
        seen.add(lower)
    return value


Url = Annotated[str, Field(min_length=1, max_length=2048), NOT_BLANK]
EventName = Annotated[str, Field(min_length=1, max_length=64)]
EventNames = Annotated[list[EventName], Field(min_length=1, max_length=50)]
Headers = Annotated[
    dict[str, str],
    Field(max_length=_MOST_HEADERS),
    Checked(
        _headers,
        {
            "propertyNames": {"pattern": f"^{_HEADER_NAME.pattern}$"},
            "additionalProperties": {"type": "string", "pattern": r"^[\x20-\x7e]*$", "maxLength": 1000},
        },
    ),
]
Numbers = Annotated[list[Identifier], Field(max_length=100)]


class CreateWebhookBody(Body):
    """A new vendor webhook."""

    user_id: Identifier
    """Whose events it hears."""
    url: Url
    """A public https:// address on port 443, 80 or 8443."""
    events: EventNames
    """Names of events, e.g. `message.sent`; `*` for all."""
    description: OptionalText = None
    """What people need to know about it."""
    phone_number_ids: Numbers = Field(default_factory=list)
    """Only events of these numbers; left out or empty, of all."""
    channels: list[Channel] = Field(default_factory=list)
    """Only events of these channels; left out or empty, of WhatsApp and Instagram."""
    sources: list[MessageSource] = Field(default_factory=list)
    """Only messages that were sent by these; left out or empty, by all."""
    headers: Headers = Field(default_factory=dict)
    """Headers that every request carries, e.g. an `Authorization` of yours. Their values are never shown."""
    ordered: bool = False
    """Whether the events of a conversation come one after the other: the next once the former was accepted."""


class ChangeWebhookBody(ChangeBody):
    """What to change; what is left out stays as it is."""

    url: Url = ""
    """A public https:// address on port 443, 80 or 8443."""
    events: EventNames = Field(default_factory=list)
    """Names of events; `*` for all."""
    description: OptionalText = None
    """What people need to know about it."""
    phone_number_ids: Numbers = Field(default_factory=list)
    """Only events of these numbers; empty, of all."""
    channels: list[Channel] = Field(default_factory=list)
    """Only events of these channels; empty, of WhatsApp and Instagram."""
    sources: list[MessageSource] = Field(default_factory=list)
    """Only messages that were sent by these; empty, by all."""
    headers: Headers = Field(default_factory=dict)
    """Headers that every request carries; they replace those of before."""
    ordered: bool = False
    """Whether the events of a conversation come one after the other; for events from now on."""
    status: Literal["active", "paused"] = "active"
    """`paused` keeps events for up to thirty days; `active` delivers them, also those of a disabled webhook."""


class TestWebhookBody(Body):
    """Which example to deliver."""

    __test__ = False  # it is no test of ours, though its name begins like one

    event: EventName | None = None
    """The event's name; left out, one that the webhook hears."""


class ReplayBody(Body):
    """What to deliver again."""

    from_: Annotated[Moment, Field(alias="from")]
    """The beginning of the range: when the events were heard of."""
    to: Moment
    """Its end."""
    events: Annotated[list[EventName], Field(max_length=50)] = Field(default_factory=list)
    """Only these events; left out or empty, all."""
