"""Reading recipients from a CSV or NDJSON file as it arrives: a piece goes in, the rows that it completes come out.

CSV: a header row with `phone`, perhaps `name`, `email`, `company`; every other column is a variable. Values may be
quoted and then hold line breaks. Comma, semicolon or tab: whichever the header row uses.
"""

import codecs
import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from shared.contracts.campaigns import RefusedRow
from shared.contracts.contacts import RecipientRow
from shared.errors import InvalidInputError

FileKind = Literal["csv", "ndjson"]

_PERSON = ("name", "email", "company")
_LONGEST_ROW = 256 * 1024  # characters; more is a quote that was never closed
_LONGEST_VALUE = 1024
_LONGEST_PHONE = 64
_MOST_COLUMNS = 120

Parsed = RecipientRow | RefusedRow


class UnreadableFileError(InvalidInputError):
    """The file as a whole cannot be read."""

    default_code = "unreadable_file"


@dataclass(slots=True)
class RecipientFile:
    """One file. `row` of what it gives is the line on which the row begins, from 1."""

    kind: FileKind
    _rest: str = ""
    _line: int = 1
    _columns: tuple[str, ...] = ()
    _variables: tuple[str, ...] = ()  # the columns that tell nothing of the person
    _delimiter: str = ","
    _decoder: codecs.IncrementalDecoder = field(default_factory=codecs.getincrementaldecoder("utf-8-sig"))

    def feed(self, piece: bytes) -> list[Parsed]:
        """The rows that are complete by now. Raises UnreadableFileError."""
        return list(self._take(self._decoded(piece, final=False), final=False))

    def finish(self) -> list[Parsed]:
        """The last row, which may have no line break. Raises UnreadableFileError for a CSV without a header."""
        rows = list(self._take(self._decoded(b"", final=True), final=True))
        if self.kind == "csv" and not self._columns:
            raise UnreadableFileError("The file is empty; a CSV begins with a header row that has a column phone")
        return rows

    def _decoded(self, piece: bytes, *, final: bool) -> str:
        try:
            return self._decoder.decode(piece, final)
        except UnicodeDecodeError:
            raise UnreadableFileError(f"The file is not UTF-8 after line {self._line}") from None

    def _take(self, text: str, *, final: bool) -> Iterator[Parsed]:
        whole, self._rest = _split(self._rest + text, final=final, quoted=self.kind == "csv")
        if len(self._rest) > _LONGEST_ROW:
            raise UnreadableFileError(f"Line {self._line} is too long; perhaps a quote was never closed")
        if not whole:
            return iter(())
        return self._csv_rows(whole) if self.kind == "csv" else self._json_rows(whole)

    def _json_rows(self, text: str) -> Iterator[Parsed]:
        for line in text.split("\n"):
            number, self._line = self._line, self._line + 1
            if line.strip():
                yield _json_row(number, line)
        self._line -= 1  # what follows the last line break belongs to the next piece

    def _csv_rows(self, text: str) -> Iterator[Parsed]:
        first = self._line
        if not self._columns:
            self._read_header(text)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=self._delimiter)
        try:
            number = first
            for values in reader:
                if number > 1 and "".join(values).strip():
                    yield self._csv_row(number, values)
                number = first + reader.line_num
        except csv.Error as error:
            raise UnreadableFileError(f"Line {number} is no CSV: {error}") from None
        self._line = number

    def _read_header(self, text: str) -> None:
        line = text.split("\n", 1)[0]
        self._delimiter = max(",;\t", key=line.count)
        names = [name.strip() for name in next(csv.reader([line.rstrip("\r")], delimiter=self._delimiter), [])]
        self._columns = tuple(name.lower() if name.lower() in {"phone", *_PERSON} else name for name in names)
        if "phone" not in self._columns:
            raise UnreadableFileError("The first line must name the columns, and one of them must be phone")
        double = next((name for name in self._columns if name and self._columns.count(name) > 1), None)
        if double is not None:
            raise UnreadableFileError(f"The column {double} is there twice")
        if len(self._columns) > _MOST_COLUMNS:
            raise UnreadableFileError(f"There are more than {_MOST_COLUMNS} columns")
        self._variables = tuple(name for name in self._columns if name not in {"", "phone", *_PERSON})

    def _csv_row(self, number: int, values: list[str]) -> Parsed:
        if len(values) > len(self._columns):
            return _refused(
                number, values[0] if values else "", f"has {len(values)} values for {len(self._columns)} columns"
            )
        given = dict(zip(self._columns, map(str.strip, values), strict=False))
        return _row(number, given, {name: given[name] for name in self._variables if name in given})


def _split(text: str, *, final: bool, quoted: bool) -> tuple[str, str]:
    """Cut after the last line break that ends a row; one inside quotes does not."""
    if final:
        return text, ""
    end = text.rfind("\n")
    while quoted and end >= 0 and text.count('"', 0, end) % 2:
        end = text.rfind("\n", 0, end)
    return text[: end + 1], text[end + 1 :]


def _json_row(number: int, line: str) -> Parsed:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return _refused(number, "", "is not a JSON object")
    if not isinstance(value, dict):
        return _refused(number, "", "is not a JSON object")
    variables = value.get("variables") or {}
    if not isinstance(variables, dict):
        return _refused(number, str(value.get("phone", "")), "variables must be an object")
    return _row(number, value, variables)


def _row(number: int, given: Mapping[str, Any], variables: Mapping[str, Any]) -> Parsed:
    phone = given.get("phone")
    if not isinstance(phone, str):
        return _refused(number, "", "phone must be a text")
    try:
        values = {name: text for name, value in variables.items() if (text := as_text(name, value)) != ""}
        person = {name: as_text(name, given[name]) or None for name in _PERSON if given.get(name) is not None}
    except ValueError as error:
        return _refused(number, phone, str(error))
    return RecipientRow(row=number, phone=phone.strip(), variables=values, **person)


def as_text(name: str, value: Any) -> str:
    """A value as text. Raises ValueError in words for what cannot be one."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"{name} must be a text or a number")  # noqa: TRY004 - told to whoever wrote the row
    text = str(value)
    if len(text) > _LONGEST_VALUE:
        raise ValueError(f"{name} must have at most {_LONGEST_VALUE} characters")
    if "\x00" in name or name.startswith("$") or "\x00" in text:
        raise ValueError(f"{name} is not allowed")
    return text


def _refused(number: int, phone: str, reason: str) -> RefusedRow:
    return RefusedRow(row=number, phone=phone[:_LONGEST_PHONE], code="unreadable_row", reason=reason)
