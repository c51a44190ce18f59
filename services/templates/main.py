"""Builds templates and runs it."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import aiohttp

from services.templates.clients.graph import Graph
from services.templates.clients.meta import MetaClient
from services.templates.clients.samples import SampleClient
from services.templates.handlers.access import NumberLookup
from services.templates.handlers.announcements import Announcements
from services.templates.handlers.clicks import ClickHandlers
from services.templates.handlers.deletions import DeletionHandlers, TemplateEraser
from services.templates.handlers.details import Details
from services.templates.handlers.discovery import DiscoveryHandlers
from services.templates.handlers.drafts import DraftHandlers
from services.templates.handlers.outcomes import OutcomeHandlers
from services.templates.handlers.submissions import LEASE, Patience, SampleUploader, SubmissionHandlers, TemplateDesk
from services.templates.handlers.sync import SyncHandler, TemplateSource
from services.templates.handlers.templates import TemplateHandlers
from services.templates.repositories.clicks import ClickRepository
from services.templates.repositories.counters import CounterRepository
from services.templates.repositories.drafts import DraftRepository
from services.templates.repositories.templates import TemplateRepository
from services.templates.settings import TemplatesSettings
from shared.bus.port import Bus
from shared.clock import Clock, utc_now
from shared.ids import new_id
from shared.mongo import Database
from shared.outbound.addresses import AddressPolicy
from shared.outbound.guard import UrlGuard
from shared.periodic import repeating
from shared.sealing import KeyRing
from shared.service import running

_RELAY_SECONDS = 1.0
_SETTLE_SECONDS = 5.0


async def run(environ: Mapping[str, str], stop: asyncio.Event) -> None:
    """Run until told to stop. Raises ConfigurationError when the environment does not allow a start."""
    settings = TemplatesSettings.from_env(environ)
    keys = settings.key_ring()
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        service = await stack.enter_async_context(running("templates", settings, settings.templates_ops_bind))
        graph = Graph(session, settings.graph_base_url())
        guard = UrlGuard(AddressPolicy(loopback_allowed=settings.is_local))
        stack.push_async_callback(guard.resolver.close)
        samples = SampleClient(graph, guard, settings.meta_app_id)
        lease = timedelta(seconds=settings.submit_lease_seconds)
        built = await build(service.database, service.bus, MetaClient(graph), samples, keys, submit_lease=lease)
        built.register()
        for name, work, seconds in (
            ("templates.relay", built.announcements.relay, _RELAY_SECONDS),
            ("templates.settle", built.submissions.settle_lost, _SETTLE_SECONDS),
        ):
            await stack.enter_async_context(repeating(name, work, seconds=seconds))
        await service.until(stop)


@dataclass(frozen=True, slots=True)
class Templates:
    """Everything that answers, listens or works by itself."""

    announcements: Announcements
    templates: TemplateHandlers
    discovery: DiscoveryHandlers
    details: Details
    drafts: DraftHandlers
    submissions: SubmissionHandlers
    deletions: DeletionHandlers
    clicks: ClickHandlers
    outcomes: OutcomeHandlers

    def register(self) -> None:
        """Tell the bus which message goes where."""
        for handlers in (self.templates, self.discovery, self.details, self.drafts):
            handlers.register()
        for others in (self.submissions, self.deletions, self.clicks, self.outcomes):
            others.register()


class Meta(TemplateSource, TemplateDesk, TemplateEraser, Protocol):
    """All that is asked of Meta."""


async def build(
    database: Database,
    bus: Bus,
    meta: Meta,
    samples: SampleUploader,
    keys: KeyRing,
    *,
    now: Clock = utc_now,
    submit_lease: timedelta = LEASE,
) -> Templates:
    """The service on a database and a bus, with its indexes in place."""
    templates, drafts = TemplateRepository(database), DraftRepository(database)
    clicks, counters = ClickRepository(database), CounterRepository(database)
    for repository in (templates, drafts, clicks, counters):
        await repository.ensure_indexes()
    numbers = NumberLookup(bus)
    announcements = Announcements(templates, bus, now)
    sync = SyncHandler(templates, numbers, meta, announcements, keys, now, new_id)
    details = Details(templates, drafts, counters, bus)
    return Templates(
        announcements=announcements,
        templates=TemplateHandlers(templates, numbers, sync, announcements, bus, now),
        discovery=DiscoveryHandlers(templates, numbers, bus),
        details=details,
        drafts=DraftHandlers(templates, drafts, details, numbers, announcements, bus, now, new_id),
        submissions=SubmissionHandlers(
            templates, drafts, numbers, meta, samples, announcements, bus, keys, now, new_id, Patience(submit_lease)
        ),
        deletions=DeletionHandlers(templates, numbers, meta, announcements, bus, keys, now),
        clicks=ClickHandlers(templates, clicks, bus),
        outcomes=OutcomeHandlers(counters, bus, now),
    )
