"""Examples: visitors of web chats."""

from shared.contracts import webchat
from shared.contracts.base import Message

SESSION_ID = "session_4vWQ2yTzXKpLmN8RcHs9Ab"
_NUMBER_ID = "pn_webchat_1qA3wS5eD7rF9tG2yH4uJ6"
_WEBCHAT_ID = "webchat_8uJ1iK3oL5pZ7xC9vB2nM4"
_VISIT = {"webchat_id": _WEBCHAT_ID, "session_id": SESSION_ID, "origin": "https://shop.example"}

EXAMPLES: tuple[Message, ...] = (
    webchat.OpenWebchatSession(
        **_VISIT, identity=webchat.VisitorIdentity(external_id="customer-17", proof="ab" * 32, name="Ravi")
    ),
    webchat.GetWebchatSession(**_VISIT),
    webchat.SetWebchatIdentity(webchat_id=_WEBCHAT_ID, sealed_secret="v1.k1.c2VhbGVk", required=True),
    webchat.ReceiveWebchatMessage(
        phone_number_id=_NUMBER_ID,
        session_id=SESSION_ID,
        client_message_id="c_1",
        text="Where is my order?",
        visitor=webchat.VisitorInput(name="Ravi"),
    ),
    webchat.GetWebchatTranscript(phone_number_id=_NUMBER_ID, session_id=SESSION_ID, after=4),
)
