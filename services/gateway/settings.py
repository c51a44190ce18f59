"""What the gateway can be configured by."""

from ipaddress import ip_network
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from services.gateway.domain.admin_tokens import MIN_SECRET_BYTES, AdminTokens
from services.gateway.domain.callers import Network
from services.gateway.domain.identities import IdentityKey, IdentityKeyError
from services.gateway.domain.walls import LOCAL_ORIGINS, LOOPBACK_HOSTS, Walls
from shared.sealing import KeyRing, SealingError
from shared.settings import CommaList, ConfigurationError, Settings, parse_bind

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class GatewaySettings(Settings):
    """The variables of the gateway; secrets have no default."""

    gateway_private_bind: str = "127.0.0.1:4000"
    gateway_public_bind: str = "127.0.0.1:4001"
    public_base_url: str = "http://127.0.0.1:4001"
    admin_jwt_secret: SecretStr
    master_keys: SecretStr
    api_key_pepper: SecretStr
    admin_jwt_audience: str | None = None
    admin_jwt_issuer: str | None = None
    dashboard_auth: Literal["local", "proxy"] = "local"
    dashboard_identity_key: SecretStr | None = None  # the proxy's public key (PEM, Ed25519) or a shared secret
    dashboard_identity_audience: str = "waapi-dashboard"
    dashboard_trusted_cidrs: CommaList = ()
    trusted_proxies: CommaList = ()  # networks whose X-Forwarded-For is believed
    allowed_hosts: CommaList = LOOPBACK_HOSTS
    cors_origins: CommaList | None = None
    not_founds_per_minute: int = Field(default=300, ge=1)  # for each address; not counted on a developer's machine
    meta_strict: bool = False
    webchat_ping_seconds: float = Field(default=15, gt=0, le=30)  # proxies close what is silent for longer

    @field_validator("admin_jwt_secret", "api_key_pepper")
    @classmethod
    def _is_long_enough(cls, value: SecretStr) -> SecretStr:
        if len(value.get_secret_value().encode()) < MIN_SECRET_BYTES:
            raise ValueError(f"must have at least {MIN_SECRET_BYTES} bytes")
        return value

    @field_validator("master_keys")
    @classmethod
    def _holds_keys(cls, value: SecretStr) -> SecretStr:
        try:
            KeyRing.parse(value.get_secret_value())
        except SealingError as error:
            raise ValueError(str(error)) from None
        return value

    @model_validator(mode="after")
    def _stays_private(self) -> Self:
        """The dashboard API asks for no login, so it must not be reachable from a network by mistake."""
        _ = self.proxies
        if not self.networks and parse_bind(self.gateway_private_bind)[0] not in _LOOPBACK:
            raise ConfigurationError(
                "GATEWAY_PRIVATE_BIND is not a loopback address, but the dashboard API asks for no login: bind it to "
                "127.0.0.1, or name the private networks that may use it in DASHBOARD_TRUSTED_CIDRS"
            )
        return self

    @model_validator(mode="after")
    def _knows_its_proxy(self) -> Self:
        """In proxy mode, who asks must be told apart; in local mode nobody says who asks."""
        if self.dashboard_auth == "proxy" and self.dashboard_identity_key is None:
            raise ConfigurationError(
                "DASHBOARD_AUTH=proxy needs DASHBOARD_IDENTITY_KEY, which X-WA-Identity tokens are checked with"
            )
        try:
            _ = self.identity_key
        except IdentityKeyError as error:
            raise ConfigurationError(f"DASHBOARD_IDENTITY_KEY {error}") from None
        return self

    @property
    def identity_key(self) -> IdentityKey | None:
        """What the proxy's tokens are checked with; None unless DASHBOARD_AUTH=proxy."""
        if self.dashboard_auth == "local" or self.dashboard_identity_key is None:
            return None
        return IdentityKey.parse(self.dashboard_identity_key.get_secret_value(), self.dashboard_identity_audience)

    @property
    def admin_tokens(self) -> AdminTokens:
        """What operators' tokens are checked with."""
        secret = self.admin_jwt_secret.get_secret_value()
        return AdminTokens(secret, self.admin_jwt_audience, self.admin_jwt_issuer)

    @property
    def proxies(self) -> tuple[Network, ...]:
        """The networks of TRUSTED_PROXIES. Raises ConfigurationError for one that is none."""
        return tuple(_network("TRUSTED_PROXIES", cidr) for cidr in self.trusted_proxies)

    @property
    def networks(self) -> tuple[Network, ...]:
        """The networks of DASHBOARD_TRUSTED_CIDRS. Raises ConfigurationError for one that is no private network."""
        return tuple(_private_network(cidr) for cidr in self.dashboard_trusted_cidrs)

    @property
    def walls(self) -> Walls:
        """Who may reach the private listener."""
        local_origins = LOCAL_ORIGINS if self.is_local else ()
        return Walls(
            hosts=tuple(host.lower() for host in self.allowed_hosts),
            origins=local_origins if self.cors_origins is None else self.cors_origins,
            networks=self.networks,
            proxies=self.proxies,
            asks_proxies=self.dashboard_auth == "proxy",
        )

    @property
    def key_ring(self) -> KeyRing:
        """The keys that seal secrets at the edge."""
        return KeyRing.parse(self.master_keys.get_secret_value())


def _private_network(cidr: str) -> Network:
    network = _network("DASHBOARD_TRUSTED_CIDRS", cidr)
    if not network.is_private:
        raise ConfigurationError(f"DASHBOARD_TRUSTED_CIDRS: {cidr} is not a private network")
    return network


def _network(variable: str, cidr: str) -> Network:
    try:
        return ip_network(cidr)
    except ValueError:
        raise ConfigurationError(f"{variable}: {cidr!r} is not a network such as 172.16.0.0/12") from None
