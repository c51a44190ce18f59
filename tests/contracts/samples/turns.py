"""Examples: an answer in the making."""

from shared.contracts import turns
from shared.contracts.base import Message

EXAMPLES: tuple[Message, ...] = (turns.GetTurn(session_id="session_4vWQ2yTzXKpLmN8RcHs9Ab"),)
