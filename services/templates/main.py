"""Builds templates and runs it."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack

import aiohttp

from services.templates.clients.meta import MetaClient
from services.templates.handlers.access import NumberLookup
from services.templates.handlers.announcements import Announcements
from services.templates.handlers.discovery import DiscoveryHandlers
from services.templates.handlers.sync import SyncHandler
from services.templates.handlers.templates import TemplateHandlers
from services.templates.repositories.templates import TemplateRepository
from services.templates.settings import TemplatesSettings
from shared.clock import utc_now
from shared.ids import new_id
from shared.periodic import repeating
from shared.sealing import KeyRing
from shared.service import Running, running

_RELAY_SECONDS = 1.0


async def run(environ: Mapping[str, str], stop: asyncio.Event) -> None:
    """Run until told to stop. Raises ConfigurationError when the environment does not allow a start."""
    settings = TemplatesSettings.from_env(environ)
    keys = settings.key_ring()
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        service = await stack.enter_async_context(running("templates", settings, settings.templates_ops_bind))
        announcements = await _register(service, MetaClient(session, settings.graph_base_url()), keys)
        await stack.enter_async_context(repeating("templates.relay", announcements.relay, seconds=_RELAY_SECONDS))
        await service.until(stop)


async def _register(service: Running, meta: MetaClient, keys: KeyRing) -> Announcements:
    templates = TemplateRepository(service.database)
    await templates.ensure_indexes()
    numbers = NumberLookup(service.bus)
    announcements = Announcements(templates, service.bus, utc_now)
    sync = SyncHandler(templates, numbers, meta, announcements, keys, utc_now, new_id)
    TemplateHandlers(templates, numbers, sync, announcements, service.bus, utc_now).register()
    DiscoveryHandlers(templates, numbers, service.bus).register()
    return announcements
