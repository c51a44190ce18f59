"""A message on its way out, and the events that tell what became of it."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from services.messaging.domain.opaque import opaque_data
from services.messaging.domain.payloads_reply import instagram_body
from services.messaging.domain.states import FAILED, SENT, UNKNOWN, MessageClass
from shared.contracts.base import ReplyAddress
from shared.contracts.messaging import (
    FailedMessage,
    MessageOutcome,
    MessageSource,
    MetaError,
    QueuedMessage,
    SentMessage,
)
from shared.ids import derived_hex_id

_WHATSAPP = b'{"messaging_product"'


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """Everything one attempt needs, rendered: the document is written from it and rebuilt into it."""

    id: str
    user_id: str
    phone_number_id: str
    conversation_id: str | None  # None: refused before it could become part of one
    contact_id: str
    to: str
    type: str
    message_class: MessageClass
    source: MessageSource
    payload: bytes  # Meta's JSON, without biz_opaque_callback_data
    accepted_at: datetime
    expires_at: datetime
    warnings: tuple[str, ...] = ()
    campaign_id: str | None = None
    recipient_id: str | None = None
    template_id: str | None = None  # the approved template it was rendered from, if any
    credit: str | None = None  # the reservation of a campaign's run that pays for it
    credits_remaining: int | None = None  # set where a credit of its own pays for it: what was free after that
    reply: ReplyAddress | None = None
    attempt: int = 0  # posts intended so far
    resends: int = 0  # of these, declared repetitions of an unknown outcome
    tries: int = 0  # postponements so far

    def posted_body(self) -> bytes:
        """The bytes to post: the payload with this attempt's opaque data spliced in before the closing brace.

        Instagram carries nothing back.
        """
        if not self.payload.startswith(_WHATSAPP):
            return instagram_body(self.payload)
        return b'%s,"biz_opaque_callback_data":"%s"}' % (
            self.payload[:-1],
            opaque_data(self.id, self.attempt).encode(),
        )

    def next_attempt(self) -> "OutboundMessage":
        """The same message, its next attempt intended."""
        return replace(self, attempt=self.attempt + 1)


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message as its document tells it."""

    message: OutboundMessage
    state: str
    rank: int
    wa_message_id: str | None
    error: MetaError | None
    failure: str | None
    ended_at: datetime | None  # when Meta accepted it, or when it failed
    raised: tuple[str, ...] = ()  # the statuses that raised its rank
    reported_unknown: bool = False
    held_by_meta: bool = False  # accepted, and assessed first
    callers: tuple[ReplyAddress, ...] = ()  # who asked again while the outcome was open

    @property
    def is_settled(self) -> bool:
        """Whether a caller can be told the outcome, or that nobody but Meta is ever going to know it."""
        is_over = self.error is not None or self.reported_unknown
        return self.state in {SENT, FAILED} or (self.state == UNKNOWN and is_over)


def conversation_id(phone_number_id: str, phone: str) -> str:
    """The thread between one of our numbers and one recipient; the same for every repetition and replica.

    A phone number's id carries 131 random bits, so the result is as unguessable as a random one.
    """
    return derived_hex_id("conversation", phone_number_id, phone)


def contact_id(user_id: str, phone: str) -> str:
    """The contact of one user behind a dialled number."""
    return f"contact_{derived_hex_id('contact', user_id, phone)}"


def sent_item(message: OutboundMessage, wa_message_id: str, sent_at: datetime, *, held: bool = False) -> SentMessage:
    """The one `message.sent` of a message, whoever announces it and however often."""
    return SentMessage(
        id=f"message.sent:{message.id}",
        message_id=message.id,
        wa_message_id=wa_message_id,
        conversation_id=message.conversation_id,
        user_id=message.user_id,
        phone_number_id=message.phone_number_id,
        to=message.to,
        type=message.type,
        source=message.source,
        campaign_id=message.campaign_id,
        recipient_id=message.recipient_id,
        template_id=message.template_id,
        held=held,
        sent_at=sent_at,
    )


def queued_item(message: OutboundMessage, reason: str, queued_at: datetime) -> QueuedMessage:
    """The one `message.queued` of a message, however often it has to wait."""
    return QueuedMessage(
        id=f"message.queued:{message.id}",
        message_id=message.id,
        conversation_id=message.conversation_id,
        user_id=message.user_id,
        phone_number_id=message.phone_number_id,
        to=message.to,
        type=message.type,
        source=message.source,
        campaign_id=message.campaign_id,
        recipient_id=message.recipient_id,
        template_id=message.template_id,
        reason=reason,
        queued_at=queued_at,
    )


def failed_item(
    message: OutboundMessage, failure: str, error: MetaError | None, failed_at: datetime, *, unknown: bool = False
) -> FailedMessage:
    """The one `message.failed` of a message."""
    return FailedMessage(
        id=f"message.failed:{message.id}",
        message_id=message.id,
        conversation_id=message.conversation_id,
        user_id=message.user_id,
        phone_number_id=message.phone_number_id,
        to=message.to,
        type=message.type,
        source=message.source,
        campaign_id=message.campaign_id,
        recipient_id=message.recipient_id,
        template_id=message.template_id,
        outcome_unknown=unknown,
        failure=failure,
        error=error,
        failed_at=failed_at,
    )


def outcome(
    message: OutboundMessage,
    status: Literal["sent", "failed", "queued"],
    *,
    wa_message_id: str | None = None,
    error: MetaError | None = None,
    failure: str | None = None,
    more_warnings: tuple[str, ...] = (),
) -> MessageOutcome:
    """What a waiting caller is told."""
    return MessageOutcome(
        message_id=message.id,
        wa_message_id=wa_message_id,
        conversation_id=message.conversation_id,
        contact_id=message.contact_id,
        status=status,
        error=error,
        failure=failure,
        credits_remaining=message.credits_remaining,
        warnings=(*message.warnings, *more_warnings),
    )


def present_outcome(stored: StoredMessage) -> MessageOutcome:
    """What a repeated request is told: the present state, never a guess."""
    match stored.state:
        case "SENT":
            return outcome(stored.message, "sent", wa_message_id=stored.wa_message_id)
        case "FAILED":
            return outcome(stored.message, "failed", error=stored.error, failure=stored.failure)
        case "UNKNOWN" if stored.error is not None:
            return outcome(stored.message, "failed", error=stored.error, more_warnings=("outcome_unknown",))
        case _:
            return outcome(stored.message, "queued")
