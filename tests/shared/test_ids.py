"""Identifiers: of the right form, never twice, or always the same."""

import re

from hypothesis import given
from hypothesis import strategies as st

from shared.ids import derived_hex_id, new_hex_id, new_id


def test_a_new_id_is_its_prefix_and_22_base62_characters() -> None:
    assert re.fullmatch(r"pn_[0-9A-Za-z]{22}", new_id("pn_"))


def test_a_new_message_id_is_24_hex_digits() -> None:
    assert re.fullmatch(r"[0-9a-f]{24}", new_hex_id())


def test_new_ids_do_not_repeat_and_use_every_character_in_every_place() -> None:
    ids = {new_id("") for _ in range(2000)}

    assert len(ids) == 2000
    assert {len(set(place)) for place in zip(*ids, strict=True)} == {62}


def test_a_derived_id_is_the_same_for_the_same_parts() -> None:
    assert derived_hex_id("cmp_1", "rcp_1", "0") == "b0f8f7d50dc1fac687382d1c"


@given(first=st.text(alphabet="abc1", max_size=3), second=st.text(alphabet="abc1", max_size=3))
def test_parts_are_not_run_together(first: str, second: str) -> None:
    assert derived_hex_id(first, second) != derived_hex_id(first + second)
