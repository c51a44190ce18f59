"""What Meta says of a number, in words for whoever set it up."""

import pytest

from services.messaging.domain.verification import Told, number_check, subscription_check, token_check, waba_check
from shared.contracts.messaging import MetaError

META_ID, WABA = "106540352242922", "102290129340398"
SILENT = Told(silence="TimeoutError")
FINE = Told(node={"id": META_ID})


def refused(code: int, message: str = "refused") -> Told:
    """A refusal of Meta's."""
    return Told(refusal=MetaError(message=message, code=code))


@pytest.mark.parametrize(
    ("told", "ok", "words"),
    [
        ((FINE, FINE), True, "Meta accepts the access token."),
        ((FINE, refused(190, "Session has expired")), False, "does not accept the access token (Session has expired)"),
        ((refused(10), refused(190)), False, "does not accept the access token"),
        ((refused(200, "no whatsapp_business_management"), FINE), False, "lacks a permission (no whatsapp_business"),
        ((refused(100), FINE), True, "Meta accepts the access token."),  # the object is unknown, the token is not
        ((SILENT, SILENT), False, "Meta could not be asked (TimeoutError)"),
        ((SILENT, FINE), True, "Meta accepts the access token."),
    ],
)
def test_the_token_is_judged_from_all_answers(told: tuple[Told, ...], ok: bool, words: str) -> None:
    check = token_check(*told)

    assert (check.name, check.ok) == ("access_token", ok)
    assert words in check.message


@pytest.mark.parametrize(
    ("told", "ok", "words"),
    [
        (Told(node={"display_phone_number": "+1 555", "quality_rating": "GREEN"}), True, "as +1 555, quality GREEN."),
        (Told(node={"username": "acme"}), True, "Meta knows it as acme."),
        (Told(node={}), True, f"Meta knows it as {META_ID}."),
        (refused(100, "does not exist"), False, f"no phone number {META_ID} to this token"),
        (SILENT, False, "Meta could not be asked"),
    ],
)
def test_the_number_is_named_as_meta_knows_it(told: Told, ok: bool, words: str) -> None:
    check = number_check(told, META_ID)

    assert (check.name, check.ok) == ("phone_number", ok)
    assert words in check.message


@pytest.mark.parametrize(
    ("told", "ok", "words"),
    [
        (Told(node={"data": [{"id": "1"}, {"id": META_ID}]}), True, "belongs to account"),
        (Told(node={"data": [{"id": "1"}]}), False, f"has no phone number {META_ID}"),
        (Told(node={"data": "odd"}), False, "has no phone number"),
        (Told(node={"data": ["odd", None]}), False, "has no phone number"),
        (refused(100, "Unsupported get request"), False, "Meta says: Unsupported get request"),
        (SILENT, False, "try again in a moment"),
    ],
)
def test_the_account_must_hold_the_number(told: Told, ok: bool, words: str) -> None:
    check = waba_check(told, WABA, META_ID)

    assert (check.name, check.ok) == ("waba", ok)
    assert words in check.message


@pytest.mark.parametrize(
    ("told", "ok", "words"),
    [
        (Told(node={"data": [{"whatsapp_business_api_data": {"id": "1"}}]}), True, "An app is subscribed"),
        (Told(node={"data": []}), False, "no status or reply arrives yet"),
        (refused(200), False, "does not say which apps are subscribed"),
        (SILENT, False, "Meta could not be asked"),
    ],
)
def test_without_a_subscription_nothing_comes_back(told: Told, ok: bool, words: str) -> None:
    check = subscription_check(told, WABA)

    assert (check.name, check.ok) == ("webhook_subscription", ok)
    assert words in check.message
