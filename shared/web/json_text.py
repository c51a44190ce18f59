"""JSON from strangers: one meaning or none. What parsers read differently, or a store cannot keep, is refused."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from shared.errors import InvalidInputError

MAX_DEPTH = 20

_UNSTORABLE = re.compile("[\\x00\\ud800-\\udfff]")  # NUL, and half a surrogate pair
_LONGEST_KEY_SHOWN = 64

Path = tuple[str | int, ...]


class _TwiceGiven(dict[str, Any]):
    """An object in which a key came twice; `key` says which."""

    key = ""


def parse_json(raw: bytes) -> Any:
    """The value that `raw` holds.

    Raises InvalidInputError, naming where, for anything but UTF-8 JSON, for a key given twice, NaN and infinities,
    NUL and lone surrogates, and for more than twenty levels.
    """
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_to_object)
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"The body is not UTF-8 at byte {error.start}", code="invalid_json") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidInputError(f"The body is not valid JSON ({where}: {error.msg})", code="invalid_json") from None
    except RecursionError:
        raise _refusal("The body", f"is nested deeper than {MAX_DEPTH} levels") from None
    except ValueError:  # int() refuses numbers of more than 4,300 digits
        raise _refusal("The body", "holds a number that is too long") from None
    for path, fault in _faults(value, ()):
        raise _refusal(path_text(path) or "The body", fault)
    return value


def path_text(path: Path) -> str:
    """A path as the API documents write it: `template.buttons[0].url`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{shown_key(part)}"
    return text.removeprefix(".")


def shown_key(key: str) -> str:
    """A caller's key, fit to be quoted in an answer."""
    return _UNSTORABLE.sub("?", key[:_LONGEST_KEY_SHOWN])


def _to_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) == len(pairs):
        return value
    twice = _TwiceGiven(value)
    seen: set[str] = set()
    twice.key = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return twice


def _faults(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        if _UNSTORABLE.search(value):
            yield path, "contains a NUL character or half of a surrogate pair"
    elif isinstance(value, float):
        if not math.isfinite(value):
            yield path, "is not a finite number"
    elif isinstance(value, dict | list):
        yield from _faults_inside(value, path)


def _faults_inside(value: dict[str, Any] | list[Any], path: Path) -> Iterator[tuple[Path, str]]:
    if len(path) >= MAX_DEPTH:
        yield path, f"is nested deeper than {MAX_DEPTH} levels"
        return
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _faults(item, (*path, index))
        return
    if isinstance(value, _TwiceGiven):
        yield (*path, value.key), "is given twice"
    for key, item in value.items():
        if _UNSTORABLE.search(key):
            yield (*path, key), "has a name with a NUL character or half of a surrogate pair"
        yield from _faults(item, (*path, key))


def _refusal(where: str, fault: str) -> InvalidInputError:
    return InvalidInputError(f"{where} {fault}", code="invalid_json", details=[{"field": where, "message": fault}])
