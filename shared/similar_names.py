"""What a mistyped name may have meant."""

from collections.abc import Iterable
from difflib import get_close_matches
from heapq import nlargest

_NAMES_COMPARED = 100  # a comparison costs up to 0.1 ms, a WABA may have 6,000 templates, and other requests wait
_LONGEST_COMPARED = 100  # characters; comparing costs their product


def close_matches(name: str, known_names: Iterable[str]) -> list[str]:
    """Up to three known names that look like `name`, best first."""
    name = name[:_LONGEST_COMPARED]
    likely = nlargest(_NAMES_COMPARED, dict.fromkeys(known_names), key=lambda known: _shared_ends(name, known))
    return get_close_matches(name, likely, n=3)


def _shared_ends(name: str, known: str) -> int:
    return _shared_start(name, known) + _shared_start(name[::-1], known[::-1])


def _shared_start(one: str, other: str) -> int:
    for position, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return position
    return min(len(one), len(other))
