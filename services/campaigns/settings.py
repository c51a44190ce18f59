"""What can be configured in campaigns."""

from shared.settings import Settings


class CampaignsSettings(Settings):
    """The operations listener, beside what every service has."""

    campaigns_ops_bind: str = "127.0.0.1:4005"
