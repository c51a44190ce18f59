"""What can be configured in messaging."""

from datetime import timedelta
from typing import Self

from pydantic import Field, SecretStr, model_validator

from services.messaging.domain.states import Timing
from shared import settings
from shared.sealing import KeyRing, SealingError
from shared.settings import ConfigurationError


class Settings(settings.Settings):
    """Messaging's variables. A lease must outlive four HTTP time-outs, or a slow call could be made twice."""

    messaging_ops_bind: str = "127.0.0.1:4003"
    master_keys: SecretStr
    meta_graph_url: str = "https://graph.facebook.com"
    meta_graph_version: str = "v25.0"
    instagram_graph_url: str = "https://graph.instagram.com"
    default_credits: int = Field(default=100, ge=0)
    meter_external_api: bool = False  # whether a message by the external send API costs a credit, too
    media_max_bytes: int = Field(default=25 * 1024 * 1024, ge=1)  # of a file that a customer sent
    default_messages_per_second: int = Field(default=80, ge=1, le=1000)
    send_timeout_seconds: float = Field(default=25.0, gt=0)
    send_lease_seconds: float = Field(default=120.0, gt=0)
    code_timeout_seconds: float = Field(default=7.0, gt=0)
    code_lease_seconds: float = Field(default=30.0, gt=0)

    @model_validator(mode="after")
    def _leases_outlive_calls(self) -> Self:
        pairs = (
            ("SEND", self.send_lease_seconds, self.send_timeout_seconds),
            ("CODE", self.code_lease_seconds, self.code_timeout_seconds),
        )
        for name, lease, timeout in pairs:
            if lease < 4 * timeout:
                raise ConfigurationError(f"{name}_LEASE_SECONDS must be at least four times {name}_TIMEOUT_SECONDS")
        return self

    @model_validator(mode="after")
    def _keys_can_be_used(self) -> Self:
        try:
            self.key_ring()
        except SealingError as error:
            raise ConfigurationError(str(error)) from None
        return self

    @property
    def instagram_base_url(self) -> str:
        """Instagram's API with its version, as requests begin."""
        return f"{self.instagram_graph_url.rstrip('/')}/{self.meta_graph_version}"

    @property
    def metered_sources(self) -> frozenset[str]:
        """Where messages come from that cost a credit each; campaigns pay for their runs."""
        return frozenset({"dashboard", "external_api"} if self.meter_external_api else {"dashboard"})

    def key_ring(self) -> KeyRing:
        """The keys that open the numbers' tokens."""
        return KeyRing.parse(self.master_keys.get_secret_value())

    def timing_for(self, message_class: str) -> Timing:
        """How long an attempt of this class may take; codes (authentication) are in a hurry."""
        if message_class == "authentication":
            return Timing(timedelta(seconds=self.code_lease_seconds), self.code_timeout_seconds)
        return Timing(timedelta(seconds=self.send_lease_seconds), self.send_timeout_seconds)
