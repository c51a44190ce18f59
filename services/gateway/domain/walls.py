"""Who may reach the private listener, which asks for no login.

It is meant for loopback, but any web page that an operator opens can send requests there, directly or after
rebinding its own name to 127.0.0.1. Checking Host and Origin stops both.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address
from urllib.parse import urlsplit

from shared.errors import MisdirectedRequestError, PermissionDeniedError

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")
LOCAL_ORIGINS = tuple(f"http://{host}:{port}" for host in ("localhost", "127.0.0.1") for port in (5173, 4173, 3000))

_PORT = re.compile(r":\d{1,5}$")

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Visit:
    """What a request says about where it comes from."""

    host: str | None
    origin: str | None = None
    fetch_site: str | None = None
    peer: str | None = None


@dataclass(frozen=True, slots=True)
class Walls:
    """The rules: hosts (without a port: any port), browser origins, and networks when loopback is left."""

    hosts: tuple[str, ...] = LOOPBACK_HOSTS
    origins: tuple[str, ...] = LOCAL_ORIGINS
    networks: tuple[Network, ...] = ()

    def check(self, visit: Visit) -> None:
        """Raise MisdirectedRequestError or PermissionDeniedError for a visit that these rules do not let in."""
        if self.networks and not self._is_trusted(visit.peer):
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

    def allows_origin(self, visit: Visit) -> bool:
        """Whether the page that asks is a dashboard of ours, or was served by this very host."""
        if visit.origin in self.origins:
            return True
        return visit.origin is not None and visit.host is not None and _netloc(visit.origin) == visit.host.lower()

    def _is_our_host(self, host: str | None) -> bool:
        if host is None:
            return False
        lowered = host.lower()
        return lowered in self.hosts or _PORT.sub("", lowered) in self.hosts

    def _is_trusted(self, peer: str | None) -> bool:
        try:
            address = ip_address(peer or "")
        except ValueError:
            return False
        return address.is_loopback or any(address in network for network in self.networks)


def _netloc(origin: str) -> str:
    try:
        parts = urlsplit(origin.lower())
    except ValueError:
        return ""
    return parts.netloc if parts.scheme in {"http", "https"} else ""
