"""Examples: credits."""

from shared.contracts import credits
from shared.contracts.base import Message
from tests.contracts.samples.basics import USER_ID
from tests.contracts.samples.numbers import CAMPAIGN_ID

EXAMPLES: tuple[Message, ...] = (
    credits.GrantCredits(grant_id="grant_1", user_id=USER_ID, credits=100_000, note="Invoice 17"),
    credits.ReserveCredits(user_id=USER_ID, campaign_id=CAMPAIGN_ID, run=0, credits=2),
    credits.ReleaseCredits(user_id=USER_ID, campaign_id=CAMPAIGN_ID, run=0, released=1, closed=True),
    credits.ReleaseRuns(
        items=(credits.RunRelease(user_id=USER_ID, campaign_id=CAMPAIGN_ID, run=0, released=1, closed=True),)
    ),
)
