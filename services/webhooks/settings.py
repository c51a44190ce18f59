"""What can be configured."""

from ipaddress import ip_network
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from shared.outbound.addresses import AddressPolicy, Network
from shared.sealing import KeyRing, SealingError
from shared.settings import Settings


def _networks(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())
    except ValueError as error:
        raise ValueError(f"{error}; expected networks such as 10.1.0.0/16, separated by commas") from error


class WebhooksSettings(Settings):
    """The webhooks service: two listeners, Meta's shared secrets, and where vendors' receivers may be."""

    webhooks_bind: str = "127.0.0.1:4002"
    webhooks_ops_bind: str = "127.0.0.1:4007"
    meta_app_secret: SecretStr  # a comma list while Meta's app secret is being changed
    meta_verify_token: Annotated[SecretStr, Field(min_length=1)]
    master_keys: SecretStr
    webhook_allow_cidrs: Annotated[tuple[Network, ...], BeforeValidator(_networks)] = ()

    @model_validator(mode="after")
    def _secrets_can_be_used(self) -> Self:
        if not self.app_secrets:
            raise ValueError("META_APP_SECRET holds no secret")
        try:
            self.key_ring()
        except SealingError as error:
            raise ValueError(str(error)) from None
        return self

    @property
    def app_secrets(self) -> tuple[str, ...]:
        """The secrets whose signature on Meta's webhooks is accepted; more than one while they rotate."""
        return tuple(part.strip() for part in self.meta_app_secret.get_secret_value().split(",") if part.strip())

    def key_ring(self) -> KeyRing:
        """The keys that open sealed values. Raises SealingError."""
        return KeyRing.parse(self.master_keys.get_secret_value())

    def address_policy(self) -> AddressPolicy:
        """Which addresses vendors' URLs may lead to."""
        return AddressPolicy(allowed=self.webhook_allow_cidrs, loopback_allowed=self.is_local)
