"""What can be configured in agents."""

from pydantic import Field, SecretStr

from shared.sealing import KeyRing, SealingError
from shared.settings import ConfigurationError, Settings


class AgentsSettings(Settings):
    """The operations listener, the model and how agents answer, beside what every service has.

    `MASTER_KEYS` has no default: without it no site can prove who its visitors are.
    """

    master_keys: SecretStr
    agents_ops_bind: str = "127.0.0.1:4006"
    openai_base_url: str = "https://api.openai.com/v1"
    openai_api_key: SecretStr = SecretStr("not-configured")  # then the model refuses, and each agent shows why
    openai_model: str | None = None  # for prompts that name none; models retire, so none is built in
    openai_timeout_seconds: float = Field(default=60, gt=0, le=600)  # for a whole answer
    agent_concurrency: int = Field(default=20, ge=1, le=1000)  # model calls of one process at a time
    agent_debounce_ms: int = Field(default=1500, ge=0, le=60_000)  # for agents that set none
    agent_fallback_text: str = "Sorry, I cannot answer right now. Please try again a little later."

    def key_ring(self) -> KeyRing:
        """The master keys. Raises ConfigurationError when they cannot be used."""
        try:
            return KeyRing.parse(self.master_keys.get_secret_value())
        except SealingError as error:
            raise ConfigurationError(str(error)) from error
