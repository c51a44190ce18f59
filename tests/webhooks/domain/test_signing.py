"""Signatures, checked by hand and by the library that our vendors use."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from services.webhooks.domain.signing import hex_signature, is_signed_by_meta, signed_headers
from shared.clock import utc_now

BODY = b'{"event":"message.sent"}'
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


def test_metas_signature_of_a_known_body_holds() -> None:
    # printf '{}' | openssl dgst -sha256 -hmac app-secret
    header = "sha256=" + hmac.new(b"app-secret", b"{}", hashlib.sha256).hexdigest()

    assert is_signed_by_meta(b"{}", header, ("app-secret",))


def test_both_secrets_hold_while_they_rotate() -> None:
    for secret in ("new", "old"):
        assert is_signed_by_meta(BODY, f"sha256={hex_signature(BODY, secret)}", ("new", "old"))


@pytest.mark.parametrize(
    "header",
    [None, "", "sha256=", hex_signature(BODY, "app-secret"), "sha1=abc", "sha256=é", "sha256=" + "0" * 64, "\udcff"],
)
def test_a_missing_or_wrong_signature_does_not_hold(header: str | None) -> None:
    assert not is_signed_by_meta(BODY, header, ("app-secret",))


@given(st.binary(max_size=300), st.integers(min_value=0))
def test_no_changed_byte_goes_unnoticed(body: bytes, position: int) -> None:
    header = f"sha256={hex_signature(body, 'app-secret')}"
    changed = bytearray(body or b"\0")
    changed[position % len(changed)] ^= 1

    assert is_signed_by_meta(body, header, ("app-secret",))
    assert not is_signed_by_meta(bytes(changed), header, ("app-secret",))


def test_a_vendor_can_check_a_webhook_with_the_standard_library() -> None:
    headers = signed_headers(BODY, [SECRET], event_id="message.sent:abc", at=utc_now())

    assert Webhook(SECRET).verify(BODY, headers) == json.loads(BODY)


def test_a_vendor_can_check_a_webhook_by_hand() -> None:
    at = datetime(2026, 3, 5, 10, 30, tzinfo=UTC)

    headers = signed_headers(BODY, [SECRET], event_id="message.sent:abc", at=at)

    standard = hmac.new(bytes(range(32)), b"message.sent:abc.1772706600." + BODY, hashlib.sha256).digest()
    assert headers == {
        "X-Webhook-Signature": hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest(),
        "webhook-id": "message.sent:abc",
        "webhook-timestamp": "1772706600",
        "webhook-signature": "v1," + base64.b64encode(standard).decode(),
    }


@pytest.mark.parametrize("secret", ["whsec_", "whsec_é"])
def test_a_secret_that_is_none_is_an_error_not_a_weak_signature(secret: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - base64 chooses the words
        signed_headers(BODY, [secret], event_id="e", at=utc_now())
