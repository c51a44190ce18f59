"""What agents tell of an answer in the making. Deltas are transient: the final message replaces them."""

from typing import ClassVar

from shared.contracts.base import Contract, Identifier, Query, Reply


class TextDelta(Contract):
    """A piece of an answer that is being written, on the stream of its web chat session; it may be lost."""

    turn_id: Identifier
    offset: int  # characters of the answer that stand before this piece; 0 again when an answer is begun anew
    text: str
    entry_stored: bool = False  # no piece at all: the session's transcript has grown, whoever shows it reads on


ENTRY_STORED = TextDelta(turn_id="-", offset=0, text="", entry_stored=True)


class TurnText(Reply):
    """The answer in the making, or nothing when nobody is about to answer."""

    turn_id: Identifier | None = None
    text: str = ""  # so far; the next delta's offset is its length


class GetTurn(Query[TurnText]):
    """Ask for the text so far of the answer that a web chat session waits for.

    Listen to the session's deltas first: then nothing is missed between the two.
    """

    message_type: ClassVar[str] = "agents.get_turn.v1"
    reply_type: ClassVar[type[Reply]] = TurnText

    session_id: Identifier
