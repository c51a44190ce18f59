"""Long answers in parts that Meta takes, cut where a reader would pause."""

import re

LONGEST_PART = 4096  # Meta's limit of a text body, in characters
MOST_PARTS = 4  # what is longer is no answer to a chat message

_BORDERS = (  # the best first; a part ends where the border ends
    re.compile(r"\n{2,}"),
    re.compile(r"\n"),
    # A sentence: Latin, Arabic and Hindi marks before a space; Chinese and Japanese ones stand before no space.
    re.compile(r"[.!?\u2026\u061f\u0964][\"')\]\u201d\u2019]*\s+|[\u3002\uff01\uff1f]"),
    re.compile(r"[,;:\u060c]\s+|[\uff0c\uff1b\uff1a]"),
    re.compile(r"\s+"),
)


def split(text: str, longest: int = LONGEST_PART) -> tuple[str, ...]:
    """The text in parts of at most `longest` characters, none of them blank.

    Each part ends at the last paragraph, else line, sentence, clause or word that leaves it at least half full; a word
    longer than that is cut.
    """
    parts = []
    rest = text.strip()
    while len(rest) > longest:
        end = _border(rest, longest)
        parts.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return tuple(filter(None, (*parts, rest)))


def _border(text: str, longest: int) -> int:
    """Where the first part ends, in front of what is stripped."""
    for border in _BORDERS:
        # One character more, so that a space right behind the limit counts as a border.
        ends = [match.end() for match in border.finditer(text, longest // 2, longest + 1)]
        if fitting := [end for end in ends if len(text[:end].rstrip()) <= longest]:
            return fitting[-1]
    return _not_within_a_sign(text, longest)


def _not_within_a_sign(text: str, end: int) -> int:
    """Not between a sign and what is joined to it: an accent, a skin tone, the members of a family."""
    cut = end
    while cut > end // 2 and (_is_joined(text[cut]) or text[cut - 1] == "\u200d"):
        cut -= 1
    return cut


def _is_joined(character: str) -> bool:
    return character in "\u200d\ufe0f" or "\u0300" <= character <= "\u036f" or "\U0001f3fb" <= character <= "\U0001f3ff"
