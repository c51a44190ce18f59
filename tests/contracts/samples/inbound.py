"""Examples: what came in from Meta."""

from shared.contracts import inbound
from shared.contracts.base import Message
from tests.contracts.samples.basics import NOON, WA_MESSAGE_ID

EXAMPLES: tuple[Message, ...] = (
    inbound.MetaMessagesReceived(
        items=(
            inbound.MetaMessage(
                wa_message_id=WA_MESSAGE_ID,
                channel="whatsapp",
                meta_phone_number_id="106540352242922",
                sender="919876543210",
                sender_user_id="IN.13491208655302741918",
                username="@asha",
                profile_name="Asha",
                type="button",
                text="Track order",
                content={"payload": "track_order", "text": "Track order"},
                context_id="wamid.HBgLMTY0NjcwNDM1OTUVAgASGBQzQUFERjg0NDEzNDdFODU3MUMxMAA=",
                at=NOON,
            ),
        )
    ),
    inbound.MetaPreferencesReceived(
        items=(
            inbound.MetaPreference(
                meta_phone_number_id="106540352242922",
                sender="919876543210",
                category="marketing_messages",
                value="stop",
                at=NOON,
            ),
        )
    ),
    inbound.MetaNoticesReceived(
        items=(
            inbound.MetaNotice(
                id="65f0c0ffee65f0c0ffee65f9",
                field="phone_number_quality_update",
                waba_id="102290129340398",
                display_phone_number="15550783881",
                event="FLAGGED",
                limit="TIER_10K",
                content={"display_phone_number": "15550783881", "event": "FLAGGED", "current_limit": "TIER_10K"},
                at=NOON,
            ),
        )
    ),
)
