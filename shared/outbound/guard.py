"""The guard in front of every URL that somebody else chose: checked when it is given, enforced at each connect.

The check at registration only spares people a surprise; a name may lead elsewhere a second later. What protects us is
the socket factory: it sees the very address that is connected to, for names, literals and every fallback alike.
"""

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from shared.outbound.addresses import AddressPolicy, check_addresses, parse_target, read_address, refused_url

REGISTRATION_SECONDS = 2.0
_RESOLVER_THREADS = 32  # uvloop's own four would let a few dead name servers hold up every endpoint
_IDLE_CONNECTION_SECONDS = 3.0  # shorter than the five seconds after which common servers hang up


class ForbiddenAddressError(OSError):
    """A connection to an address that must not be reached from here; nothing was sent."""


class NameResolver(AbstractResolver):
    """The system's resolver in threads of its own, without any memory of earlier answers."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_RESOLVER_THREADS, thread_name_prefix="resolve")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a name. Raises OSError when it has none."""
        loop = asyncio.get_running_loop()
        look_up: Callable[..., Any] = socket.getaddrinfo
        found = await loop.run_in_executor(self._threads, look_up, host, port, family, socket.SOCK_STREAM)
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """Let go of the threads; a look-up under way ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True, slots=True)
class UrlGuard:
    """Decides which URLs may be called."""

    policy: AddressPolicy
    resolver: NameResolver = field(default_factory=NameResolver)

    async def check(self, url: str) -> None:
        """Raise InvalidInputError naming `url` when it may not be called as things are now.

        A name that does not resolve passes: it may exist tomorrow, and the connect is guarded anyway.
        """
        target = parse_target(url)
        check_addresses(target, await self._addresses(target.host, target.port), self.policy)

    def connector(self, *, is_ordinary: bool) -> aiohttp.TCPConnector:
        """Connections to addresses that the policy permits for ordinary URLs, or for all others."""
        return aiohttp.TCPConnector(
            resolver=self.resolver,
            use_dns_cache=False,
            limit=0,  # whoever sends bounds what is in flight
            keepalive_timeout=_IDLE_CONNECTION_SECONDS,
            socket_factory=guarded_socket_factory(self.policy, is_ordinary=is_ordinary),
        )

    async def _addresses(self, host: str, port: int) -> list[str]:
        if read_address(host) is not None:
            return [host]
        try:
            async with asyncio.timeout(REGISTRATION_SECONDS):
                return [result["host"] for result in await self.resolver.resolve(host, port)]
        except OSError:  # no such name, or no answer in time
            return []
        except UnicodeError:
            raise refused_url("has a host name that cannot exist") from None


def guarded_socket_factory(policy: AddressPolicy, *, is_ordinary: bool) -> Callable[[Any], socket.socket]:
    """A socket factory for aiohttp that refuses what the policy does not permit, before any packet leaves."""

    def make_socket(address_info: Any) -> socket.socket:
        family, kind, protocol, _, address = address_info
        if not policy.permits(address[0], is_ordinary=is_ordinary):
            raise ForbiddenAddressError(f"the address {address[0]} must not be called")
        return socket.socket(family, kind, protocol)

    return make_socket
