"""Builds the gateway and runs it until told to stop."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack

from aiohttp import web

from services.gateway.domain.media_links import MediaLinks
from services.gateway.domain.renderings import Renderings
from services.gateway.repositories.api_keys import ApiKeyRepository
from services.gateway.repositories.idempotency_keys import IdempotencyRepository
from services.gateway.repositories.key_rates import KeyRateRepository
from services.gateway.repositories.revoked_tokens import RevokedTokenRepository
from services.gateway.repositories.users import UserRepository
from services.gateway.routes.admin_login import AdminLogin, AdminTokenRoutes
from services.gateway.routes.agents import AgentRoutes
from services.gateway.routes.api_docs import PRIVATE_DOCS, PUBLIC_DOCS
from services.gateway.routes.api_key_login import ApiKeyLogin
from services.gateway.routes.api_keys import ApiKeyRoutes
from services.gateway.routes.asking import Asking
from services.gateway.routes.button_clicks import ButtonClickRoutes
from services.gateway.routes.campaign_events import CampaignEvents
from services.gateway.routes.campaign_recipients import CampaignRecipientRoutes
from services.gateway.routes.campaigns import CampaignRoutes
from services.gateway.routes.channels import ChannelRoutes
from services.gateway.routes.contacts import ContactRoutes
from services.gateway.routes.conversations import ConversationRoutes
from services.gateway.routes.credits import CreditRoutes
from services.gateway.routes.dead_letters import DeadLetterRoutes
from services.gateway.routes.deliveries import DeliveryRoutes
from services.gateway.routes.discovery import DiscoveryRoutes
from services.gateway.routes.event_stream import EventStream
from services.gateway.routes.external import BodyRules, ExternalRoutes
from services.gateway.routes.idempotent import Idempotency
from services.gateway.routes.legacy import LegacyRoutes
from services.gateway.routes.media import MediaRoutes
from services.gateway.routes.not_founds import NotFounds
from services.gateway.routes.ownership import Ownership
from services.gateway.routes.phone_numbers import PhoneNumberRoutes
from services.gateway.routes.private_walls import PrivateWalls
from services.gateway.routes.prompts import PromptRoutes
from services.gateway.routes.rate_limit import RateLimit
from services.gateway.routes.sending import SendingRoutes
from services.gateway.routes.templates import TemplateRoutes
from services.gateway.routes.users import UserRoutes
from services.gateway.routes.webchat import Visitors, WebchatRoutes
from services.gateway.routes.webchat_events import WebchatEvents
from services.gateway.routes.webchat_identity import WebchatIdentityRoutes
from services.gateway.routes.webchat_walls import WebchatLimits, WebchatWalls, origin_of_url
from services.gateway.routes.webhooks import WebhookRoutes
from services.gateway.routes.widget_files import widget_routes
from services.gateway.settings import GatewaySettings
from shared.bus.dead_letters import DeadLetters, RabbitDeadLetters
from shared.bus.port import Bus
from shared.bus.rabbit import rabbit_bus
from shared.bus.stream import Stream, rabbit_stream
from shared.clock import utc_now
from shared.mongo import TRANSIENT_ERRORS, Database, connect, database_of, ping_primary
from shared.web.app import web_app
from shared.web.ops import Readiness, ops_routes
from shared.web.server import serving

SERVICE = "gateway"

_DATABASE_PATIENCE_MS = 5000  # a caller hears 503 within six seconds
_NOTICE_SECONDS = 1.0  # for whoever watches /readyz to send the next request elsewhere


async def run(environ: Mapping[str, str], stop: asyncio.Event) -> None:
    """Serve both listeners until `stop` is set; requests under way are finished."""
    settings = GatewaySettings.from_env(environ)
    async with AsyncExitStack() as stack:
        mongodb_url = settings.mongodb_url.get_secret_value()
        client = await connect(mongodb_url, app_name=SERVICE, operation_timeout_ms=_DATABASE_PATIENCE_MS)
        stack.push_async_callback(client.close)
        amqp_url = settings.amqp_url.get_secret_value()
        bus = await stack.enter_async_context(rabbit_bus(amqp_url, service=SERVICE, transient=TRANSIENT_ERRORS))
        stream = await stack.enter_async_context(rabbit_stream(amqp_url, service=SERVICE))
        database = database_of(client, SERVICE, prefix=settings.database_prefix)
        await ensure_indexes(database)

        readiness = Readiness({"mongodb": lambda: ping_primary(client), "rabbitmq": bus.check})
        private, public = build_apps(settings, database, bus, readiness, stream)
        # The private listener last: it serves /readyz, which then means that both are open.
        await stack.enter_async_context(serving(public, settings.gateway_public_bind))
        await stack.enter_async_context(serving(private, settings.gateway_private_bind))

        await stop.wait()
        readiness.drain()
        await asyncio.sleep(_NOTICE_SECONDS)


async def ensure_indexes(database: Database) -> None:
    """Create the indexes of all collections."""
    await UserRepository(database).ensure_indexes()
    await ApiKeyRepository(database).ensure_indexes()
    await KeyRateRepository(database).ensure_indexes()
    await IdempotencyRepository(database).ensure_indexes()
    await RevokedTokenRepository(database).ensure_indexes()


def build_apps(
    settings: GatewaySettings,
    database: Database,
    bus: Bus,
    readiness: Readiness,
    stream: Stream,
    *,
    dead_letters: DeadLetters | None = None,
) -> tuple[web.Application, web.Application]:
    """The private and the public application; `dead_letters` by default are those of the broker."""
    users, keys = UserRepository(database), ApiKeyRepository(database)
    asking, ring, pepper = Asking(bus), settings.key_ring, settings.api_key_pepper.get_secret_value()
    idempotency = Idempotency(IdempotencyRepository(database), ring, utc_now, TRANSIENT_ERRORS)
    login = ApiKeyLogin(keys, RateLimit(KeyRateRepository(database), time.monotonic), pepper, utc_now)
    rules = BodyRules(local=settings.is_local, meta_strict=settings.meta_strict)
    external = (
        *ExternalRoutes(login, idempotency, asking, utc_now, rules).table(),
        *DiscoveryRoutes(login, asking).table(),
    )
    templates, button_clicks = TemplateRoutes(users, asking, idempotency, Renderings()), ButtonClickRoutes(asking)
    campaign_events, event_stream = CampaignEvents(asking), EventStream(asking)
    media = MediaRoutes(asking, MediaLinks(pepper, settings.public_base_url.rstrip("/")), utc_now)
    dashboard = (
        *UserRoutes(users, asking, idempotency, utc_now).table(),
        *PhoneNumberRoutes(users, keys, asking, idempotency, ring, utc_now).table(),
        *AgentRoutes(users, asking, idempotency).table(),
        *PromptRoutes(users, asking, idempotency).table(),
        *ChannelRoutes(users, asking, idempotency, settings.public_base_url.rstrip("/")).table(),
        *WebchatIdentityRoutes(asking, idempotency, ring).table(),
        *SendingRoutes(asking, idempotency, utc_now, settings.is_local).table(),
        *ContactRoutes(users, asking, idempotency, settings.is_local).table(),
        *CreditRoutes(users, asking, idempotency).table(),
        *ConversationRoutes(asking, idempotency, utc_now, rules).table(),
        *media.table(),
        *DeadLetterRoutes(dead_letters or RabbitDeadLetters(settings.amqp_url.get_secret_value())).table(),
        *CampaignRoutes(asking, idempotency).table(),
        *CampaignRecipientRoutes(asking, idempotency).table(),
        *campaign_events.table(),
        *templates.table(),
        *button_clicks.table(),
        *LegacyRoutes(templates, button_clicks).table(),
        *AdminTokenRoutes(RevokedTokenRepository(database), utc_now).table(),
        *ApiKeyRoutes(keys, users, asking, idempotency, pepper, utc_now).table(),
        *WebhookRoutes(users, asking, idempotency, ring).table(),
        *DeliveryRoutes(asking, idempotency).table(),
        *event_stream.table(),
        *PRIVATE_DOCS.table(),
    )
    ops = ops_routes(SERVICE, readiness)
    healthz = [route for route in ops if route.path == "/healthz"]
    walls = _walls(settings, database, asking, login).middlewares()
    private = web_app((*dashboard, *external, *ops), service=SERVICE, middlewares=walls, transient=TRANSIENT_ERRORS)
    private.on_shutdown.extend((campaign_events.close, event_stream.close))
    public = _public_app(
        (*external, *media.files(), *PUBLIC_DOCS.table(), *healthz), settings, database, asking, stream
    )
    return private, public


def _walls(settings: GatewaySettings, database: Database, asking: Asking, login: ApiKeyLogin) -> PrivateWalls:
    limit = settings.not_founds_per_minute
    misses = KeyRateRepository(database, per_second=limit / 60, burst=limit)
    return PrivateWalls(
        walls=settings.walls,
        login=login,
        operators=AdminLogin(settings.admin_tokens, RevokedTokenRepository(database)),
        ownership=Ownership(asking),
        identity_key=settings.identity_key,
        not_founds=None if settings.is_local else NotFounds(misses),
    )


def _public_app(
    routes: Iterable[web.AbstractRouteDef],
    settings: GatewaySettings,
    database: Database,
    asking: Asking,
    stream: Stream,
) -> web.Application:
    """What the world may reach: the given routes, and web chats."""
    visitors = Visitors(asking, settings.key_ring, utc_now)
    limits = WebchatLimits(database, enabled=not settings.is_local, trusted_proxies=settings.trusted_proxies)
    events = WebchatEvents(visitors, asking, stream, settings.webchat_ping_seconds)
    webchat = (*WebchatRoutes(visitors, asking, limits, stream).table(), *events.table(), *widget_routes())
    walls = WebchatWalls(origin_of_url(settings.public_base_url)).middleware()
    app = web_app((*routes, *webchat), service=SERVICE, middlewares=(walls,), transient=TRANSIENT_ERRORS)
    app.on_shutdown.append(events.close)  # a stream would otherwise hold up the end for as long as it may last
    return app
