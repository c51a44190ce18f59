"""Examples: phone numbers."""

from shared.contracts import numbers
from shared.contracts.base import Message
from tests.contracts.samples.basics import NUMBER_ID, USER_ID, WABA_ID

AGENT_ID = "agt_5tG7yH9uJ1iK3oL5pZ7xC9"
CAMPAIGN_ID = "camp_2wE4rT6yU8iO1pA3sD5fG7"

EXAMPLES: tuple[Message, ...] = (
    numbers.UpdatePhoneNumber(
        phone_number_id=NUMBER_ID,
        sealed_access_token="v1.k1.c2VhbGVk",
        display_name="Main Business Line",
        waba_id=WABA_ID,
        messages_per_second=250,
    ),
    numbers.DeletePhoneNumber(phone_number_id=NUMBER_ID),
    numbers.VerifyPhoneNumber(phone_number_id=NUMBER_ID),
    numbers.LinkAgent(phone_number_id=NUMBER_ID, agent_id=AGENT_ID, user_id=USER_ID),
    numbers.UnlinkAgent(phone_number_id=NUMBER_ID, agent_id=AGENT_ID),
    numbers.HoldNumber(phone_number_id=NUMBER_ID, user_id=USER_ID, holder=CAMPAIGN_ID),
    numbers.ReleaseNumber(phone_number_id=NUMBER_ID, holder=CAMPAIGN_ID),
    numbers.ReleaseNumbers(phone_number_ids=(NUMBER_ID,), holders=(CAMPAIGN_ID,)),
)
