"""Sealed secrets: they open where they belong, with any live key, and nowhere else."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sealing import KeyRing, SealingError

OLD, NEW = base64.b64encode(b"o" * 32).decode(), base64.b64encode(b"n" * 32).decode()
RING = KeyRing.parse(f"new:{NEW},old:{OLD}")


@given(st.text())
def test_what_is_sealed_opens_to_the_same_text(plain: str) -> None:
    sealed = RING.seal(plain, owner_id="pn_1", field="access_token")

    assert RING.open(sealed, owner_id="pn_1", field="access_token") == plain


def test_the_same_text_is_never_sealed_the_same_way_twice() -> None:
    sealed = {RING.seal("token", owner_id="pn_1", field="access_token") for _ in range(100)}

    assert len(sealed) == 100


@pytest.mark.parametrize(("owner_id", "field"), [("pn_2", "access_token"), ("pn_1", "secret")])
def test_a_value_moved_to_another_place_does_not_open(owner_id: str, field: str) -> None:
    sealed = RING.seal("token", owner_id="pn_1", field="access_token")

    with pytest.raises(SealingError, match="does not open"):
        RING.open(sealed, owner_id=owner_id, field=field)


def test_every_key_opens_and_the_first_one_seals() -> None:
    sealed_before = KeyRing.parse(f"old:{OLD}").seal("token", owner_id="pn_1", field="access_token")

    assert RING.open(sealed_before, owner_id="pn_1", field="access_token") == "token"
    assert RING.seal("token", owner_id="pn_1", field="access_token").startswith("v1.new.")


def test_a_key_that_was_taken_off_the_ring_no_longer_opens() -> None:
    sealed = KeyRing.parse(f"old:{OLD}").seal("token", owner_id="pn_1", field="access_token")

    with pytest.raises(SealingError, match="unknown key"):
        KeyRing.parse(f"new:{NEW}").open(sealed, owner_id="pn_1", field="access_token")


@given(position=st.integers(min_value=0, max_value=40), bit=st.integers(min_value=0, max_value=7))
def test_a_value_with_any_bit_changed_does_not_open(position: int, bit: int) -> None:
    version, kid, encoded = RING.seal("a token", owner_id="pn_1", field="access_token").split(".")
    raw = bytearray(base64.urlsafe_b64decode(encoded))
    raw[position % len(raw)] ^= 1 << bit
    changed = ".".join((version, kid, base64.urlsafe_b64encode(raw).decode()))

    with pytest.raises(SealingError, match="does not open"):
        RING.open(changed, owner_id="pn_1", field="access_token")


@pytest.mark.parametrize("sealed", ["", "v1", "v1.new", "v1.new.", "v1.new.%%%", "v1.new.AAAA", "v2.new.AAAA", "token"])
def test_what_was_never_sealed_does_not_open(sealed: str) -> None:
    with pytest.raises(SealingError):
        RING.open(sealed, owner_id="pn_1", field="access_token")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "holds no key"),
        (" , ", "holds no key"),
        (NEW.rstrip("="), "entry 1 is not of the form"),
        (f"new:{NEW},old", "entry 2 is not of the form"),
        ("new:not base64!", "key new is not base64"),
        (f"new:{base64.b64encode(b'short').decode()}", "key new has 5 bytes, not 32"),
    ],
)
def test_a_ring_that_cannot_be_used_is_refused_without_telling_its_keys(text: str, complaint: str) -> None:
    with pytest.raises(SealingError, match=complaint) as caught:
        KeyRing.parse(text)

    assert NEW not in str(caught.value)
    assert "not base64!" not in str(caught.value)


def test_a_ring_does_not_show_its_keys() -> None:
    assert NEW not in repr(RING)
    assert "nnnn" not in repr(RING)
