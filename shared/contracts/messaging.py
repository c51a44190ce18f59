"""What messaging does, answers and announces: sends, phone numbers, credits, and what became of every message."""

from typing import Any, ClassVar, Literal

from pydantic import AwareDatetime, Field

from shared.contracts.base import (
    Command,
    Contract,
    Done,
    Event,
    HexId,
    Identifier,
    Item,
    PhoneE164,
    Query,
    Recipient,
    Reply,
)
from shared.contracts.content import MessageContent

Platform = Literal["whatsapp", "instagram", "webchat"]
# `conversation`: a person answered in it; `system`: the product itself, e.g. the confirmation of an opt-out
MessageSource = Literal["external_api", "dashboard", "campaign", "agent", "conversation", "system"]


class MetaError(Contract):
    """Meta's refusal, as it is told to the caller."""

    message: str
    code: int
    subcode: int | None = None
    type: str | None = None
    details: str | None = None
    fbtrace_id: str | None = None


class ContactInput(Contract):
    """What the caller knows of the recipient; None means "leave as it is"."""

    name: str | None = None
    email: str | None = None
    company: str | None = None


class MessageOutcome(Reply):
    """What became of a message so far.

    `queued` means that the outcome is still open: it will be sent, or only Meta knows whether it was.
    """

    message_id: HexId
    wa_message_id: str | None
    conversation_id: HexId | None
    contact_id: Identifier | None
    status: Literal["sent", "failed", "queued"]
    openai_conversation_id: str | None = None  # the head of the conversation's response chain
    credits_remaining: int | None = None  # where the send was metered
    error: MetaError | None = None
    failure: str | None = None  # why it failed, e.g. "expired", or "meta_131026" beside the error
    warnings: tuple[str, ...] = ()


class SendMessage(Command[MessageOutcome]):
    """Send one message to one recipient. Idempotent by `message_id`: a repetition is told the present state.

    An answer of an agent (`based_on_sequence`) is refused with ConflictError and stored nowhere: code `outdated` when
    the conversation has moved on or a person handles it, `window_closed`, `opted_out`. A message of a person's (source
    `conversation`) takes the conversation over from the agent and outdates the answer it may be working on.
    """

    message_type: ClassVar[str] = "messaging.send_message.v1"
    reply_type: ClassVar[type[Reply]] = MessageOutcome

    message_id: HexId
    user_id: Identifier
    phone_number_id: Identifier
    to: Recipient
    content: MessageContent
    contact: ContactInput | None = None
    source: MessageSource
    accepted_at: AwareDatetime  # when the caller handed it over; it expires an hour later (a code after ten minutes)
    conversation_id: HexId | None = None  # given where the thread is known (a reply); its contact is the recipient
    based_on_sequence: int | None = None  # an agent's answer: refused as `outdated` once the conversation has moved on
    response_id: str | None = None  # the model's response, kept on the conversation once the answer is accepted


class RenderedMessage(Reply):
    """A message as it would be posted to Meta, but for `biz_opaque_callback_data`, which names a message of ours."""

    payload: dict[str, Any]
    warnings: tuple[str, ...] = ()


class RenderMessage(Query[RenderedMessage]):
    """What SendMessage would post. Nothing is sent or stored, and Meta is asked nothing, also for an unknown template.

    Raises NotFoundError and InvalidInputError where SendMessage does.
    """

    message_type: ClassVar[str] = "messaging.render_message.v1"
    reply_type: ClassVar[type[Reply]] = RenderedMessage

    user_id: Identifier
    phone_number_id: Identifier
    to: PhoneE164
    content: MessageContent


class BatchMessage(Item):
    """One recipient of a batch: the message id is derived from campaign, recipient and round."""

    message_id: HexId
    recipient_id: Identifier
    to: PhoneE164
    variables: dict[str, str] = Field(default_factory=dict)  # PreparedRow.values: "1", a name, "header.1", "button.0"


class SendBatch(Command[Reply]):
    """Send one approved template to up to 100 recipients of a campaign; answered by events, never by a reply.

    Idempotent by each item's `message_id`.
    """

    message_type: ClassVar[str] = "messaging.send_batch.v1"
    reply_type: ClassVar[type[Reply]] = Reply

    user_id: Identifier
    phone_number_id: Identifier
    campaign_id: Identifier
    round: int = 0
    run: int | None = None  # whose ReserveCredits pays for it; None: the run that has the round's number
    content: MessageContent  # the template with what all recipients share; `variables` of an item complete it
    items: tuple[BatchMessage, ...]
    expires_at: AwareDatetime


class SentMessage(Item):
    """One message that Meta accepted. `id` is the event's id: `message.sent:<message_id>`."""

    id: str
    message_id: HexId
    wa_message_id: str
    conversation_id: HexId | None
    user_id: Identifier
    phone_number_id: Identifier
    to: str
    type: str
    source: MessageSource
    campaign_id: Identifier | None = None
    recipient_id: Identifier | None = None
    template_id: Identifier | None = None
    held: bool = False  # accepted, but Meta assesses the template's quality first; a status will tell
    sent_at: AwareDatetime


class MessagesSent(Event):
    """Meta accepted messages of ours. A list, because they move in groups; a crash may regroup them."""

    message_type: ClassVar[str] = "messaging.messages_sent.v1"

    items: tuple[SentMessage, ...]


class QueuedMessage(Item):
    """One message that was accepted and waits. `id` is `message.queued:<message_id>`, however often it has to wait."""

    id: str
    message_id: HexId
    conversation_id: HexId | None
    user_id: Identifier
    phone_number_id: Identifier
    to: str
    type: str
    source: MessageSource
    campaign_id: Identifier | None = None
    recipient_id: Identifier | None = None
    template_id: Identifier | None = None
    reason: str  # what it waits for, e.g. meta_130429
    queued_at: AwareDatetime


class MessagesQueued(Event):
    """Messages of ours wait, since Meta takes no more of them now. For information: a crash may swallow it."""

    message_type: ClassVar[str] = "messaging.messages_queued.v1"

    items: tuple[QueuedMessage, ...]


class FailedMessage(Item):
    """One message that will not be sent, or (`outcome_unknown`) of which only Meta knows."""

    id: str  # message.failed:<message_id>
    message_id: HexId
    conversation_id: HexId | None
    user_id: Identifier
    phone_number_id: Identifier
    to: str
    type: str
    source: MessageSource
    campaign_id: Identifier | None = None
    recipient_id: Identifier | None = None
    template_id: Identifier | None = None
    outcome_unknown: bool = False
    failure: str
    error: MetaError | None = None
    failed_at: AwareDatetime


class MessagesFailed(Event):
    """Messages of ours ended without having been accepted by Meta, as far as anybody can know."""

    message_type: ClassVar[str] = "messaging.messages_failed.v1"

    items: tuple[FailedMessage, ...]


class MessageStatusChange(Item):
    """One status of Meta's that raised a message's rank. `id` is `message.<status>:<message_id>`."""

    id: str
    message_id: HexId
    wa_message_id: str
    conversation_id: HexId | None
    user_id: Identifier
    phone_number_id: Identifier
    to: str
    type: str
    source: MessageSource
    campaign_id: Identifier | None = None
    recipient_id: Identifier | None = None
    template_id: Identifier | None = None
    status: Literal["sent", "delivered", "read", "played", "failed"]
    error: MetaError | None = None
    at: AwareDatetime


class MessageStatusesChanged(Event):
    """Meta told us what became of messages it had accepted. Each item only ever raised its message's rank."""

    message_type: ClassVar[str] = "messaging.message_statuses_changed.v1"

    items: tuple[MessageStatusChange, ...]


class PhoneNumber(Reply):
    """A phone number (or Instagram account) of a user, as the dashboard API shows it. Never holds the token."""

    id: Identifier
    user_id: Identifier
    platform: Platform
    meta_phone_number_id: str
    display_name: str | None
    waba_id: str | None
    messages_per_second: int
    agent_id: Identifier | None = None
    quality_rating: str | None = None  # Meta's, once it has told us
    enforce_window: bool = False  # nothing but templates to who has not written within 24 hours
    created_at: AwareDatetime
    updated_at: AwareDatetime


class PhoneNumbers(Reply):
    """A user's phone numbers, newest first."""

    items: tuple[PhoneNumber, ...]


class AddPhoneNumber(Command[PhoneNumber]):
    """Add a phone number. Idempotent by `phone_number_id`.

    The token is sealed for that document (`shared.sealing`, field `access_token`). Raises ConflictError when another
    phone number has the Meta id, or another user the WABA.
    """

    message_type: ClassVar[str] = "messaging.add_phone_number.v1"
    reply_type: ClassVar[type[Reply]] = PhoneNumber

    phone_number_id: Identifier
    user_id: Identifier
    platform: Platform
    meta_phone_number_id: str  # for webchat: the channel's id
    sealed_access_token: str | None = None  # webchat has none
    display_name: str | None = None
    waba_id: str | None = None


class GetPhoneNumber(Query[PhoneNumber]):
    """One phone number, by our id. Raises NotFoundError."""

    message_type: ClassVar[str] = "messaging.get_phone_number.v1"
    reply_type: ClassVar[type[Reply]] = PhoneNumber

    phone_number_id: Identifier


class ListPhoneNumbers(Query[PhoneNumbers]):
    """A user's phone numbers; an unknown user has none."""

    message_type: ClassVar[str] = "messaging.list_phone_numbers.v1"
    reply_type: ClassVar[type[Reply]] = PhoneNumbers

    user_id: Identifier
    platform: Platform | None = None


class NumberAccess(Reply):
    """What another service needs to speak to Meta for a number. The token stays sealed (owner: the number's id)."""

    phone_number_id: Identifier
    user_id: Identifier
    platform: Platform
    meta_phone_number_id: str
    waba_id: str | None
    sealed_access_token: str


class GetNumberAccess(Query[NumberAccess]):
    """The sealed access of one phone number. Raises NotFoundError."""

    message_type: ClassVar[str] = "messaging.get_number_access.v1"
    reply_type: ClassVar[type[Reply]] = NumberAccess

    phone_number_id: Identifier


class Credits(Reply):
    """A user's credits; `remaining_credits` leaves out what is reserved."""

    remaining_credits: int
    total_used: int
    total_granted: int


class GetCredits(Query[Credits]):
    """A user's credits. The first look opens the account with the default grant."""

    message_type: ClassVar[str] = "messaging.get_credits.v1"
    reply_type: ClassVar[type[Reply]] = Credits

    user_id: Identifier


class HoldCampaign(Command[Done]):
    """Keep a campaign's messages back (pause, cancel), or let them go again. Idempotent: it sets `held`.

    Once it is answered, no intent of the campaign is stored while it is held; what was claimed goes back to its queue.
    """

    message_type: ClassVar[str] = "messaging.hold_campaign.v1"
    reply_type: ClassVar[type[Reply]] = Done

    campaign_id: Identifier
    held: bool
    cancelled: bool = False  # what is queued of it ends as FAILED `cancelled`; only a later version undoes this
    version: int | None = None  # the campaign's; one that is lower than the last is late, and changes nothing
