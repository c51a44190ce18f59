"""Phone numbers as they come in paths."""

import pytest

from services.gateway.domain.lead_phones import lead_phone


@pytest.mark.parametrize("text", ["+14155551234", " 14155551234", "14155551234", "+1 415 555 1234", "+14155551234 "])
def test_a_number_is_known_with_a_plus_a_space_or_nothing_before_it(text: str) -> None:
    assert lead_phone(text) == "+14155551234"


@pytest.mark.parametrize("text", ["", "+", "abc", "+0123456789", "123456", "1" * 16, "++14155551234", "١٤١٥٥٥٥١٢٣٤"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert lead_phone(text) is None
