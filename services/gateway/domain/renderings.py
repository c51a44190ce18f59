"""Long answers, kept as they were written for as long as nothing in them has changed.

Whoever owns what they show is asked each time whether that is so: an answer from here is never older than one that
would be written anew.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

MOST_BYTES: Final = 32 * 1024 * 1024
_OF_ITSELF: Final = 512  # bytes that a rendering takes beside its JSON

Shown = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Rendering:
    """JSON, and the version of what it shows."""

    version: str
    json: bytes


@dataclass
class Renderings:
    """Renderings by what they show. Those that nobody has wanted for longest make room; `most` is in bytes."""

    most: int = MOST_BYTES
    _kept: OrderedDict[Shown, Rendering] = field(default_factory=OrderedDict)
    _size: int = 0

    def find(self, shown: Shown) -> Rendering | None:
        """The latest rendering of it."""
        if shown in self._kept:
            self._kept.move_to_end(shown)
        return self._kept.get(shown)

    def keep(self, shown: Shown, rendering: Rendering) -> None:
        """Remember a rendering in place of an earlier one."""
        self._forget(shown)
        self._kept[shown] = rendering
        self._size += _weight(rendering)
        while self._size > self.most:
            self._forget(next(iter(self._kept)))

    def _forget(self, shown: Shown) -> None:
        if (rendering := self._kept.pop(shown, None)) is not None:
            self._size -= _weight(rendering)


def _weight(rendering: Rendering) -> int:
    return len(rendering.json) + _OF_ITSELF
