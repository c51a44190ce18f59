"""What sending from the dashboard, contacts and credits answer, for their document; the routes write plain JSON."""

from typing import Any, Literal

from pydantic import Field

from services.gateway.openapi.dashboard_models import Answered, RefusedAnswer
from services.gateway.openapi.shown import Shown, Time, left_out


class SentShown(Shown):
    """What became of a message."""

    message_id: str | None
    """Meta's id of it; null while its outcome is open."""
    contact_id: str | None
    conversation_id: str | None
    openai_conversation_id: str | None
    """The last answer of the conversation's agent; null when none has spoken."""
    credits_remaining: int | None
    """What is free after this message."""
    internal_message_id: str
    """Our id of it, by which `/api/v1/messages/{message_id}/timeline` knows it, too."""
    warnings: list[str] = Field(default_factory=left_out)
    """What the caller should know; left out when there is nothing."""


class SentAnswer(Answered):
    """200."""

    data: SentShown


class QueuedAnswer(SentAnswer):
    """202."""

    message: str


class NotSentShown(SentShown):
    """A message that was not sent."""

    status: Literal["failed"]


class NotSentAnswer(RefusedAnswer):
    """The message was not sent; where it got as far as being stored, `data` tells its ids."""

    data: NotSentShown = Field(default_factory=left_out)


class ConsentShown(Shown):
    """Whether a contact takes marketing messages, and how we know."""

    marketing: Literal["unknown", "opted_in", "opted_out"]
    proof: Literal["keyword", "button", "meta_preference", "api", "import", "meta_refusal"] | None
    evidence: str | None
    changed_at: Time | None


class ContactShown(Shown):
    """Somebody whom a user writes to."""

    contact_id: str
    user_id: str
    phone: str | None
    """E.164; null for one who shows none."""
    name: str | None
    email: str | None
    company: str | None
    attributes: dict[str, str]
    tags: list[str]
    consent: ConsentShown
    created_at: Time
    updated_at: Time


class ContactAnswer(Answered):
    """200."""

    data: ContactShown


class Page(Shown):
    """Where the list goes on."""

    limit: int
    next_cursor: str | None
    """Null on the last page."""


class ContactsShown(Shown):
    """A page of contacts, newest first."""

    contacts: list[ContactShown]
    pagination: Page


class ContactsAnswer(Answered):
    """200."""

    data: ContactsShown


class RefusedRowShown(Shown):
    """A row that could not be taken in."""

    row: int
    """Its line in the file, from 1."""
    phone: str
    message: str


class ImportShown(Shown):
    """What an import did."""

    created: int
    updated: int
    opted_out: int
    refused: int
    refused_rows: list[RefusedRowShown]
    """The first 1,000."""


class ImportAnswer(Answered):
    """200."""

    data: ImportShown


class BalanceShown(Shown):
    """A user's credits."""

    remaining_credits: int
    total_used: int
    total_granted: int


class BalanceAnswer(Answered):
    """200."""

    data: BalanceShown


class ExchangeShown(Shown):
    """What was said to Meta, or answered; the token is masked."""

    method: str | None
    path: str | None
    headers: dict[str, str] | None
    body: dict[str, Any]


class StepShown(Shown):
    """One step of a message's life."""

    at: Time
    service: Literal["gateway", "campaigns", "messaging", "meta", "webhooks"]
    what: str
    note: str | None
    request: ExchangeShown | None
    answer: ExchangeShown | None


class TimelineShown(Shown):
    """A message's life so far."""

    message_id: str
    wa_message_id: str | None
    conversation_id: str | None
    contact_id: str | None
    user_id: str
    phone_number_id: str
    campaign_id: str | None
    template_id: str | None
    to: str
    type: str
    source: str
    state: str
    steps: list[StepShown]


class TimelineAnswer(Answered):
    """200."""

    data: TimelineShown
