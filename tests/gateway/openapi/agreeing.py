"""Whether the API and the schema of a body agree on JSON, and values that they would most likely disagree on."""

import copy
import json
from dataclasses import dataclass
from typing import Any

from jsonschema_rs import Draft202012Validator
from pydantic import TypeAdapter

from shared.errors import InvalidInputError
from shared.web.body import validate_as
from shared.web.json_text import parse_json
from tests.gateway.openapi.rules import is_beyond_schema
from tests.gateway.openapi.validating import reference, validator
from tests.gateway.schemas.test_any_body import places

LEFT_OUT = object()
_TEXTS = (
    "",
    " ",
    "\t",
    "\x1c",  # Python takes this one and the next for blanks, others do not, and the third the other way round
    "\x85",
    "\ufeff",
    "3",
    "09",
    "010",
    "10",
    "a\nb\nc\nd",
    "a     b",
    "url",
    "copy_code",
    "text",
    "video",
    "document",
)
_LONG = tuple("x" * length for length in (21, 25, 61, 73, 161, 201, 241, 257, 501, 513, 1025, 2001, 4097))
_LINKS = ("https://x.io", "HTTPS://X.IO", "http://x.io", "https://:80", "https://", "https://a b", "ftp://x.io")
_TIMES = ("2026-03-05T10:30:00Z", "2026-03-05t10:30:00z", "2026-03-05 10:30:00Z", "2026-03-05T10:30:00", "2026-03-05")
_NUMBERS = (0, 9, 10, -1, 1.0, 1.5, 91, -181, 10**20)
_OTHERS: tuple[Any, ...] = (None, True, [], {}, [None], [1, 2.5, "x"], {"$a": 1}, {"a.b": 1}, {"a": "b"}, {"a": "\n"})
EDGES = (
    *(LEFT_OUT, "+14155550123", "+1415555", "a..b@example.com", "a\x85b@example.com", "0001-01-01T00:00:00+23:59"),
    *(*_TEXTS, *_LONG, *_LINKS, *_TIMES, *_NUMBERS, *_OTHERS),
)


@dataclass(frozen=True)
class Described:
    """A body as one of the documents has it, and as the API reads it."""

    adapter: TypeAdapter[Any]
    schema: Draft202012Validator
    strict_schema: Draft202012Validator  # formats, too: whoever keeps to them is not refused

    @classmethod
    def of(cls, document: dict[str, Any], name: str, adapter: TypeAdapter[Any]) -> "Described":
        """The body of this name in a document."""
        whole = reference(name)
        return cls(adapter, validator(document, whole), validator(document, whole, formats=True))

    def refusal_of(self, body: Any) -> list[str]:
        """Why the API refuses a body; empty when it does not."""
        try:
            validate_as(self.adapter, parse_json(json.dumps(body).encode()), context={"local": False})
        except InvalidInputError as error:
            return [detail["message"] for detail in error.details]
        return []

    def check(self, body: Any) -> None:
        """API and schema agree on a body."""
        refusal = self.refusal_of(body)
        reproaches = [words for words in refusal if not is_beyond_schema(words)]

        assert refusal or self.schema.is_valid(body), f"accepted, although the schema refuses it: {body}"
        assert not reproaches or not self.strict_schema.is_valid(body), (
            f"refused, although the schema allows it: {reproaches}, {body}"
        )

    def check_edges(self, body: Any) -> None:
        """They agree whatever stands in any one place of a body."""
        for number in range(len(places(body))):
            for value in EDGES:
                changed = copy.deepcopy(body)
                change(*places(changed)[number], value)
                self.check(changed)


def change(container: Any, key: Any, value: Any) -> None:
    """Put a value into a place, or clear the place."""
    if value is not LEFT_OUT:
        container[key] = copy.deepcopy(value)
    elif isinstance(container, dict):
        del container[key]
