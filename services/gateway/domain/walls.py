"""Who may reach the private listener, which asks for no login.

It is meant for loopback, but any web page that an operator opens can send requests there, directly or after
rebinding its own name to 127.0.0.1. Checking Host and Origin stops both.
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from services.gateway.domain.callers import Network, caller_address, is_loopback, is_within
from shared.errors import MisdirectedRequestError, PermissionDeniedError, UnsupportedMediaTypeError

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")
LOCAL_ORIGINS = tuple(f"http://{host}:{port}" for host in ("localhost", "127.0.0.1") for port in (5173, 4173, 3000))

# No page of another site can send these without asking first; of the routes, each takes its own kind.
_BODY_TYPES = ("application/json", "text/csv", "application/x-ndjson")
_PORT = re.compile(r":\d{1,5}$")


@dataclass(frozen=True, slots=True)
class Visit:
    """What a request says about where it comes from."""

    host: str | None
    origin: str | None = None
    fetch_site: str | None = None
    peer: str | None = None
    forwarded: str | None = None  # X-Forwarded-For
    body_type: str | None = None  # Content-Type, when there is one


@dataclass(frozen=True, slots=True)
class Walls:
    """The rules: hosts (without a port: any port), browser origins, and networks when loopback is left.

    What `proxies` say about whom they speak for is believed. With `asks_proxies` only they are spoken to.
    """

    hosts: tuple[str, ...] = LOOPBACK_HOSTS
    origins: tuple[str, ...] = LOCAL_ORIGINS
    networks: tuple[Network, ...] = ()
    proxies: tuple[Network, ...] = ()
    asks_proxies: bool = False

    def check(self, visit: Visit) -> None:
        """Raise MisdirectedRequestError, PermissionDeniedError or UnsupportedMediaTypeError for an unwelcome visit."""
        if not self._is_trusted(visit):
            raise PermissionDeniedError("This address may not use the dashboard API", code="peer_not_allowed")
        if not self._is_our_host(visit.host):
            raise MisdirectedRequestError("The Host header names none of our hosts; ALLOWED_HOSTS lists them")
        if visit.origin is not None and not self.allows_origin(visit):
            raise PermissionDeniedError(
                "This origin may not use the dashboard API; CORS_ORIGINS lists those that may",
                code="origin_not_allowed",
            )
        if visit.origin is None and visit.fetch_site == "cross-site":
            raise PermissionDeniedError("Requests from other sites are not allowed", code="cross_site_not_allowed")
        if visit.body_type is not None and not _is_body_type(visit.body_type):
            raise UnsupportedMediaTypeError("The body must be sent with Content-Type: application/json, uncompressed")

    def allows_origin(self, visit: Visit) -> bool:
        """Whether the page that asks is a dashboard of ours, or was served by this very host."""
        if visit.origin in self.origins:
            return True
        return visit.origin is not None and visit.host is not None and _netloc(visit.origin) == visit.host.lower()

    def caller_of(self, visit: Visit) -> str | None:
        """Whose request it is, as far as trusted proxies tell."""
        return caller_address(visit.peer, visit.forwarded, self.proxies)

    def _is_our_host(self, host: str | None) -> bool:
        if host is None:
            return False
        lowered = host.lower()
        return lowered in self.hosts or _PORT.sub("", lowered) in self.hosts

    def _is_trusted(self, visit: Visit) -> bool:
        if visit.peer is None:  # no address at all, as on a Unix socket
            return not self.networks
        if self.asks_proxies:
            return is_loopback(visit.peer) or is_within(visit.peer, (*self.networks, *self.proxies))
        # On loopback alone, whoever has set up a proxy there answers for whom it lets in.
        caller = self.caller_of(visit) if self.networks else visit.peer
        return is_loopback(caller) or is_within(caller, self.networks)


def _is_body_type(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() in _BODY_TYPES


def _netloc(origin: str) -> str:
    try:
        parts = urlsplit(origin.lower())
    except ValueError:
        return ""
    return parts.netloc if parts.scheme in {"http", "https"} else ""
