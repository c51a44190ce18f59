"""What an operator asks a service: is it alive, is it ready, which version is it, what are its figures."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version

import structlog
from aiohttp import web

from shared.settings import BOOT_ID
from shared.web.app import web_app
from shared.web.envelopes import json_response
from shared.web.metrics import metrics_text

CHECK_TIMEOUT_SECONDS = 2.0  # a probe must hear an answer before its own patience ends

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Readiness:
    """What must work before a service takes traffic; each check raises when it does not."""

    checks: Mapping[str, Callable[[], Awaitable[None]]]
    _draining: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def drain(self) -> None:
        """From now on /readyz says no, so that nothing new is sent here while the service stops."""
        self._draining.set()

    async def failing(self) -> dict[str, str]:
        """The checks that fail, each with the name of its error: texts might hold an address with a password."""
        if self._draining.is_set():
            return {"draining": "the service is stopping"}
        found = await asyncio.gather(*(_failure(check) for check in self.checks.values()))
        return {name: error for name, error in zip(self.checks, found, strict=True) if error is not None}


async def _failure(check: Callable[[], Awaitable[None]]) -> str | None:
    """What a check raised, or that it took too long.

    A slow check is left to end by itself: an operation of PyMongo that is cancelled while it looks for a server can
    leave its client's lock behind, and every later operation would wait for ever.
    """
    probe = asyncio.ensure_future(check())
    ended, _ = await asyncio.wait({probe}, timeout=CHECK_TIMEOUT_SECONDS)
    if not ended:
        probe.add_done_callback(lambda late: late.cancelled() or late.exception())  # nobody asks for it any more
        return TimeoutError.__name__
    error = probe.exception()
    return type(error).__name__ if error else None


def ops_routes(service: str, readiness: Readiness) -> list[web.RouteDef]:
    """/healthz (alive), /readyz (takes traffic), /version and /metrics."""

    async def healthz(_request: web.Request) -> web.Response:
        return json_response({"status": "ok"}, 200)

    async def readyz(_request: web.Request) -> web.Response:
        failing = await readiness.failing()
        if failing:
            log.info("not_ready", failing=failing)
            return json_response({"status": "not_ready", "failing": failing}, 503)
        return json_response({"status": "ready", "checks": list(readiness.checks)}, 200)

    async def show_version(_request: web.Request) -> web.Response:
        return json_response({"service": service, "version": product_version(), "boot_id": BOOT_ID}, 200)

    async def metrics(_request: web.Request) -> web.Response:
        body, content_type = metrics_text()
        return web.Response(body=body, headers={"Content-Type": content_type})

    return [
        web.get("/healthz", healthz),
        web.get("/readyz", readyz),
        web.get("/version", show_version),
        web.get("/metrics", metrics),
    ]


def ops_app(service: str, readiness: Readiness) -> web.Application:
    """The operations listener of a service that has no other."""
    return web_app(ops_routes(service, readiness), service=service)


def product_version() -> str:
    """The version that is installed; a checkout that runs from its folder says `dev`."""
    try:
        return version("waapi")
    except PackageNotFoundError:
        return "dev"
