"""The identity secrets of web chat channels, described."""

from typing import Literal

from services.gateway.openapi import dashboard_models as models
from services.gateway.openapi.channels import CHANNELS_TAG
from services.gateway.openapi.dashboard_parts import (
    IDEMPOTENCY,
    INVALID,
    LATE,
    UNKNOWN,
    WITH_BODY,
    answers,
    in_path,
    operators_operation,
)
from services.gateway.openapi.operations import RequestBody
from services.gateway.openapi.shown import Shown
from services.gateway.schemas.webchat import IdentitySecretBody

_ID = in_path("webchat_id", "The channel's id.", "webchat_3k9d")
_PATH = "/admin/webchat/channels/{webchat_id}/identity-secret"


class IdentitySecretShown(Shown):
    """A channel's identity secret."""

    webchat_id: str
    secret: str
    """Shown this once. `hex(HMAC-SHA256(secret, external_id))` proves a visitor."""
    required: bool
    """Whether visitors without a proven identity are turned away."""


class IdentitySecretAnswer(models.Enveloped):
    """201."""

    success: Literal[True]
    data: IdentitySecretShown


IDENTITY_OPERATIONS = (
    operators_operation(
        CHANNELS_TAG,
        method="post",
        path=_PATH,
        name="makeWebchatIdentitySecret",
        summary="Let a site prove who its visitors are",
        description="Makes a new secret; the one before is worth nothing from then on. Keep it on the site's server.",
        parameters=(_ID, IDEMPOTENCY),
        body=RequestBody.of(IdentitySecretBody, {"required": False}),
        answers=answers(201, IdentitySecretAnswer, "The secret.", INVALID, UNKNOWN, WITH_BODY, LATE),
    ),
    operators_operation(
        CHANNELS_TAG,
        method="delete",
        path=_PATH,
        name="deleteWebchatIdentitySecret",
        summary="Let nobody prove who they are any more",
        description="Visitors are unnamed again.",
        parameters=(_ID,),
        answers=answers(200, models.Done, "It is gone.", UNKNOWN, LATE),
    ),
)
