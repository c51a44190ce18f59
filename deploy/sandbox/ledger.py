"""What the sandbox was asked and what it did: the truth that tests count against.

Records are small (slots, the body as the bytes that came), since crash tests leave 100,000 of them.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from .clock import iso

Outcome = Literal["accepted", "held", "reply_lost"]
StatusName = Literal["sent", "delivered", "read", "failed"]

# The product's own form of the opaque text: protocol mark, message id, attempt.
_OPAQUE_FORM = re.compile(r"^w1:(.+):\d+$")


@dataclass(slots=True)
class Message:
    """A message Meta accepted; `to` is the number that was dialled (digits) or the business-scoped id."""

    wamid: str
    phone_number_id: str
    waba_id: str
    display_phone_number: str
    to: str
    wa_id: str
    user_id: str | None  # set when webhooks must not show a number
    kind: str
    category: str
    opaque: str | None = None
    body: bytes = b""
    at: float = 0.0
    outcome: Outcome = "accepted"
    statuses: list[tuple[StatusName, float, int | None]] = field(default_factory=list)

    def view(self) -> dict[str, Any]:
        """The message as `/_sandbox/messages` shows it."""
        return {
            "wamid": self.wamid,
            "to": self.to,
            "phone_number_id": self.phone_number_id,
            "type": self.kind,
            "body": orjson.Fragment(self.body),
            "at": iso(self.at),
            "statuses": [_status_view(*status) for status in self.statuses],
        }

    def call_view(self) -> dict[str, Any]:
        """The call that made it, as `/_sandbox/calls` shows it."""
        return _call_view(self.wamid, self.opaque, self.to, self.at, self.outcome)


@dataclass(frozen=True, slots=True)
class RefusedCall:
    """A send that Meta refused: nothing was sent."""

    to: str | None
    opaque: str | None
    at: float
    code: int

    def call_view(self) -> dict[str, Any]:
        """As `/_sandbox/calls` shows it, with Meta's code."""
        return _call_view(None, self.opaque, self.to, self.at, "refused") | {"error_code": self.code}


class Ledger:
    """All sends since the start or the last reset, oldest first."""

    def __init__(self) -> None:
        self._calls: list[Message | RefusedCall] = []
        self._accepted = 0

    def record(self, message: Message) -> None:
        """Keep a message that was accepted."""
        self._calls.append(message)
        self._accepted += 1

    def refuse(self, call: RefusedCall) -> None:
        """Keep a send that was refused."""
        self._calls.append(call)

    def reset(self) -> None:
        """Forget everything."""
        self._calls.clear()
        self._accepted = 0

    def count_accepted(self) -> int:
        """How many calls were acted on, those whose reply was lost included."""
        return self._accepted

    def list_messages(self, to: str | None) -> list[Message]:
        """Messages to one recipient (or all), newest last."""
        return [message for message in self._messages() if to is None or message.to == to]

    def list_calls(self) -> list[dict[str, Any]]:
        """Every send with its outcome, oldest first."""
        return [call.call_view() for call in self._calls]

    def count_by_opaque(self) -> Counter[str]:
        """How often each opaque text was acted on."""
        return Counter(message.opaque for message in self._messages() if message.opaque is not None)

    def list_told(self) -> list[tuple[str | None, list[StatusName]]]:
        """The statuses of each message, in the order in which they were first told, beside its opaque text."""
        return [(message.opaque, [status for status, _, _ in message.statuses]) for message in self._messages()]

    def _messages(self) -> Iterator[Message]:
        return (call for call in self._calls if isinstance(call, Message))


def _status_view(status: str, at: float, code: int | None) -> dict[str, Any]:
    view: dict[str, Any] = {"status": status, "at": iso(at)}
    return view if code is None else view | {"error_code": code}


def _call_view(wamid: str | None, opaque: str | None, to: str | None, at: float, outcome: str) -> dict[str, Any]:
    form = _OPAQUE_FORM.match(opaque or "")
    own_id = {"message_id": form[1]} if form else {}
    return {"wamid": wamid, **own_id, "opaque": opaque, "to": to, "at": iso(at), "outcome": outcome}
