"""Which addresses a URL that somebody else chose may lead to, so that nobody reaches our inner network through us.

The lists are explicit: `ipaddress.is_global` of Python 3.11 lets 192.0.0.8, ::127.0.0.1, 64:ff9b::/96 and 2002::/16
through. Source: IANA special-purpose address registries.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from yarl import URL

from shared.errors import InvalidInputError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

ORDINARY_PORTS = frozenset({80, 443, 8443})
MAX_URL_LENGTH = 2048

_DENIED_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_ALLOWED_V6 = IPv6Network("2000::/3")  # all that is handed out as global unicast; everything outside it is denied
_DENIED_V6 = tuple(IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that may be called if its address may. `is_ordinary`: https on one of the ordinary ports."""

    url: URL
    host: str
    port: int
    is_ordinary: bool


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """Public addresses for ordinary URLs; beyond that only the networks that an operator has named, and loopback
    where `loopback_allowed` says that this is a developer's machine.
    """

    allowed: tuple[Network, ...] = ()
    loopback_allowed: bool = False

    def permits(self, address: str, *, is_ordinary: bool) -> bool:
        """Whether a connection to an address (a literal, perhaps with an IPv6 zone) may be opened."""
        literal = read_address(address)
        if literal is None:
            return False
        return self._is_exempt(literal) or (is_ordinary and is_public(literal))

    def _is_exempt(self, address: Address) -> bool:
        networks = (*self.allowed, *_LOOPBACK) if self.loopback_allowed else self.allowed
        return any(address in network for network in networks)


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _DENIED_V4)
    return address in _ALLOWED_V6 and not any(address in network for network in _DENIED_V6)


def read_address(text: str) -> Address | None:
    """The address that a literal means to the kernel: ::ffff:10.0.0.1 is 10.0.0.1. None when it is a name."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def parse_target(url: str) -> Target:
    """Read a receiver's URL. Raises InvalidInputError naming `url` for a form that is never called."""
    if len(url) > MAX_URL_LENGTH:
        raise refused_url(f"must not be longer than {MAX_URL_LENGTH} characters")
    if any(character <= " " or character in "\\\x7f" for character in url):
        raise refused_url("must not contain spaces, backslashes or control characters")
    try:
        parsed = URL(url)
        host, port = parsed.raw_host, parsed.port
    except ValueError:
        raise refused_url("is not a URL") from None
    if parsed.scheme not in {"http", "https"} or not host or not port:
        raise refused_url("must be an http or https URL with a host")
    if parsed.user is not None or parsed.password is not None:
        raise refused_url("must not contain a user name or password")
    is_ordinary = parsed.scheme == "https" and port in ORDINARY_PORTS
    return Target(parsed, host, port, is_ordinary)


def check_addresses(target: Target, addresses: list[str], policy: AddressPolicy) -> None:
    """Refuse a target one of whose addresses may not be called. Raises InvalidInputError naming `url`."""
    if all(policy.permits(address, is_ordinary=target.is_ordinary) for address in addresses):
        return
    if target.is_ordinary:
        raise refused_url("leads to an address that is not on the public internet")
    raise refused_url("must be https on port 443, 8443 or 80")


def refused_url(reason: str) -> InvalidInputError:
    """The error for a URL we do not call."""
    return InvalidInputError(f"url {reason}", details=[{"field": "url", "message": reason}])
