"""Showing what a message would become, for callers who try before they send."""

from dataclasses import dataclass

from services.messaging.preparation import Preparation
from shared.bus.port import Bus
from shared.contracts.messaging import RenderedMessage, RenderMessage


@dataclass(frozen=True, slots=True)
class RenderingHandlers:
    """Only reads: no document, no rate token, no call to Meta."""

    bus: Bus
    preparation: Preparation

    def register(self) -> None:
        """Answer dry runs."""
        self.bus.on(RenderMessage, self.render_message)

    async def render_message(self, query: RenderMessage) -> RenderedMessage:
        """The JSON that the message would be posted as; the sender's own code renders it."""
        return await self.preparation.render(query)
