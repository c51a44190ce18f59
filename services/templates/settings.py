"""What can be configured in templates."""

from pydantic import Field, SecretStr

from shared.sealing import KeyRing, SealingError
from shared.settings import ConfigurationError, Settings


class TemplatesSettings(Settings):
    """`MASTER_KEYS` has no default: without it no access token opens."""

    master_keys: SecretStr
    meta_graph_url: str = "https://graph.facebook.com"
    meta_graph_version: str = "v25.0"
    meta_app_id: str = "app"  # whose uploads header samples are; Meta reads `app` as the token's own app
    templates_ops_bind: str = "127.0.0.1:4004"
    submit_lease_seconds: float = Field(default=90.0, gt=0)  # how long one worker has a submission for itself

    def key_ring(self) -> KeyRing:
        """The master keys. Raises ConfigurationError when they cannot be used."""
        try:
            return KeyRing.parse(self.master_keys.get_secret_value())
        except SealingError as error:
            raise ConfigurationError(str(error)) from error

    def graph_base_url(self) -> str:
        """Where Meta's Graph API is called, with the version: leaving it out lets Meta choose one."""
        return f"{self.meta_graph_url.rstrip('/')}/{self.meta_graph_version}"
