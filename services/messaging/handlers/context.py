"""What an agent is told before it answers."""

from dataclasses import dataclass
from typing import Literal, cast

from services.messaging.domain.spoken import spoken
from services.messaging.repositories.contexts import ContextRepository, Utterance
from services.messaging.repositories.conversations import ConversationRepository
from services.messaging.repositories.templates import TemplateCopyRepository
from shared.bus.port import Bus
from shared.contracts.conversations import Channel, ContextMessage, ConversationContext, GetConversationContext
from shared.contracts.templates import Template
from shared.errors import NotFoundError

_AUTHORS: dict[str, Literal["agent", "human"]] = {"agent": "agent", "conversation": "human"}


@dataclass(frozen=True, slots=True)
class ContextHandlers:
    """Reads only."""

    bus: Bus
    conversations: ConversationRepository
    contexts: ContextRepository
    templates: TemplateCopyRepository

    def register(self) -> None:
        """Answer the agents' question."""
        self.bus.on(GetConversationContext, self.get_conversation_context)

    async def get_conversation_context(self, query: GetConversationContext) -> ConversationContext:
        """The thread is read first: a message that comes in between makes the answer outdated, never unnoticed."""
        thread = await self.conversations.find(query.conversation_id)
        if thread is None:
            raise NotFoundError("Conversation not found")
        utterances = await self.contexts.list_last(query.conversation_id, query.limit)
        known = {each.template_id for each in utterances if each.template_id is not None}
        templates = {template_id: await self.templates.get(template_id) for template_id in known}
        return ConversationContext(
            conversation_id=thread.id,
            user_id=thread.user_id,
            phone_number_id=thread.phone_number_id,
            channel=cast("Channel", thread.channel),
            handled_by=thread.handled_by,
            sequence=thread.sequence,
            messages=tuple(_message(each, templates.get(each.template_id or "")) for each in utterances),
        )


def _message(utterance: Utterance, template: Template | None) -> ContextMessage:
    if utterance.payload is None:
        author: Literal["customer", "agent", "human", "business"] = "customer"
        text = utterance.text
    else:
        author = _AUTHORS.get(utterance.source or "", "business")
        text = spoken(utterance.payload, template)
    return ContextMessage(
        message_id=utterance.message_id,
        author=author,
        type=utterance.type,
        text=text,
        media_id=utterance.media_id,
        mime_type=utterance.mime_type,
        at=utterance.at,
    )
