"""Bodies of the dashboard API."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from services.gateway.schemas.fields import (
    EMPTY_IS_NONE,
    AccessToken,
    Body,
    Email,
    Identifier,
    MetaId,
    OptionalName,
)
from services.gateway.schemas.rules import filled_when
from shared.web.field_errors import field_error

WABA_REQUIRED = "waba_id is required for WhatsApp phone numbers (needed for template management)"


class CreateUserBody(Body):
    """A new user: a business with its own numbers, keys and credits."""

    user_id: Identifier
    """The id that the user is to have."""
    email: Email
    """No other user may have it; capitals make no difference."""
    company_name: OptionalName = None
    """The name of the business."""


class AddPhoneNumberBody(Body):
    """A new phone number. Its access token is sealed before it goes anywhere, and never shown again."""

    model_config = ConfigDict(json_schema_extra=filled_when("platform", "whatsapp", "waba_id"))

    user_id: Identifier
    """Whose number it is."""
    platform: Literal["whatsapp", "instagram"]
    """Where it sends."""
    meta_phone_number_id: MetaId
    """Meta's id of the number; on Instagram, of the account."""
    access_token: Annotated[AccessToken, Field(repr=False)]
    """Meta's token for it."""
    display_name: OptionalName = None
    """What people call it."""
    waba_id: Annotated[MetaId | None, EMPTY_IS_NONE] = None
    """The WhatsApp Business Account; required for WhatsApp."""

    @model_validator(mode="after")
    def _has_its_waba(self) -> Self:
        if self.platform == "whatsapp" and self.waba_id is None:
            raise field_error("is required", field="waba_id", sentence=WABA_REQUIRED)
        return self


class SyncTemplatesBody(Body):
    """Whose templates to bring over from Meta."""

    user_id: Identifier
    """The user that the number belongs to."""
    phone_number_id: Identifier
    """Our id of a number of the WhatsApp Business Account."""
