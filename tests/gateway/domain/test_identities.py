"""What a proxy says of who asks: short, signed with the one algorithm of the key, for us."""

import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.gateway.domain.identities import IdentityKey, IdentityKeyError
from shared.errors import UnauthenticatedError

SECRET = "a proxy's secret of more than thirty-two bytes, and even more than sixty-four"
PRIVATE = Ed25519PrivateKey.generate()
AUDIENCE = "waapi-dashboard"


def pem(private: Any) -> str:
    """The public key of a pair, as an operator would give it."""
    text: str = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return text


def token(key: Any = SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    """An identity for usr_1; None as a value leaves a claim out."""
    now = int(time.time())
    usual = {"sub": "ada", "aud": AUDIENCE, "iat": now, "exp": now + 60, "user_ids": ["usr_1"]}
    return jwt.encode({name: value for name, value in (usual | claims).items() if value is not None}, key, algorithm)


@pytest.mark.parametrize(
    ("key", "text", "algorithm"), [(SECRET, SECRET, "HS256"), (PRIVATE, pem(PRIVATE), "EdDSA")], ids=["secret", "pair"]
)
def test_an_identity_may_act_for_its_own_users(key: Any, text: str, algorithm: str) -> None:
    identity = IdentityKey.parse(text, AUDIENCE).verify(token(key, algorithm))

    assert identity.name == "ada"
    assert identity.may_act_for("usr_1")
    assert not identity.may_act_for("usr_2")


def test_a_star_stands_for_every_user() -> None:
    assert IdentityKey.parse(SECRET, AUDIENCE).verify(token(user_ids=["*"])).may_act_for("usr_2")


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "nonsense",
        token("another secret of more than thirty-two bytes, and more than sixty-four too"),
        token(algorithm="HS512"),
        token("", "none"),
        token(PRIVATE, "EdDSA"),
        token(aud="another"),
        token(aud=None),
        token(sub=None),
        token(iat=None),
        token(exp=None),
        token(exp=int(time.time()) + 61),
        token(iat=int(time.time()) - 100, exp=int(time.time()) - 40),
        token(user_ids=None),
        token(user_ids="usr_1"),
        token(user_ids=[1]),
    ],
)
def test_an_identity_that_does_not_hold_is_refused(wrong: str) -> None:
    with pytest.raises(UnauthenticatedError, match="X-WA-Identity"):
        IdentityKey.parse(SECRET, AUDIENCE).verify(wrong)


def test_a_public_key_is_no_secret_that_a_stranger_could_sign_with() -> None:
    public = pem(PRIVATE)
    forged = jwt.api_jws.PyJWS().encode(b"{}", "x" * 32, "HS256")

    with pytest.raises(UnauthenticatedError):
        IdentityKey.parse(public, AUDIENCE).verify(forged)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("short", "at least 32 bytes"),
        ("-----BEGIN PUBLIC KEY-----\nnonsense\n-----END PUBLIC KEY-----", "cannot be read"),
        (pem(generate_ec_key(SECP256R1())), "not of Ed25519"),
    ],
)
def test_a_key_that_cannot_check_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(IdentityKeyError, match=words):
        IdentityKey.parse(text, AUDIENCE)
