"""Values of Meta's webhooks, taken tolerantly: ids that may be numbers, times that may be text, JSON as it comes."""

import json
import math
from datetime import UTC, datetime
from typing import Any

import orjson

_MAX_TEXT = 1024  # Meta's ids and names are far shorter; a longer one is not an id
_MAX_CONTENT_BYTES = 256 * 1024
_MAX_DEPTH = 30  # documents in the database may be nested a hundred deep
_INT64 = 2**63


def load(raw: bytes) -> Any:
    """The JSON value; None when it is none."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        pass  # a profile name cut in the middle of an emoji leaves half a surrogate pair, which only `json` accepts
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def text(value: Any) -> str:
    """An id, a name or a word. Raises ValueError when it is none."""
    found = text_or_none(value)
    if found is None:
        raise ValueError("expected a text or a number")
    return found


def text_or_none(value: Any) -> str | None:
    """An id, a name or a word, which Meta writes as text here and as a number there."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and 0 < len(value) <= _MAX_TEXT else None


def moment(value: Any, otherwise: datetime) -> datetime:
    """Unix seconds, which Meta writes as text in `messages` and as a number elsewhere."""
    digits = str(value)
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 11):
        return otherwise
    return datetime.fromtimestamp(int(digits), UTC)


def moment_of_millis(value: Any, otherwise: datetime) -> datetime:
    """Unix milliseconds, as Instagram's webhooks have them."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**14:
        return datetime.fromtimestamp(value / 1000, UTC)
    return otherwise


def inner(value: dict[str, Any], key: str) -> dict[str, Any]:
    """The object under a key; empty when there is none."""
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def words(value: Any) -> str | None:
    """What a person wrote, of any length; half an emoji becomes a question mark."""
    if not isinstance(value, str) or not value:
        return None
    return value if value.isascii() else value.encode("utf-8", "replace").decode()


def content(value: dict[str, Any]) -> dict[str, Any]:
    """An object as it came, but for what no database takes; a monstrous one is left out (the raw bytes hold it)."""
    kept: dict[str, Any] = _storable(value, 0)
    if len(orjson.dumps(kept)) > _MAX_CONTENT_BYTES:
        return {"omitted": "larger than 256 KiB"}
    return kept


def _storable(value: Any, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        return None
    if isinstance(value, dict):
        return {_key(key): _storable(each, depth + 1) for key, each in value.items()}
    if isinstance(value, list):
        return [_storable(each, depth + 1) for each in value]
    if isinstance(value, str):
        return words(value) or ""
    if isinstance(value, int) and not -_INT64 <= value < _INT64:
        return str(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _key(key: str) -> str:
    return (words(key) or "").replace("\0", "")
