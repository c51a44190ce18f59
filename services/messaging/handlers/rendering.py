"""Showing what a message would become, for callers who try before they send, and what one has become."""

from dataclasses import dataclass

from services.messaging.domain.timeline import timeline
from services.messaging.preparation import Preparation
from services.messaging.repositories.timelines import TimelineRepository
from shared.bus.port import Bus
from shared.contracts.messaging import RenderedMessage, RenderMessage
from shared.contracts.timeline import GetMessageTimeline, MessageTimeline


@dataclass(frozen=True, slots=True)
class RenderingHandlers:
    """Only reads: no document, no rate token, no call to Meta."""

    bus: Bus
    preparation: Preparation
    timelines: TimelineRepository

    def register(self) -> None:
        """Answer dry runs and questions."""
        self.bus.on(RenderMessage, self.render_message)
        self.bus.on(GetMessageTimeline, self.get_message_timeline)

    async def render_message(self, query: RenderMessage) -> RenderedMessage:
        """The JSON that the message would be posted as; the sender's own code renders it."""
        return await self.preparation.render(query)

    async def get_message_timeline(self, query: GetMessageTimeline) -> MessageTimeline:
        """Every step of a message so far."""
        return timeline(*await self.timelines.get(query.message_id))
