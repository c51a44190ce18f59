"""The Base64 form of a phone number's id."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.domain.phone_ids import decode_phone_id, encode_phone_id
from shared.errors import InvalidInputError


@pytest.mark.parametrize(
    "encoded",
    ["", "!", "pn_abc123", "a", "====", "AAAA", "/w==", "cG4gYQ", "Pj8-Pw==", "Pj8+Pw==", "a" * 600],
)
def test_what_holds_no_id_is_refused(encoded: str) -> None:
    with pytest.raises(InvalidInputError, match="Base64"):
        decode_phone_id(encoded)


@pytest.mark.parametrize("encoded", ["cG5fMTI", "cG5fMTI=", "cG5fMTI%3D", "%63G5fMTI"])
def test_padding_and_percent_signs_do_not_matter(encoded: str) -> None:
    assert decode_phone_id(encoded) == "pn_12"


@given(st.text("abcXYZ019_.:+@-", min_size=1, max_size=128))
def test_every_id_comes_back(identifier: str) -> None:
    encoded = encode_phone_id(identifier)

    assert decode_phone_id(encoded) == identifier
    assert not set(encoded) & set("+/=")
