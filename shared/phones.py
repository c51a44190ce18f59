"""Telephone numbers of recipients: E.164, and possible for their country."""

import re
from functools import lru_cache

import phonenumbers

_E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
_WRITTEN_BETWEEN = re.compile(r"[\s().\-\u00a0\u2010-\u2015]+")
_DECIDES = 8  # characters: plus sign, country code, and whatever of the rest could be a national prefix


def is_recipient(number: str, *, allow_unknown_codes: bool) -> bool:
    """Whether `number` is in E.164 form and possible for its country.

    A calling code that belongs to no country passes only when allowed: the sandbox's magic numbers are such.
    """
    if not _E164.fullmatch(number):
        return False
    return _is_possible(number[:_DECIDES], len(number), allow_unknown_codes=allow_unknown_codes)


def normalised(text: str) -> str | None:
    """E.164 from what people write in lists: with spaces, dots, dashes or brackets between, with `+` or `00` before.

    None where that is no international number: without its country code a number would be somebody else's. Whether it
    is possible is another question.
    """
    plain = _WRITTEN_BETWEEN.sub("", text)
    number = f"+{plain[2:]}" if plain.startswith("00") else plain
    return number if _E164.fullmatch(number) else None


@lru_cache(maxsize=65_536)
def _is_possible(beginning: str, length: int, *, allow_unknown_codes: bool) -> bool:
    """What is possible is a matter of the country code and the length; lists hold many numbers alike."""
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(beginning.ljust(length, "2")))
    except phonenumbers.NumberParseException:
        return allow_unknown_codes
