"""Files of recipients, in pieces of any size and with flat memory."""

import csv
import io
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.domain.recipient_files import RecipientFile, UnreadableFileError
from shared.contracts.campaigns import RefusedRow
from shared.contracts.contacts import RecipientRow

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)


@given(st.lists(st.tuples(TEXT, TEXT), max_size=12), st.lists(st.integers(0, 400), max_size=6))
def test_however_a_file_is_cut_it_says_the_same(rows: list[tuple[str, str]], cuts: list[int]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([("phone", "1"), *((f"+49{number}", value) for number, (_, value) in enumerate(rows))])
    raw = text.getvalue().encode()
    places = sorted({0, len(raw), *(min(cut, len(raw)) for cut in cuts)})

    file = RecipientFile("csv")
    in_pieces = [row for start, end in pairwise(places) for row in file.feed(raw[start:end])] + file.finish()
    whole = RecipientFile("csv")
    at_once = whole.feed(raw) + whole.finish()

    assert in_pieces == at_once
    assert [each.phone for each in at_once] == [f"+49{number}" for number in range(len(rows))]


def test_a_row_is_named_by_the_line_on_which_it_begins() -> None:
    file = RecipientFile("csv")

    rows = file.feed(b'phone,name\n+491,"a\nb"\n\n+492,c\n+493,d,e\n') + file.finish()

    assert [(row.row, type(row)) for row in rows] == [(2, RecipientRow), (5, RecipientRow), (6, RefusedRow)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_header_tells_the_delimiter(delimiter: str) -> None:
    file = RecipientFile("csv")

    (row,) = file.feed(f"Phone{delimiter}city\n+491{delimiter}Bonn\n".encode())

    assert row == RecipientRow(row=2, phone="+491", variables={"city": "Bonn"})


@pytest.mark.parametrize(
    "line", [b"7", b'{"phone": 7}', b'{"phone": "+491", "variables": [1]}', b'{"phone": "+491", "name": {}}']
)
def test_a_line_that_is_no_recipient_is_refused_and_the_next_is_taken(line: bytes) -> None:
    file = RecipientFile("ndjson")

    refused, taken = file.feed(line + b'\n{"phone": "+492"}\n')

    assert (type(refused), taken.phone) == (RefusedRow, "+492")


def test_what_no_document_may_hold_is_refused() -> None:
    file = RecipientFile("csv")

    rows = file.feed(b"phone,$where\n+491,x\n") + RecipientFile("ndjson").feed(
        b'{"phone": "+491", "variables": {"1": "a\\u0000b"}}\n'
    )

    assert [type(row) for row in rows] == [RefusedRow, RefusedRow]


def test_a_file_that_is_not_utf_8_is_refused_as_a_whole() -> None:
    with pytest.raises(UnreadableFileError):
        RecipientFile("csv").feed(b"phone\n\xff")


def test_memory_does_not_grow_with_the_file() -> None:
    def peak(rows: int) -> int:
        file = RecipientFile("csv")
        tracemalloc.start()
        file.feed(b"phone,1\n")
        for start in range(0, rows, 500):
            file.feed(b"".join(b"+49151%08d,name\n" % number for number in range(start, start + 500)))
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    assert peak(8_000) < 1.5 * peak(2_000)
