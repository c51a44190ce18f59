"""Changing, deleting and testing phone numbers, described."""

from services.gateway.openapi import dashboard_models as models
from services.gateway.openapi.dashboard_parts import (
    CHANGED_BODY,
    CONFLICT,
    IDEMPOTENCY,
    INVALID,
    LATE,
    UNKNOWN,
    answers,
    dashboard_operation,
    in_path,
)
from services.gateway.openapi.operations import RequestBody
from services.gateway.openapi.shown import Shown
from services.gateway.schemas.numbers import ChangePhoneNumberBody

_TAG = "Phone numbers"
_ONE = "/api/v1/phone-numbers/{phone_number_id}"
_ID = in_path("phone_number_id", "Our id of the number.", "pn_3k9d")


class ChangedNumber(models.NumberShown):
    """A phone number as it is now."""

    messages_per_second: int
    """How many messages Meta lets it send in a second."""
    enforce_window: bool
    """Whether anything but a template is refused to who has not written within 24 hours."""


class ChangedNumberAnswer(models.Answered):
    """200."""

    data: ChangedNumber


class CheckShown(Shown):
    """One thing that was asked of Meta."""

    name: str
    """`access_token`, `phone_number`, `waba`, `webhook_subscription` or `webchat`."""
    ok: bool
    message: str
    """What is wrong and what to do about it."""


class VerificationShown(Shown):
    """Whether a number can be used."""

    ok: bool
    """Whether all checks are."""
    checks: list[CheckShown]


class VerificationAnswer(models.Answered):
    """200, whatever was found."""

    data: VerificationShown


NUMBER_OPERATIONS = (
    dashboard_operation(
        _TAG,
        method="patch",
        path=_ONE,
        name="changePhoneNumber",
        summary="Change a phone number",
        description="A new token or account is subscribed with in the background.",
        parameters=(_ID,),
        body=RequestBody.of(ChangePhoneNumberBody, {"display_name": "Main Business Line"}),
        answers=answers(200, ChangedNumberAnswer, "The number.", INVALID, UNKNOWN, CONFLICT, CHANGED_BODY, LATE),
    ),
    dashboard_operation(
        _TAG,
        method="delete",
        path=_ONE,
        name="deletePhoneNumber",
        summary="Delete a phone number",
        description="Refused while an agent or a campaign needs it. Templates, messages and conversations stay.",
        parameters=(_ID,),
        answers=answers(200, models.Done, "It is deleted.", UNKNOWN, CONFLICT, LATE),
    ),
    dashboard_operation(
        _TAG,
        method="post",
        path=f"{_ONE}/verify",
        name="verifyPhoneNumber",
        summary="Test the connection to Meta",
        description="Asks Meta about the token, the number, its account and the webhook subscription.",
        parameters=(_ID, IDEMPOTENCY),
        answers=answers(200, VerificationAnswer, "What Meta says.", INVALID, UNKNOWN, {415: CHANGED_BODY[415]}),
    ),
)
