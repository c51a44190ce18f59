"""Bodies of the operator's routes."""

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from services.gateway.domain.permissions import DEFAULT_PERMISSIONS, Permission
from services.gateway.schemas.fields import NOT_BLANK, Body, FutureTime, Identifier, Name, OptionalText
from shared.web.field_errors import field_error

Permissions = Annotated[list[Permission], Field(min_length=1, max_length=20)]


class CreateApiKeyBody(Body):
    """`POST /admin/api-keys`."""

    user_id: Identifier
    phone_number_id: Identifier
    name: Name
    permissions: Permissions = Field(default_factory=lambda: list(DEFAULT_PERMISSIONS))
    expires_at: FutureTime | None = None


class ChangeApiKeyBody(Body):
    """`PATCH /admin/api-keys/:id`: what is left out stays as it is; `expires_at` null means that the key never does."""

    name: Name = ""
    permissions: Permissions = Field(default_factory=list)
    expires_at: FutureTime | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.model_fields_set:
            raise field_error("", sentence="Nothing to change: give name, permissions or expires_at")
        return self

    def changes(self) -> dict[str, Any]:
        """The members that were given."""
        return self.model_dump(include=self.model_fields_set)


class CreateWebhookBody(Body):
    """`POST /admin/webhooks`. Which URLs and events are allowed is decided where they are used."""

    user_id: Identifier
    url: Annotated[str, Field(min_length=1, max_length=2048), NOT_BLANK]
    events: Annotated[list[Annotated[str, Field(min_length=1, max_length=64)]], Field(min_length=1, max_length=50)]
    description: OptionalText = None
