"""What customers write and tap, and who answers them."""

from typing import Any, ClassVar, Literal

from pydantic import AwareDatetime, Field

from shared.contracts.base import Command, Contract, Done, Event, HexId, Identifier, Item, Query, Reply

Channel = Literal["whatsapp", "instagram", "webchat"]


class ReceivedMessage(Item):
    """One message of a customer's. `id` is `message.received:<message_id>`, derived from the inbound id."""

    id: str
    message_id: HexId
    wa_message_id: str | None  # Meta's id of it; None on webchat
    conversation_id: HexId
    contact_id: Identifier
    user_id: Identifier
    phone_number_id: Identifier
    channel: Channel
    sender: str  # E.164 on WhatsApp, the scoped id on Instagram, the session id on webchat
    type: str  # text, image, audio, button, interactive, location, …
    text: str | None = None  # what a person would read: body, caption, button text
    content: dict[str, Any] = Field(default_factory=dict)  # the kind's own part, as it came
    media_id: Identifier | None = None  # ours: GET /api/v1/media/:id
    context_wa_message_id: str | None = None  # the message it answers
    sequence: int  # the conversation's, after this message: it rises with everything that outdates an answer
    agent_id: Identifier | None = None  # the number's agent, if one has to answer (nobody else handles it)
    received_at: AwareDatetime


class MessagesReceived(Event):
    """Customers wrote. A list; a crash may regroup it."""

    message_type: ClassVar[str] = "messaging.messages_received.v1"

    items: tuple[ReceivedMessage, ...]


class ClickedButton(Item):
    """One tap on a button of a message of ours. `click_id` follows from the inbound message's id."""

    click_id: Identifier
    user_id: Identifier
    phone_number_id: Identifier
    conversation_id: HexId | None
    message_id: HexId | None  # ours that had the button; None when it is not known
    template_id: Identifier | None  # None for an interactive message
    campaign_id: Identifier | None
    recipient_id: Identifier | None
    button_index: int | None
    payload: str | None
    text: str
    contact_phone: str
    contact_name: str | None = None
    clicked_at: AwareDatetime


class ButtonsClicked(Event):
    """Customers tapped buttons."""

    message_type: ClassVar[str] = "messaging.buttons_clicked.v1"

    items: tuple[ClickedButton, ...]


class HandlingChange(Item):
    """A conversation went to a human, or back to the agent. `id` is `conversation.<handed_over|handed_back>:<n>`."""

    id: str
    user_id: Identifier
    phone_number_id: Identifier
    conversation_id: HexId
    channel: Channel
    contact_id: Identifier
    handled_by: Literal["human", "agent"]
    note: str | None = None
    by: Literal["agent", "api", "human_reply"]
    at: AwareDatetime


class ConversationHandlingChanged(Event):
    """Who answers conversations changed."""

    message_type: ClassVar[str] = "messaging.conversation_handling_changed.v1"

    items: tuple[HandlingChange, ...]


class QualityChange(Item):
    """Meta's judgement of a number changed. `id` follows from the webhook's content."""

    id: str
    user_id: Identifier
    phone_number_id: Identifier
    event: str  # Meta's word: FLAGGED, UNFLAGGED, UPGRADE, DOWNGRADE, ONBOARDING, …
    limit: str | None = None  # Meta's messaging limit tier
    at: AwareDatetime


class NumberQualityChanged(Event):
    """Meta's judgement of numbers changed."""

    message_type: ClassVar[str] = "messaging.number_quality_changed.v1"

    items: tuple[QualityChange, ...]


class HandOverConversation(Command[Done]):
    """Give a conversation to a human, or (`handled_by="agent"`) back to its agent. Idempotent: it sets a value.

    Raises the conversation's `sequence`, so that no answer in the making is sent; announces
    ConversationHandlingChanged when something changed. Raises NotFoundError.
    """

    message_type: ClassVar[str] = "messaging.hand_over_conversation.v1"
    reply_type: ClassVar[type[Reply]] = Done

    conversation_id: HexId
    handled_by: Literal["human", "agent"]
    by: Literal["agent", "api"]
    note: str | None = Field(default=None, max_length=2000)


class ContextMessage(Contract):
    """One message of a conversation as a model is told of it."""

    message_id: HexId
    author: Literal["customer", "agent", "human", "business"]  # business: a campaign's or an API call's message
    type: str
    text: str | None = None  # as the customer read it: a template's with its values, a caption, a button's words
    media_id: Identifier | None = None
    mime_type: str | None = None
    at: AwareDatetime


class ConversationContext(Reply):
    """Where a conversation stands and what was said last, oldest first."""

    conversation_id: HexId
    user_id: Identifier
    phone_number_id: Identifier
    channel: Channel
    handled_by: Literal["human", "agent"]
    sequence: int
    messages: tuple[ContextMessage, ...]


class GetConversationContext(Query[ConversationContext]):
    """Ask for the last messages of a conversation, whoever wrote them. Raises NotFoundError."""

    message_type: ClassVar[str] = "messaging.get_conversation_context.v1"
    reply_type: ClassVar[type[Reply]] = ConversationContext

    conversation_id: HexId
    limit: int = Field(default=30, ge=1, le=100)


class AgentStats(Reply):
    """How busy a number's agent is. Active: written to within 24 hours, and not with a human."""

    total_conversations: int
    active_conversations: int


class GetAgentStats(Query[AgentStats]):
    """Count the conversations on an agent's number; an unknown number has none."""

    message_type: ClassVar[str] = "messaging.get_agent_stats.v1"
    reply_type: ClassVar[type[Reply]] = AgentStats

    phone_number_id: Identifier
