"""Builds what has to do with conversations: what comes in, who handles it, and what people see of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.messaging.announcements import Announcer
from services.messaging.clients.media import MediaClient
from services.messaging.clients.receipts import ReadReceipts
from services.messaging.consent import ConsentBook
from services.messaging.handlers.context import ContextHandlers
from services.messaging.handlers.conversations import ConversationHandlers
from services.messaging.handlers.media import MediaHandlers
from services.messaging.handlers.notices import NoticeHandlers
from services.messaging.handlers.preferences import PreferenceHandlers
from services.messaging.handlers.received import ReceivedHandlers
from services.messaging.handlers.webchat import WebchatHandlers, WebchatSends
from services.messaging.handling import Handling
from services.messaging.hearing import Hearing
from services.messaging.reception import Reception
from services.messaging.replies import Replies
from services.messaging.repositories.contexts import ContextRepository
from services.messaging.repositories.conversations import ConversationRepository
from services.messaging.repositories.histories import HistoryRepository
from services.messaging.repositories.inbound import InboundRepository
from services.messaging.repositories.media import MediaRepository
from services.messaging.repositories.messages import MessageRepository
from services.messaging.repositories.notices import NoticeRepository
from services.messaging.repositories.numbers import NumberRepository
from services.messaging.repositories.senders import SenderRepository
from services.messaging.repositories.stops import StopRepository
from services.messaging.repositories.templates import TemplateCopyRepository
from services.messaging.repositories.webchat import WebchatRepository
from services.messaging.windows import Windows
from shared.bus.port import Bus
from shared.bus.stream import Stream
from shared.clock import Clock
from shared.mongo import Database

_FOLLOW_UP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Conversing:
    """The working parts; the send path uses `replies`, `webchat_sends` and `windows`, statuses use `senders`."""

    senders: SenderRepository
    reception: Reception
    handling: Handling
    replies: Replies
    webchat_sends: WebchatSends
    windows: Windows
    received: ReceivedHandlers
    preferences: PreferenceHandlers
    notices: NoticeHandlers
    webchat: WebchatHandlers
    conversations: ConversationHandlers
    context: ContextHandlers
    media: MediaHandlers

    def register(self) -> None:
        """Take every message that is about conversations."""
        for handlers in (
            self.received,
            self.preferences,
            self.notices,
            self.webchat,
            self.conversations,
            self.context,
            self.media,
        ):
            handlers.register()

    def loops(self) -> list[tuple[str, Callable[[], Awaitable[None]], float]]:
        """What is to be repeated, each with its name and its pause in seconds."""
        return [
            ("inbound_follow_up", self.reception.follow_up, _FOLLOW_UP_SECONDS),
            ("handling_changes", self.handling.sweep, _FOLLOW_UP_SECONDS),
        ]


async def conversing(
    database: Database,
    bus: Bus,
    now: Clock,
    *,
    messages: MessageRepository,
    announcer: Announcer,
    book: ConsentBook,
    copies: TemplateCopyRepository,
    receipts: ReadReceipts,
    media_client: MediaClient,
    stream: Stream,
) -> Conversing:
    """Put the parts together, with their indexes in place."""
    inbound, senders = InboundRepository(database, now), SenderRepository(database, now)
    conversations, webchat = ConversationRepository(database, now), WebchatRepository(database, now)
    notices, stops = NoticeRepository(database, now), StopRepository(database, now)
    media = MediaRepository(database, now)
    for repository in (inbound, senders, conversations, webchat, notices, media):
        await repository.ensure_indexes()
    reception = Reception(bus, inbound, conversations, senders, webchat, Hearing(bus, book, stops, now))
    handling = Handling(bus, conversations, webchat, stream)
    numbers, histories = NumberRepository(database, now), HistoryRepository(database, copies)
    return Conversing(
        senders=senders,
        reception=reception,
        handling=handling,
        replies=Replies(conversations, messages, webchat, stops, handling, now),
        webchat_sends=WebchatSends(webchat, announcer, stream, now),
        windows=Windows(conversations, copies, now),
        received=ReceivedHandlers(bus, senders, reception),
        preferences=PreferenceHandlers(bus, senders, book),
        notices=NoticeHandlers(bus, notices),
        webchat=WebchatHandlers(bus, senders, inbound, conversations, webchat, reception, now),
        conversations=ConversationHandlers(bus, histories, conversations, numbers, handling, receipts),
        media=MediaHandlers(bus, media, numbers, media_client, receipts.keys),
        context=ContextHandlers(bus, conversations, ContextRepository(database), copies),
    )
