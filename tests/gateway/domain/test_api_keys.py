"""The form of API keys."""

import re
from datetime import timedelta

import pytest

from services.gateway.domain.api_keys import ApiKey, hash_secret, is_same_secret, new_key, parse_token, prefix_of
from shared.errors import PermissionDeniedError
from tests.gateway.conftest import NOON

KEY = ApiKey(
    key_id="key_00000000",
    user_id="usr_1",
    name="Shop",
    phone_number_id="pn_1",
    meta_phone_number_id="1065",
    platform="whatsapp",
    permissions=("send_text",),
    secret_hash="",
    created_at=NOON,
    expires_at=NOON + timedelta(hours=1),
)


def test_a_token_says_which_key_it_is_and_holds_256_bits_of_chance() -> None:
    key = new_key()

    assert re.fullmatch(r"wak_live_[0-9A-Za-z]{8}_[0-9A-Za-z]{43}[0-9A-Za-z]{6}", key.token)
    assert key.token.startswith(prefix_of(key.key_id))
    assert parse_token(key.token) == key


def test_no_two_keys_are_alike_and_none_shows_itself_in_a_log() -> None:
    first, second = new_key(), new_key()

    assert first.secret != second.secret
    assert first.secret not in repr(first)


def test_any_single_wrong_letter_is_noticed_without_a_look_up() -> None:
    token = new_key().token

    for place in range(len("wak_live_"), len(token)):
        other = "a" if token[place] != "a" else "b"

        assert parse_token(token[:place] + other + token[place + 1 :]) is None


def test_tokens_given_out_earlier_stay_valid() -> None:
    assert parse_token("wak_live_00000000_" + "0" * 43 + "1ciZMs") is not None


def test_a_hash_depends_on_secret_and_pepper() -> None:
    stored = hash_secret("pepper", "secret")

    assert is_same_secret("pepper", "secret", stored)
    assert not is_same_secret("pepper", "secres", stored)
    assert not is_same_secret("peppes", "secret", stored)


def test_a_key_lives_until_it_expires_or_is_revoked() -> None:
    assert KEY.is_live(NOON)
    assert not KEY.is_live(NOON + timedelta(hours=1))


@pytest.mark.parametrize("phone_id", ["pn_2", "1066", ""])
def test_a_key_is_for_its_number_only(phone_id: str) -> None:
    KEY.require_number("pn_1")
    KEY.require_number("1065")
    with pytest.raises(PermissionDeniedError):
        KEY.require_number(phone_id)


def test_a_key_has_the_permissions_it_was_given() -> None:
    KEY.require_permission("send_text")
    with pytest.raises(PermissionDeniedError, match="send_media"):
        KEY.require_permission("send_media")
