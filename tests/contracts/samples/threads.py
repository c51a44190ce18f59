"""Examples: conversations as people see them."""

from shared.contracts import threads
from shared.contracts.base import Message
from tests.contracts.samples.basics import CONVERSATION_ID, NUMBER_ID, USER_ID

MEDIA_ID = "media_65f0c0ffee65f0c0ffee65f8"
WEBCHAT_NUMBER_ID = "pn_webchat_9aB1cD2eF3gH4iJ5kL6mN7"
SESSION_ID = "ses_9aB1cD2eF3gH4iJ5kL6mN7"

EXAMPLES: tuple[Message, ...] = (
    threads.ListConversations(user_id=USER_ID, phone_number_id=NUMBER_ID, handled_by="human"),
    threads.GetConversation(conversation_id=CONVERSATION_ID),
    threads.ListConversationMessages(conversation_id=CONVERSATION_ID, limit=20),
    threads.MarkConversationRead(conversation_id=CONVERSATION_ID, typing=True),
    threads.ListWebchatEntries(phone_number_id=WEBCHAT_NUMBER_ID, session_id=SESSION_ID, after=3),
    threads.ReceiveWebchatMessage(
        phone_number_id=WEBCHAT_NUMBER_ID,
        session_id=SESSION_ID,
        client_message_id="c1f0",
        text="Do you ship to Nepal?",
        visitor=threads.VisitorInput(name="Asha"),
    ),
    threads.FetchMedia(media_id=MEDIA_ID),
    threads.ReadMedia(media_id=MEDIA_ID, offset=262144),
)
