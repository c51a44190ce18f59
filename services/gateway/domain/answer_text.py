"""The answer that is being written, put together from deltas that may overlap, repeat or be missing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Piece:
    """What a browser is told: from `offset` on, the answer of this turn reads `text`.

    The offset counts UTF-16 units, as a browser's strings do; deltas count characters.
    """

    turn_id: str
    offset: int
    text: str


@dataclass(slots=True)
class AnswerText:
    """One answer as far as it is known."""

    turn_id: str | None = None
    text: str = ""

    def take(self, turn_id: str, offset: int, text: str) -> Piece | None:
        """The piece to tell, or None when nothing is new. Raises GapError when something before it is missing."""
        if turn_id != self.turn_id:
            self.turn_id, self.text = turn_id, ""
        if offset > len(self.text):
            raise GapError
        if self.text.startswith(text, offset):
            return None
        self.text = self.text[:offset] + text
        return Piece(turn_id, _utf16_length(self.text[:offset]), text)


class GapError(Exception):
    """A delta was lost: the whole text has to be asked for."""


def _utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
