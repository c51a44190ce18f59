"""Builds messaging and runs it."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from services.messaging.announcements import Announcer
from services.messaging.clients.graph import GraphReader
from services.messaging.clients.media import MediaClient
from services.messaging.clients.meta import MetaClient, meta_client
from services.messaging.clients.receipts import ReadReceipts
from services.messaging.consent import ConsentBook
from services.messaging.consequences import Consequences
from services.messaging.conversing import Conversing, conversing
from services.messaging.dispatch import Dispatcher
from services.messaging.groups import Groups
from services.messaging.handlers.audience import AudienceHandlers
from services.messaging.handlers.batches import BatchHandlers
from services.messaging.handlers.contacts import ContactHandlers
from services.messaging.handlers.copies import TemplateCopyHandlers
from services.messaging.handlers.credits import CreditHandlers
from services.messaging.handlers.number_links import NumberLinkHandlers
from services.messaging.handlers.numbers import NumberHandlers
from services.messaging.handlers.rendering import RenderingHandlers
from services.messaging.handlers.sends import SendHandlers
from services.messaging.handlers.statuses import StatusHandlers
from services.messaging.handlers.verification import VerificationHandlers
from services.messaging.ledger import Ledger
from services.messaging.preparation import Preparation
from services.messaging.recent_numbers import RecentNumbers
from services.messaging.recording import Recorder
from services.messaging.repositories.agent_stats import AgentStatsRepository
from services.messaging.repositories.charges import ChargeRepository
from services.messaging.repositories.consents import ConsentRepository
from services.messaging.repositories.contacts import ContactRepository
from services.messaging.repositories.credits import CreditRepository
from services.messaging.repositories.erasure import ErasureRepository
from services.messaging.repositories.groups import GroupRepository
from services.messaging.repositories.holding import HoldingRepository
from services.messaging.repositories.messages import MessageRepository
from services.messaging.repositories.number_links import NumberLinkRepository
from services.messaging.repositories.numbers import NumberRepository
from services.messaging.repositories.rates import RateRepository
from services.messaging.repositories.statuses import StatusRepository
from services.messaging.repositories.stops import StopRepository
from services.messaging.repositories.sweeping import SweepRepository
from services.messaging.repositories.templates import TemplateCopyRepository
from services.messaging.repositories.threads import ThreadRepository
from services.messaging.repositories.timelines import TimelineRepository
from services.messaging.room import Room
from services.messaging.sending import Sending
from services.messaging.settings import Settings
from services.messaging.stopping import Stopping
from services.messaging.sweeper import Sweeper
from services.messaging.template_lookup import TemplateLookup
from shared.bus.port import Bus
from shared.bus.stream import MemoryStream, Stream, rabbit_stream
from shared.clock import Clock, utc_now
from shared.mongo import Database
from shared.periodic import repeating
from shared.service import running
from shared.settings import worker_name

SWEEP_SECONDS = 0.25  # also the pace at which messages that wait for rate tokens are released
PARKED_SECONDS = 5.0
SUBSCRIBE_SECONDS = 1.0
LINKS_SECONDS = 5.0
LEDGER_SECONDS = 1.0
CONSENTS_SECONDS = 2.0
ERASURES_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Messaging:
    """The service's working parts."""

    dispatcher: Dispatcher
    sweeper: Sweeper
    sends: SendHandlers
    batches: BatchHandlers
    rendering: RenderingHandlers
    statuses: StatusHandlers
    numbers: NumberHandlers
    links: NumberLinkHandlers
    verification: VerificationHandlers
    templates: TemplateCopyHandlers
    credits: CreditHandlers
    audience: AudienceHandlers
    contacts: ContactHandlers
    conversations: Conversing

    def register(self) -> None:
        """Take every message that is messaging's."""
        for handlers in (
            self.sends,
            self.batches,
            self.rendering,
            self.statuses,
            self.numbers,
            self.links,
            self.verification,
            self.templates,
            self.credits,
            self.audience,
            self.contacts,
            self.conversations,
        ):
            handlers.register()

    async def drain(self) -> None:
        """Wait until what is being sent has an outcome that is recorded."""
        await self.sweeper.drain()
        await self.dispatcher.drain()
        await self.dispatcher.groups.drained()


async def build(
    database: Database,
    bus: Bus,
    meta: MetaClient,
    settings: Settings,
    *,
    now: Clock = utc_now,
    worker: str | None = None,
    stream: Stream | None = None,
) -> Messaging:
    """Put the parts together, with their indexes in place; `worker` tells replicas apart in what they claim.

    Without a `stream` nobody is told at once that a web chat has a new line.
    """
    worker = worker or worker_name()
    keys = settings.key_ring()
    messages = MessageRepository(database, worker, now)
    numbers = NumberRepository(database, now)
    links = NumberLinkRepository(database, now)
    stats = AgentStatsRepository(database, now)
    statuses = StatusRepository(database, now)
    threads = ThreadRepository(database, now)
    copies = TemplateCopyRepository(database, now)
    contacts = ContactRepository(database, now)
    groups = GroupRepository(database, now)
    credits, charges = CreditRepository(database, now), ChargeRepository(database, groups, now)
    consents, erasure = ConsentRepository(database, now), ErasureRepository(database, groups, now)
    for repository in (messages, groups, numbers, links, stats, statuses, threads, copies, contacts, consents, erasure):
        await repository.ensure_indexes()
    await credits.ensure_indexes()
    await charges.ensure_indexes()
    rates = RateRepository(database)
    announcer = Announcer(bus, messages)
    stops, holding = StopRepository(database, now), HoldingRepository(database, groups, now)
    stopping = Stopping(stops, holding)
    ledger = Ledger(credits, charges, settings.default_credits)
    book = ConsentBook(bus, consents, contacts, stops, holding)
    recent = RecentNumbers(numbers)
    consequences = Consequences(ledger, book, recent, rates, now)
    recorder = Recorder(messages, announcer, consequences)
    dispatcher = Dispatcher(messages, meta, recorder, stopping, Groups(groups, worker), keys)
    sweeps = SweepRepository(database, worker, now)
    sweeper = Sweeper(sweeps, groups, numbers, rates, erasure, dispatcher, announcer, settings.timing_for)
    sending = Sending(messages, threads, rates, dispatcher, settings.timing_for, now)
    preparation = Preparation(recent, TemplateLookup(copies, bus), contacts, now)
    room = Room()
    receipts = ReadReceipts(meta.session, meta.base_url, settings.instagram_base_url, keys)
    conversations = await conversing(
        database,
        bus,
        now,
        messages=messages,
        announcer=announcer,
        book=book,
        copies=copies,
        receipts=receipts,
        media_client=MediaClient(meta.session, meta.base_url, settings.media_max_bytes),
        stream=stream or MemoryStream(),
    )
    return Messaging(
        dispatcher=dispatcher,
        sweeper=sweeper,
        sends=SendHandlers(
            bus,
            preparation,
            messages,
            sending,
            ledger,
            conversations.replies,
            conversations.webchat_sends,
            conversations.windows,
            room,
            settings.metered_sources,
        ),
        batches=BatchHandlers(bus, preparation, sending, room=room),
        rendering=RenderingHandlers(bus, preparation, TimelineRepository(database)),
        statuses=StatusHandlers(bus, statuses, sweeper, consequences, conversations.senders),
        numbers=NumberHandlers(bus, numbers, meta, keys, now, settings.default_messages_per_second),
        links=NumberLinkHandlers(bus, numbers, links, stats, recent.forget),
        verification=VerificationHandlers(
            bus,
            numbers,
            whatsapp=GraphReader(meta.session, meta.base_url),
            instagram=GraphReader(meta.session, settings.instagram_base_url),
            keys=keys,
        ),
        templates=TemplateCopyHandlers(bus, copies),
        credits=CreditHandlers(bus, ledger),
        audience=AudienceHandlers(bus, preparation, contacts, stops, stopping, settings.is_local),
        contacts=ContactHandlers(bus, contacts, book, erasure, now),
        conversations=conversations,
    )


async def run(environ: Mapping[str, str], stop: asyncio.Event) -> None:
    """Run until told to stop; then let what is being sent come to its end.

    Raises ConfigurationError when the environment does not allow a start.
    """
    settings = Settings.from_env(environ)
    async with AsyncExitStack() as stack:
        meta = await stack.enter_async_context(
            meta_client(settings.meta_graph_url, settings.meta_graph_version, settings.instagram_base_url)
        )
        service = await stack.enter_async_context(running("messaging", settings, settings.messaging_ops_bind))
        amqp_url = settings.amqp_url.get_secret_value()
        stream = await stack.enter_async_context(rabbit_stream(amqp_url, service="messaging"))
        messaging = await build(service.database, service.bus, meta, settings, stream=stream)
        messaging.register()
        stack.push_async_callback(messaging.drain)
        for name, work, seconds in (
            ("sweeper", messaging.sweeper.sweep, SWEEP_SECONDS),
            ("parked_statuses", messaging.statuses.apply_parked, PARKED_SECONDS),
            ("waba_subscriptions", messaging.numbers.subscribe_wabas, SUBSCRIBE_SECONDS),
            ("agent_links", messaging.links.check_links, LINKS_SECONDS),
            ("credits", messaging.credits.ledger.sweep, LEDGER_SECONDS),
            ("consents", messaging.contacts.consents.sweep, CONSENTS_SECONDS),
            ("erasures", messaging.contacts.erasure.finish_all, ERASURES_SECONDS),
            *messaging.conversations.loops(),
        ):
            await stack.enter_async_context(repeating(name, work, seconds=seconds))
        await service.until(stop)
