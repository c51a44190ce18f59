"""A conversation's turn: messages gather, an answer is thought of, stored, sent; then the conversation rests.

    resting ──message──► gathering ──due──► thinking ──stored──► answered ──sent──► resting
                            ▲  ▲               │                    │
                            │  └───message─────┘                    │ a message meanwhile, or refused as outdated:
                            └───────────────────────────────────────┘ the next turn

A text that was stored is the only text that its turn will ever have.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from shared.contracts.base import HexId
from shared.contracts.conversations import Channel
from shared.ids import derived_hex_id

State = Literal["gathering", "thinking", "answered", "resting"]

LEASE = timedelta(seconds=15)  # renewed every second; then another worker takes the turn
LONGEST_GATHERING = 5  # debounces: who never stops writing is answered all the same
SILENT_TYPES = frozenset({"reaction", "system", "unsupported", "deleted", "edited", "seen"})  # nobody asks anything
_LONGEST_PAUSE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Head:
    """Where the chain of responses stands: the last one whose answer the customer got, and what it knows."""

    response_id: str
    seen: frozenset[str]  # message ids, its own answer's among them


@dataclass(frozen=True, slots=True)
class Answer:
    """What a turn will say, stored before it is sent."""

    parts: tuple[str, ...]
    response_id: str | None  # None: no model said this
    sequence: int  # of the conversation when the model was asked
    seen: tuple[str, ...]  # messages that the model knew
    hand_over: str | None  # the note to the person who takes over
    at: datetime


@dataclass(frozen=True, slots=True)
class Turn:
    """A conversation's present turn, as a worker has claimed it."""

    conversation_id: HexId
    number: int  # of the conversation's turns
    attempt: str  # this claim's
    tries: int  # claims since the turn last got on
    user_id: str
    phone_number_id: str
    agent_id: str
    channel: Channel
    recipient: str
    contact_id: str
    sequence: int
    head: Head | None
    answer: Answer | None

    @property
    def turn_id(self) -> str:
        """The same for every worker that takes this turn."""
        return turn_id(self.conversation_id, self.number)

    def reply_id(self, part: int) -> HexId:
        """The message id of one part of the answer: a repetition is recognised by it."""
        return derived_hex_id("reply", self.turn_id, str(part))


def turn_id(conversation_id: str, number: int) -> str:
    """The id of a conversation's n-th turn."""
    return "turn_" + derived_hex_id("turn", conversation_id, str(number))


def pause_after(tries: int) -> timedelta:
    """How long a turn waits that could not get on for reasons of ours: 1, 2, 4, … 60 s."""
    return min(timedelta(seconds=2 ** min(tries, 10) / 2), _LONGEST_PAUSE)
