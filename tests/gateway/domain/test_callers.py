"""Where a request comes from: the peer, unless a trusted proxy says otherwise."""

from ipaddress import ip_network

import pytest

from services.gateway.domain.callers import caller_address

PROXIES = (ip_network("172.18.0.0/16"), ip_network("2001:db8::/32"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "caller"),
    [
        ("203.0.113.9", None, "203.0.113.9"),
        ("203.0.113.9", "10.0.0.1", "203.0.113.9"),  # anybody can write the header
        ("172.18.0.2", "198.51.100.7", "198.51.100.7"),
        ("172.18.0.2", "10.0.0.1, 198.51.100.7", "198.51.100.7"),  # what stands before an untrusted hop is its word
        ("172.18.0.2", "198.51.100.7, 172.18.0.3", "198.51.100.7"),
        ("2001:db8::1", "2001:db8::2, ::1", "::1"),
        ("172.18.0.2", None, "172.18.0.2"),
        ("172.18.0.2", " , ", "172.18.0.2"),
        ("172.18.0.2", "unknown", "unknown"),
        (None, "198.51.100.7", None),
    ],
)
def test_only_trusted_proxies_are_believed(peer: str | None, forwarded: str | None, caller: str | None) -> None:
    assert caller_address(peer, forwarded, PROXIES) == caller
