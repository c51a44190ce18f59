"""Builds what has to do with conversations: what comes in, who handles it, and what people see of it."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass

from services.messaging.domain.inbound import InboundMessage
from services.messaging.handlers.context import ContextHandlers
from services.messaging.handlers.received import ReceivedHandlers
from services.messaging.reception import Reception
from services.messaging.repositories.contexts import ContextRepository
from services.messaging.repositories.conversations import ConversationRepository
from services.messaging.repositories.inbound import InboundRepository
from services.messaging.repositories.senders import SenderRepository
from services.messaging.repositories.templates import TemplateCopyRepository
from services.messaging.repositories.webchat import WebchatRepository
from shared.bus.port import Bus
from shared.clock import Clock
from shared.mongo import Database

_FOLLOW_UP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Conversing:
    """The working parts."""

    reception: Reception
    received: ReceivedHandlers
    context: ContextHandlers

    def register(self) -> None:
        """Take every message that is about conversations."""
        self.received.register()
        self.context.register()

    def loops(self) -> list[tuple[str, Callable[[], Awaitable[None]], float]]:
        """What is to be repeated, each with its name and its pause in seconds."""
        return [("inbound_follow_up", self.reception.follow_up, _FOLLOW_UP_SECONDS)]


class _Deaf:
    async def hear(self, messages: Sequence[InboundMessage]) -> Collection[str]:
        return ()


async def conversing(database: Database, bus: Bus, now: Clock) -> Conversing:
    """Put the parts together, with their indexes in place."""
    inbound, senders = InboundRepository(database, now), SenderRepository(database, now)
    conversations, webchat = ConversationRepository(database, now), WebchatRepository(database, now)
    for repository in (inbound, senders, conversations, webchat):
        await repository.ensure_indexes()
    reception = Reception(bus, inbound, conversations, senders, webchat, _Deaf())
    copies = TemplateCopyRepository(database, now)
    return Conversing(
        reception=reception,
        received=ReceivedHandlers(bus, senders, reception),
        context=ContextHandlers(bus, conversations, ContextRepository(database), copies),
    )
