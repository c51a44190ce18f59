"""Bodies of the operator's routes."""

from typing import Annotated

from pydantic import Field

from services.gateway.domain.permissions import DEFAULT_PERMISSIONS, Permission
from services.gateway.schemas.fields import NOT_BLANK, Body, FutureTime, Identifier, Name, OptionalText


class CreateApiKeyBody(Body):
    """`POST /admin/api-keys`."""

    user_id: Identifier
    phone_number_id: Identifier
    name: Name
    permissions: Annotated[list[Permission], Field(min_length=1, max_length=20)] = Field(
        default_factory=lambda: list(DEFAULT_PERMISSIONS)
    )
    expires_at: FutureTime | None = None


class CreateWebhookBody(Body):
    """`POST /admin/webhooks`. Which URLs and events are allowed is decided where they are used."""

    user_id: Identifier
    url: Annotated[str, Field(min_length=1, max_length=2048), NOT_BLANK]
    events: Annotated[list[Annotated[str, Field(min_length=1, max_length=64)]], Field(min_length=1, max_length=50)]
    description: OptionalText = None
