"""Bodies of the operator's routes."""

from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, model_validator

from services.gateway.domain.permissions import DEFAULT_PERMISSIONS, Permission
from services.gateway.schemas.fields import Body, Identifier, Moment, Name
from shared.web.field_errors import field_error

Permissions = Annotated[list[Permission], Field(min_length=1, max_length=20)]


class CreateApiKeyBody(Body):
    """A new API key."""

    user_id: Identifier
    """Whose key it is."""
    phone_number_id: Identifier
    """The one number that it may send from."""
    name: Name
    """What people call it."""
    permissions: Permissions = Field(default_factory=lambda: list(DEFAULT_PERMISSIONS))
    """What it may do; left out, send_text, send_media and send_template."""
    expires_at: Moment | None = None
    """From when on it is refused; left out, never."""


class ChangeApiKeyBody(Body):
    """What to change; what is left out stays as it is."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": [field]} for field in ("name", "permissions", "expires_at")]}
    )

    name: Name = ""
    """What people call it."""
    permissions: Permissions = Field(default_factory=list)
    """What it may do."""
    expires_at: Moment | None = None
    """From when on it is refused; null, never."""

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.model_fields_set:
            raise field_error("", sentence="Nothing to change: give name, permissions or expires_at")
        return self

    def changes(self) -> dict[str, Any]:
        """The members that were given."""
        return self.model_dump(include=self.model_fields_set)
