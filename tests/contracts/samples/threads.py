"""Examples: conversations as people see them."""

from shared.contracts import threads
from shared.contracts.base import Message
from tests.contracts.samples.basics import CONVERSATION_ID, NUMBER_ID, USER_ID

MEDIA_ID = "media_65f0c0ffee65f0c0ffee65f8"

EXAMPLES: tuple[Message, ...] = (
    threads.ListConversations(user_id=USER_ID, phone_number_id=NUMBER_ID, handled_by="human"),
    threads.GetConversation(conversation_id=CONVERSATION_ID),
    threads.ListConversationMessages(conversation_id=CONVERSATION_ID, limit=20),
    threads.MarkConversationRead(conversation_id=CONVERSATION_ID, typing=True),
    threads.FetchMedia(media_id=MEDIA_ID),
    threads.ReadMedia(media_id=MEDIA_ID, offset=262144),
)
