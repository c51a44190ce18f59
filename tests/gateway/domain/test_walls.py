"""Who may reach the private listener."""

from ipaddress import ip_network

import pytest

from services.gateway.domain.walls import Visit, Walls
from shared.errors import MisdirectedRequestError, PermissionDeniedError

WALLS = Walls(hosts=("localhost", "waapi.internal:4000"), origins=("https://dashboard.example",))


@pytest.mark.parametrize("host", ["localhost", "localhost:1", "waapi.internal:4000", "WAAPI.internal:4000"])
def test_named_hosts_pass(host: str) -> None:
    WALLS.check(Visit(host=host))


@pytest.mark.parametrize("host", [None, "", "waapi.internal", "waapi.internal:80", "x.localhost", "localhost:x"])
def test_other_hosts_do_not(host: str | None) -> None:
    with pytest.raises(MisdirectedRequestError):
        WALLS.check(Visit(host=host))


@pytest.mark.parametrize("origin", ["https://dashboard.example", "http://localhost:4000"])
def test_named_origins_and_our_own_pages_pass(origin: str) -> None:
    WALLS.check(Visit(host="localhost:4000", origin=origin, fetch_site="cross-site"))


@pytest.mark.parametrize("origin", ["http://dashboard.example", "null", "file://", "http://localhost:4001", "http://["])
def test_other_origins_do_not(origin: str) -> None:
    with pytest.raises(PermissionDeniedError):
        WALLS.check(Visit(host="localhost:4000", origin=origin))


@pytest.mark.parametrize(
    ("peer", "passes"),
    [("172.18.0.5", True), ("127.0.0.1", True), ("::1", True), ("10.0.0.1", False), ("8.8.8.8", False), (None, False)],
)
def test_with_named_networks_only_their_addresses_pass(peer: str | None, passes: bool) -> None:
    walls = Walls(networks=(ip_network("172.18.0.0/16"),))

    if passes:
        walls.check(Visit(host="localhost", peer=peer))
    else:
        with pytest.raises(PermissionDeniedError, match="address"):
            walls.check(Visit(host="localhost", peer=peer))
