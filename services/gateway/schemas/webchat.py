"""Bodies of the web chat's own transport, and of its channels' identity secrets."""

import re
from typing import Annotated

from pydantic import Field

from services.gateway.schemas.checked import matching
from services.gateway.schemas.fields import NOT_BLANK, Body

LONGEST_TEXT = 4000

_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_PROOF = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)


class IdentityBody(Body):
    """Who the visitor is, proven by the site."""

    external_id: Annotated[str, Field(min_length=1, max_length=128)]
    """The site's own id of its customer."""
    proof: Annotated[str, matching(_PROOF, "must be the hex form of an HMAC-SHA256: 64 digits")]
    """Hex HMAC-SHA256 of `external_id` under the channel's identity secret, computed by the site's back end."""
    name: Annotated[str, Field(max_length=200)] | None = None
    """What to call them."""
    email: Annotated[str, Field(max_length=254)] | None = None
    """Where to reach them."""


class OpenSessionBody(Body):
    """A visitor's session; `{}` for a visitor who is not known to the site."""

    identity: IdentityBody | None = None
    """Who the visitor is. One that is not proven is refused."""


class VisitorMessageBody(Body):
    """What a visitor writes."""

    client_message_id: Annotated[str, matching(_CLIENT_ID, "must have 1 to 64 letters, digits, _ or -")]
    """An id that the widget chooses: sent again with the same one, the message is stored once."""
    text: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT), NOT_BLANK]
    """At most 4,000 characters."""


class IdentitySecretBody(Body):
    """A new identity secret for a channel; the one before is worth nothing from then on."""

    required: bool = False
    """Whether visitors without a proven identity are turned away."""
