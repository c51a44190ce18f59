"""The body that changes a phone number."""

from typing import Annotated

from pydantic import Field

from services.gateway.schemas.changes import ChangeBody
from services.gateway.schemas.fields import WHOLE, AccessToken, MetaId, Name


class ChangePhoneNumberBody(ChangeBody):
    """What to change; what is left out stays as it is."""

    access_token: Annotated[AccessToken, Field(repr=False)] = ""
    """Meta's new token for it."""
    display_name: Name = ""
    """What people call it."""
    waba_id: MetaId = ""
    """The WhatsApp Business Account; only for WhatsApp."""
    messages_per_second: Annotated[int, Field(ge=1, le=1000), WHOLE] = 80
    """How many messages Meta lets it send in a second."""
    enforce_window: bool = False
    """Whether anything but a template is refused to who has not written within 24 hours; else Meta decides."""
