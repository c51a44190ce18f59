"""What can be configured in campaigns."""

from datetime import timedelta

from pydantic import Field

from shared.settings import Settings


class CampaignsSettings(Settings):
    """The operations listener and how patient campaigns is, beside what every service has."""

    campaigns_ops_bind: str = "127.0.0.1:4005"
    hand_over_again_seconds: float = Field(default=180.0, gt=0)  # after which a recipient without outcome goes again

    @property
    def hand_over_again(self) -> timedelta:
        """How long a recipient that was handed over may be without an outcome."""
        return timedelta(seconds=self.hand_over_again_seconds)
