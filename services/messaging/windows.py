"""The 24 hours after a customer's last message, in which anything may be sent; afterwards Meta takes templates only.

Computed at the moment of sending. Whoever has written before the number was added here is not known to us, so a window
counts as closed only when one is known; a number that enforces its window asks to know that it is open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.messaging.domain.messages import OutboundMessage, conversation_id
from services.messaging.repositories.conversations import ConversationRepository
from services.messaging.repositories.numbers import SendingNumber
from services.messaging.repositories.templates import TemplateCopyRepository
from shared.clock import Clock
from shared.contracts.messaging import SendMessage
from shared.errors import InvalidInputError

WINDOW_CLOSED = "window_closed"

_ASK_NO_WINDOW = frozenset({"template", "carousel"})
_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Windows:
    """Reads windows together, and says what a closed one means for a message."""

    conversations: ConversationRepository
    copies: TemplateCopyRepository
    now: Clock

    @staticmethod
    def thread_of(command: SendMessage) -> str | None:
        """The thread whose window counts; None for what needs none. An agent's answer is checked as it is admitted."""
        if command.content.type in _ASK_NO_WINDOW or command.source in {"agent", "system"}:
            return None
        return command.conversation_id or conversation_id(command.phone_number_id, command.to)

    async def list_ends(self, thread_ids: Sequence[str | None]) -> dict[str, datetime]:
        """When known windows close, or did."""
        ids = {id_ for id_ in thread_ids if id_ is not None}
        return await self.conversations.list_windows(ids) if ids else {}

    async def checked(
        self, message: OutboundMessage, number: SendingNumber, thread_id: str | None, ends: Mapping[str, datetime]
    ) -> OutboundMessage:
        """The message, with a warning when its window has closed.

        Raises InvalidInputError naming the templates that could be sent, where the number enforces its window.
        """
        if thread_id is None or number.access.platform == "webchat":
            return message
        end = ends.get(thread_id)
        if end is not None and end > self.now():
            return message
        if number.enforce_window:
            raise await self._refusal(number)
        return message if end is None else replace(message, warnings=(*message.warnings, WINDOW_CLOSED))

    async def _refusal(self, number: SendingNumber) -> InvalidInputError:
        names = await self.copies.list_names(number.access.waba_id or "")
        instead = f"; these templates may be sent: {', '.join(sorted(names)[:_MOST_NAMED])}" if names else ""
        return InvalidInputError(
            f"The customer has not written within the last 24 hours, so only a template may be sent{instead}",
            code=WINDOW_CLOSED,
        )
