"""The composition root: builds everything and wires the routes."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from aiohttp import web

from .agenda import Agenda
from .faults import Faults
from .files import Files
from .gate import Gate
from .inbound import Inbox
from .instagram import InstagramDesk
from .ledger import Ledger
from .limits import Limits
from .media import MediaFetcher
from .numbers import Numbers
from .openai.desk import ResponseDesk
from .phone import Phone
from .receiver import Receiver
from .routes.control import ControlRoutes
from .routes.messages import MessageRoutes
from .routes.nodes import NodeRoutes
from .routes.openai import OpenAIRoutes
from .routes.phone import PhoneRoutes
from .routes.receiver import ReceiverRoutes
from .routes.templates import TemplateRoutes
from .routes.uploads import UploadRoutes
from .sending import SendDesk
from .settings import Settings
from .statuses import StatusFlow
from .templates.desk import TemplateDesk
from .templates.review import Reviewer
from .templates.sends import TemplateSends
from .templates.store import Templates
from .webhooks.handshake import Handshake
from .webhooks.sender import WebhookSender

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 16 * 1024 * 1024


def build(settings: Settings) -> web.Application:
    """The sandbox as an application; its webhooks are posted while it runs."""
    rng = random.Random()
    agenda, faults = Agenda(), Faults()
    numbers, templates, limits, ledger, receiver = Numbers(), Templates(), Limits(), Ledger(), Receiver()
    webhooks = WebhookSender(settings.webhook_url, settings.app_secret, agenda, faults)
    reviewer = Reviewer(agenda, faults, webhooks, rng)
    media, gate = MediaFetcher(), Gate(limits, faults, rng)
    flow = StatusFlow(agenda, faults, webhooks, media, rng)
    sends = SendDesk(numbers, gate, TemplateSends(templates, numbers, reviewer), ledger, flow, faults, rng)
    template_desk = TemplateDesk(templates, reviewer, faults)
    inbox, files = Inbox(numbers, limits, webhooks, rng), Files(rng)
    instagram = InstagramDesk(ledger, inbox, webhooks, agenda, faults, rng)
    responses = ResponseDesk()
    uploads = UploadRoutes()
    nodes = NodeRoutes(numbers, templates, template_desk, settings.app_id, files)

    def start_over() -> None:
        logs = (ledger, receiver, inbox, gate, limits)
        for memory in (agenda, webhooks, media, files, faults, numbers, templates, nodes, responses, *logs):
            memory.reset()

    handshake = Handshake(settings.webhook_url, settings.verify_token)
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    # The order matters: the first route that fits is taken, and the send path should be found at once.
    for routes in (
        MessageRoutes(sends, inbox, instagram, faults, rng),
        ControlRoutes(
            ledger, inbox, instagram, files, faults, templates, handshake, webhooks.count_pending, start_over
        ),
        ReceiverRoutes(receiver),
        PhoneRoutes(Phone(ledger, inbox, templates), numbers),
        OpenAIRoutes(responses),
        TemplateRoutes(numbers, templates, template_desk),
        uploads,
        nodes,
    ):
        app.add_routes(routes.table())
    app.cleanup_ctx.append(_background(webhooks, media))
    return app


def _background(webhooks: WebhookSender, media: MediaFetcher) -> Callable[[web.Application], AsyncIterator[None]]:
    async def context(app: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(webhooks.run())
        task.add_done_callback(_stop_if_broken)
        yield
        media.reset()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    return context


def _stop_if_broken(posting: asyncio.Task[None]) -> None:
    """A sandbox that silently posts no more webhooks would look like lost messages: rather stop."""
    if not posting.cancelled() and (error := posting.exception()):
        log.critical("the webhook sender is broken, stopping", exc_info=error)
        raise web.GracefulExit
