"""Who may reach the private listener."""

from ipaddress import ip_network

import pytest

from services.gateway.domain.walls import Visit, Walls
from shared.errors import MisdirectedRequestError, PermissionDeniedError, UnsupportedMediaTypeError

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


@pytest.mark.parametrize(
    ("peer", "forwarded", "passes"),
    [
        ("172.18.0.5", None, True),
        ("172.18.0.5", "10.1.0.7", True),  # the header is nobody's word: this peer is no proxy
        ("172.19.0.2", "172.18.0.9", True),
        ("172.19.0.2", "8.8.8.8", False),
        ("172.19.0.2", "172.18.0.9, 8.8.8.8", False),
        ("172.19.0.2", None, False),
        ("127.0.0.1", "8.8.8.8", True),
    ],
)
def test_whom_a_trusted_proxy_speaks_for_must_be_welcome(peer: str, forwarded: str | None, passes: bool) -> None:
    walls = Walls(networks=(ip_network("172.18.0.0/16"),), proxies=(ip_network("172.19.0.0/16"),))

    if passes:
        walls.check(Visit(host="localhost", peer=peer, forwarded=forwarded))
    else:
        with pytest.raises(PermissionDeniedError, match="address"):
            walls.check(Visit(host="localhost", peer=peer, forwarded=forwarded))


@pytest.mark.parametrize(("peer", "passes"), [("172.19.0.2", True), ("127.0.0.1", True), ("8.8.8.8", False)])
def test_in_proxy_mode_only_proxies_are_spoken_to_whomever_they_speak_for(peer: str, passes: bool) -> None:
    walls = Walls(proxies=(ip_network("172.19.0.0/16"),), asks_proxies=True)

    if passes:
        walls.check(Visit(host="localhost", peer=peer, forwarded="198.51.100.7"))
    else:
        with pytest.raises(PermissionDeniedError, match="address"):
            walls.check(Visit(host="localhost", peer=peer))


def test_a_proxy_on_this_machine_answers_for_whom_it_lets_in() -> None:
    walls = Walls(proxies=(ip_network("127.0.0.0/8"),))

    walls.check(Visit(host="localhost", peer="127.0.0.1", forwarded="198.51.100.7"))


def test_without_named_networks_only_this_machine_passes() -> None:
    with pytest.raises(PermissionDeniedError, match="address"):
        Walls().check(Visit(host="localhost", peer="192.168.1.5"))


@pytest.mark.parametrize(
    "body_type", [None, "application/json", "Application/JSON; charset=utf-8", "text/csv", "application/x-ndjson"]
)
def test_bodies_that_no_form_can_send_pass(body_type: str | None) -> None:
    WALLS.check(Visit(host="localhost", body_type=body_type))


@pytest.mark.parametrize(
    "body_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "unknown", ""]
)
def test_bodies_that_a_form_can_send_do_not(body_type: str) -> None:
    with pytest.raises(UnsupportedMediaTypeError):
        WALLS.check(Visit(host="localhost", body_type=body_type))
