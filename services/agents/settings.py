"""What can be configured in agents."""

from shared.settings import Settings


class AgentsSettings(Settings):
    """The operations listener, beside what every service has."""

    agents_ops_bind: str = "127.0.0.1:4006"
