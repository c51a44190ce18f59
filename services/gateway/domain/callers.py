"""Where a request really comes from, when proxies stand in between."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network


def caller_address(peer: str | None, forwarded: str | None, proxies: Sequence[Network]) -> str | None:
    """The address of whoever the last trusted proxy took the request from; without one, the peer's.

    `forwarded` is X-Forwarded-For: each proxy adds its peer at the end, and what stands before a hop that we do not
    trust is anybody's word.
    """
    address = peer
    hops = [hop.strip() for hop in (forwarded or "").split(",") if hop.strip()]
    while hops and is_within(address, proxies):
        address = hops.pop()
    return address


def is_within(address: str | None, networks: Sequence[Network]) -> bool:
    """Whether an address belongs to one of the networks; one that cannot be read belongs to none."""
    parsed = _parsed(address or "")
    return parsed is not None and any(parsed in network for network in networks)


def is_loopback(address: str | None) -> bool:
    """Whether an address is this machine's own."""
    parsed = _parsed(address or "")
    return parsed is not None and parsed.is_loopback


@lru_cache  # the same few proxies, or this machine, ask all the time
def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(address)
    except ValueError:
        return None
