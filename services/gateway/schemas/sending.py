"""Bodies of sending from the dashboard, of contacts, and of credits."""

from typing import Annotated

from pydantic import Field

from services.gateway.schemas.changes import ChangeBody
from services.gateway.schemas.fields import (
    EMPTY_IS_NONE,
    WHOLE,
    Body,
    Identifier,
    OptionalEmail,
    OptionalName,
    OptionalText,
    Recipient,
)
from services.gateway.schemas.values import AttributeChanges, Tags, Values
from shared.contracts.messaging import ContactInput


class SendContactBody(Body):
    """Whom to send to; what is told of them is kept on the contact."""

    phone: Recipient
    """E.164."""
    name: OptionalName = None
    """Their name."""
    email: OptionalEmail = None
    """Their e-mail address."""
    company: OptionalName = None
    """Where they work."""

    def content(self) -> ContactInput:
        """What is told of the contact."""
        return ContactInput(name=self.name, email=self.email, company=self.company)


class SendTemplateBody(Body):
    """One approved template to one person."""

    phone_number_id: Identifier
    """The number to send from."""
    template_id: Identifier
    """Our id of an approved template of the number's account."""
    contact: SendContactBody
    """Whom to send to."""
    variables: Values = Field(default_factory=dict)
    """Values by position in the body ("1"), by name, or as "header.1" and "button.0"."""


class GrantCreditsBody(Body):
    """Credits to add."""

    credits: Annotated[int, Field(gt=0, le=1_000_000_000), WHOLE]
    """How many messages more."""
    note: OptionalText = None
    """Why, for whoever reads the ledger."""


class ChangeContactBody(ChangeBody):
    """What to change of a contact; an empty text or null empties a field."""

    name: OptionalName = None
    """Their name."""
    email: OptionalEmail = None
    """Their e-mail address."""
    company: OptionalName = None
    """Where they work."""
    attributes: AttributeChanges = Field(default_factory=dict)
    """Set one by one; null removes one."""
    tags: Tags = Field(default_factory=list)
    """All tags of the contact."""


class ChangeConsentBody(Body):
    """Why a contact's consent changes."""

    evidence: Annotated[Annotated[str, Field(max_length=1000)] | None, EMPTY_IS_NONE] = None
    """What proves it: where and when the person said so."""
