"""Long answers in parts: nothing lost, nothing too long, cut where a reader would pause."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.agents.domain.splitting import LONGEST_PART, split

CASES = {
    "a short text stays whole": ("Hello.", 10, ("Hello.",)),
    "a text of exactly the limit stays whole": ("1234567890", 10, ("1234567890",)),
    "a paragraph is the best border": ("One. Two\nx\n\nThree four", 12, ("One. Two\nx", "Three four")),
    "a line is better than a sentence": ("One two\nTwo. Three", 13, ("One two", "Two. Three")),
    "a sentence is better than a clause": ("One two. So, and then", 14, ("One two.", "So, and then")),
    "a clause is better than a word": ("One, two three four", 12, ("One, two", "three four")),
    "a word stays whole": ("abcdef ghijkl", 10, ("abcdef", "ghijkl")),
    "a word that is too long is cut": ("abcdefghijklmno", 10, ("abcdefghij", "klmno")),
    "a closing quote stays with its sentence": ('"One two." Three four', 12, ('"One two."', "Three four")),
    "a space right behind the limit counts": ("abcde fghij klmno", 11, ("abcde fghij", "klmno")),
    "Chinese sentences need no space": ("今天天气很好。我们去公园吧", 10, ("今天天气很好。", "我们去公园吧")),
    "a family is not torn apart": ("aaaaaaaa👩‍👧bb", 10, ("aaaaaaaa", "👩‍👧bb")),
    "a blank text has no parts": ("  \n ", 10, ()),
}


@pytest.mark.parametrize(("text", "longest", "parts"), CASES.values(), ids=CASES.keys())
def test_where_a_text_is_cut(text: str, longest: int, parts: tuple[str, ...]) -> None:
    assert split(text, longest) == parts


@given(st.text(max_size=400), st.integers(min_value=4, max_value=60))
def test_parts_fit_and_hold_everything_but_white_space(text: str, longest: int) -> None:
    parts = split(text, longest)

    assert all(0 < len(part) <= longest and part == part.strip() for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


def test_an_answer_of_ordinary_sentences_is_cut_behind_one() -> None:
    parts = split("This is a sentence of the answer. " * 300)

    assert all(part.endswith("answer.") and len(part) <= LONGEST_PART for part in parts)
    assert len(parts) == 3
