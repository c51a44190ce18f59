"""What the API refuses although its schema lets it through: rules that JSON Schema has no words for."""

import re

_BEYOND_SCHEMA = [
    r"contains a NUL character or half of a surrogate pair$",  # of every text of every body, as the next four
    r"has a name with a NUL character or half of a surrogate pair$",
    r"is nested deeper than 20 levels$",
    r"holds a number that is too long$",
    r"must be an integer of ordinary size$",
    r"is used twice$",  # ids and indexes, across the items of an array
    r"must be a phone number in E\.164 format",  # numbers of a length that their country does not have
    r"must be a publicly accessible https:// link$",  # a host or a port that is none
    r"must be an https:// or http:// link$",
    r"must have at most 10 rows together$",  # over all sections
    r"must have the same button structure as the first card$",
    r"page query parameter lies too far: at most 10000 templates are skipped$",  # the product of two parameters
    r"(search|tag) query parameter must have at most 100 printable characters$",  # as Unicode has it
    r"cursor query parameter must be the next_cursor of an earlier page$",  # a month is at most the twelfth
    r"^cursor: is not one of ours$",  # base64 of something else
    r"expires_at must lie in the future$",
    r"is a header that we set ourselves$",  # in any case
    r"waba_id is only for WhatsApp phone numbers$",
    r"templates can be sent from WhatsApp phone numbers only$",  # what kind a number has is known to us alone
    r"^deadline must be later than scheduled_at$",
    r"^attributes\..* must have 1 to 64 printable characters$",  # as Unicode has it
    r"^attributes\..* must not contain \. or begin with \$$",
]


def is_beyond_schema(error: str) -> bool:
    """Whether a refusal in these words is no reproach to the schema."""
    return any(re.search(pattern, error) for pattern in _BEYOND_SCHEMA)
