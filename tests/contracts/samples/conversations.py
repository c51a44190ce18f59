"""Examples: what customers write and tap, and who answers."""

from shared.contracts import conversations
from shared.contracts.base import Message
from tests.contracts.samples.basics import CONVERSATION_ID, MESSAGE_ID, NOON, NUMBER_ID, PHONE, USER_ID, WA_MESSAGE_ID
from tests.contracts.samples.contacts import CONTACT_ID
from tests.contracts.samples.numbers import AGENT_ID, CAMPAIGN_ID

EXAMPLES: tuple[Message, ...] = (
    conversations.MessagesReceived(
        items=(
            conversations.ReceivedMessage(
                id=f"message.received:{MESSAGE_ID}",
                message_id=MESSAGE_ID,
                wa_message_id=WA_MESSAGE_ID,
                conversation_id=CONVERSATION_ID,
                contact_id=CONTACT_ID,
                user_id=USER_ID,
                phone_number_id=NUMBER_ID,
                channel="whatsapp",
                sender=PHONE,
                type="text",
                text="Where is my order?",
                content={"body": "Where is my order?"},
                sequence=3,
                agent_id=AGENT_ID,
                received_at=NOON,
            ),
        )
    ),
    conversations.ButtonsClicked(
        items=(
            conversations.ClickedButton(
                click_id="click_65f0c0ffee65f0c0ffee65f3",
                user_id=USER_ID,
                phone_number_id=NUMBER_ID,
                conversation_id=CONVERSATION_ID,
                message_id=MESSAGE_ID,
                template_id="tpl_9aB1cD2eF3gH4iJ5kL6mN7",
                campaign_id=CAMPAIGN_ID,
                recipient_id="rcp_1",
                button_index=0,
                payload="get_started",
                text="Get Started",
                contact_phone=PHONE,
                contact_name="Ada",
                clicked_at=NOON,
            ),
        )
    ),
    conversations.ConversationHandlingChanged(
        items=(
            conversations.HandlingChange(
                id="conversation.handed_over:65f0c0de65f0c0de65f0c0de:4",
                user_id=USER_ID,
                phone_number_id=NUMBER_ID,
                conversation_id=CONVERSATION_ID,
                channel="whatsapp",
                contact_id=CONTACT_ID,
                handled_by="human",
                note="Asks for a refund.",
                by="agent",
                at=NOON,
            ),
        )
    ),
    conversations.NumberQualityChanged(
        items=(
            conversations.QualityChange(
                id="phone_number.quality_changed:65f0c0ffee65f0c0ffee65f4",
                user_id=USER_ID,
                phone_number_id=NUMBER_ID,
                event="FLAGGED",
                limit="TIER_1K",
                at=NOON,
            ),
        )
    ),
    conversations.HandOverConversation(
        conversation_id=CONVERSATION_ID, handled_by="human", by="agent", note="Wants to speak about a refund."
    ),
    conversations.GetConversationContext(conversation_id=CONVERSATION_ID),
    conversations.GetAgentStats(phone_number_id=NUMBER_ID),
)
