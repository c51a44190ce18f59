"""What schemathesis loads: a key of its own for each request, and our check of requests that the schema allows."""

import itertools
import os
import re
from typing import Any

import schemathesis

from tests.gateway.openapi.rules import is_beyond_schema

schemathesis.serializer.alias("application/x-ndjson", "text/plain")  # a file is a text

_KEY = "Idempotency-Key"
_NUMBERS = itertools.count()
_EXAMPLE_NUMBER = "pn_3k9d"
_REAL_NUMBER = os.environ["FUZZED_NUMBER"]


@schemathesis.hook
def before_call(_context: schemathesis.HookContext, case: schemathesis.Case[Any], _options: dict[str, Any]) -> None:
    """Keep a right key from being used twice (with another body that is a 422), and let the example's number exist."""
    key = case.headers.get(_KEY)
    if key is not None and re.fullmatch(r"[\x20-\x7e]{1,255}", key):
        number = f"-{next(_NUMBERS)}"
        case.headers[_KEY] = f"{key[: 255 - len(number)]}{number}"
    if isinstance(case.body, dict) and case.body.get("phone_number_id") == _EXAMPLE_NUMBER:
        case.body["phone_number_id"] = _REAL_NUMBER


@schemathesis.check
def refused_beyond_schema_only(
    _context: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> None:
    """A request that the schema allows is refused only by a rule that JSON Schema cannot say."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code not in {400, 413, 422}:
        return
    answer = response.json()
    if answer.get("code") == "unreadable_file":  # a schema says nothing about what stands in a CSV
        return
    words = answer.get("message", answer["error"])  # one API explains in this member, the other in that
    assert is_beyond_schema(words), f"The schema allows what the API refuses: {words}"
