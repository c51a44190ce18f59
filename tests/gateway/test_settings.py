"""What the gateway refuses to start with."""

from ipaddress import ip_network

import pytest

from services.gateway.settings import GatewaySettings
from shared.settings import ConfigurationError
from tests.gateway.conftest import ENVIRONMENT


def settings(**change: str) -> GatewaySettings:
    """Settings from the usual environment with changes."""
    return GatewaySettings.from_env(ENVIRONMENT | change)


@pytest.mark.parametrize("name", ["ADMIN_JWT_SECRET", "MASTER_KEYS", "API_KEY_PEPPER"])
def test_a_missing_secret_is_named(name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        GatewaySettings.from_env({key: value for key, value in ENVIRONMENT.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ADMIN_JWT_SECRET", "too short canary"),
        ("API_KEY_PEPPER", "too short canary"),
        ("MASTER_KEYS", "k1:canary"),
        ("DASHBOARD_AUTH", "canary"),
    ],
)
def test_a_wrong_secret_is_named_but_not_shown(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=name) as raised:
        settings(**{name: value})

    assert "canary" not in str(raised.value)


@pytest.mark.parametrize("bind", ["0.0.0.0:4000", "192.168.1.5:4000", ":4000", "[::]:4000"])
def test_the_private_listener_does_not_leave_loopback_by_mistake(bind: str) -> None:
    with pytest.raises(ConfigurationError, match="DASHBOARD_TRUSTED_CIDRS"):
        settings(GATEWAY_PRIVATE_BIND=bind)


def test_it_may_when_private_networks_are_named() -> None:
    chosen = settings(GATEWAY_PRIVATE_BIND="0.0.0.0:4000", DASHBOARD_TRUSTED_CIDRS="172.18.0.0/16, 10.1.0.0/24")

    assert chosen.walls.networks == (ip_network("172.18.0.0/16"), ip_network("10.1.0.0/24"))


@pytest.mark.parametrize("networks", ["0.0.0.0/0", "8.8.8.0/24", "nonsense"])
def test_the_whole_internet_is_no_private_network(networks: str) -> None:
    with pytest.raises(ConfigurationError, match="DASHBOARD_TRUSTED_CIDRS"):
        settings(DASHBOARD_TRUSTED_CIDRS=networks)


def test_only_a_local_gateway_has_origins_of_its_own_accord() -> None:
    assert "http://localhost:5173" in settings().walls.origins
    assert settings(ENVIRONMENT="production").walls.origins == ()
    assert settings(CORS_ORIGINS="https://a.example,https://b.example").walls.origins == (
        "https://a.example",
        "https://b.example",
    )


@pytest.mark.parametrize("proxies", ["nonsense", "10.0.0.1/8"])
def test_a_trusted_proxy_is_a_network(proxies: str) -> None:
    with pytest.raises(ConfigurationError, match="TRUSTED_PROXIES"):
        settings(TRUSTED_PROXIES=proxies)


def test_proxy_mode_needs_a_key_to_tell_who_asks() -> None:
    with pytest.raises(ConfigurationError, match="DASHBOARD_IDENTITY_KEY"):
        settings(DASHBOARD_AUTH="proxy")


def test_a_key_that_cannot_check_identities_is_named_but_not_shown() -> None:
    with pytest.raises(ConfigurationError, match="DASHBOARD_IDENTITY_KEY") as raised:
        settings(DASHBOARD_AUTH="proxy", DASHBOARD_IDENTITY_KEY="short canary")

    assert "canary" not in str(raised.value)


def test_proxy_mode_does_not_open_the_private_listener_either() -> None:
    with pytest.raises(ConfigurationError, match="DASHBOARD_TRUSTED_CIDRS"):
        settings(DASHBOARD_AUTH="proxy", DASHBOARD_IDENTITY_KEY="x" * 32, GATEWAY_PRIVATE_BIND="0.0.0.0:4000")


def test_in_local_mode_nobody_is_asked_who_they_are() -> None:
    assert settings(DASHBOARD_IDENTITY_KEY="x" * 32).identity_key is None
