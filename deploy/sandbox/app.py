"""The composition root: builds everything and wires the routes."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from aiohttp import web

from .agenda import Agenda
from .faults import Faults
from .inbound import Inbox
from .ledger import Ledger
from .limits import Limits
from .numbers import Numbers
from .routes.control import ControlRoutes
from .routes.messages import MessageRoutes
from .sending import SendDesk
from .settings import Settings
from .statuses import StatusFlow
from .templates.review import Reviewer
from .templates.store import Templates
from .webhooks.handshake import Handshake
from .webhooks.sender import WebhookSender

MAX_BODY_BYTES = 16 * 1024 * 1024


def build(settings: Settings) -> web.Application:
    """The sandbox as an application; its webhooks are posted while it runs."""
    rng = random.Random()
    agenda, faults, numbers, templates, limits, ledger = (
        Agenda(),
        Faults(),
        Numbers(),
        Templates(),
        Limits(),
        Ledger(),
    )
    webhooks = WebhookSender(settings.webhook_url, settings.app_secret, agenda, faults)
    flow = StatusFlow(agenda, faults, webhooks, rng)
    reviewer = Reviewer(agenda, faults, webhooks, rng)
    desk = SendDesk(numbers, templates, reviewer, limits, faults, ledger, flow, rng)
    inbox = Inbox(numbers, limits, webhooks, rng)

    def start_over() -> None:
        for memory in (faults, numbers, templates, limits, ledger, webhooks):
            memory.reset()
        agenda.clear()
        desk.failures.clear()
        inbox.messages.clear()

    handshake = Handshake(settings.webhook_url, settings.verify_token)
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app.add_routes(MessageRoutes(desk, inbox, faults, rng).table())
    app.add_routes(ControlRoutes(ledger, inbox, faults, numbers, templates, handshake, start_over).table())
    app.cleanup_ctx.append(_posting(webhooks))
    return app


def _posting(webhooks: WebhookSender) -> Callable[[web.Application], AsyncIterator[None]]:
    async def context(app: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(webhooks.run())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    return context
