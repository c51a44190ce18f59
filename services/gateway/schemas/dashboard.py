"""Bodies of the dashboard API."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from services.gateway.schemas.fields import (
    EMPTY_IS_NONE,
    AccessToken,
    Body,
    Email,
    Identifier,
    MetaId,
    OptionalName,
)
from shared.web.field_errors import field_error

WABA_REQUIRED = "waba_id is required for WhatsApp phone numbers (needed for template management)"


class CreateUserBody(Body):
    """`POST /api/v1/users`."""

    user_id: Identifier
    email: Email
    company_name: OptionalName = None


class AddPhoneNumberBody(Body):
    """`POST /api/v1/phone-numbers`. The access token is sealed before it goes anywhere."""

    user_id: Identifier
    platform: Literal["whatsapp", "instagram"]
    meta_phone_number_id: MetaId
    access_token: Annotated[AccessToken, Field(repr=False)]
    display_name: OptionalName = None
    waba_id: Annotated[MetaId | None, EMPTY_IS_NONE] = None

    @model_validator(mode="after")
    def _has_its_waba(self) -> Self:
        if self.platform == "whatsapp" and self.waba_id is None:
            raise field_error("is required", field="waba_id", sentence=WABA_REQUIRED)
        return self


class SyncTemplatesBody(Body):
    """`POST /api/v1/templates/sync`."""

    user_id: Identifier
    phone_number_id: Identifier
