"""Who may open a web chat session: from which pages, and as whom."""

import hashlib
import hmac
from dataclasses import dataclass

from shared.contracts.webchat import VisitorIdentity, VisitorInput
from shared.errors import PermissionDeniedError


@dataclass(frozen=True, slots=True)
class ProvenVisitor:
    """A visitor whose site has signed who they are."""

    external_id: str
    details: VisitorInput


def require_origin(origin: str, allowed: tuple[str, ...]) -> None:
    """Raise PermissionDeniedError for a page that the channel does not list; a channel that lists none takes all."""
    listed = {each.rstrip("/").lower() for each in allowed}
    if listed and origin.lower() not in listed:
        raise PermissionDeniedError("This channel is not available on this site", code="origin_not_allowed")


def proven_visitor(identity: VisitorIdentity | None, secret: str | None, *, required: bool) -> ProvenVisitor | None:
    """The visitor as the site proved them, None for one who gave no name.

    A wrong proof is never taken for an unnamed visitor: raises PermissionDeniedError.
    """
    if identity is None:
        if required:
            raise PermissionDeniedError("This channel asks its site for the visitor's identity", code="identity_needed")
        return None
    if secret is None:
        raise PermissionDeniedError("This channel has no identity secret: identities mean nothing", code="identity_off")
    if not hmac.compare_digest(proof_of(identity.external_id, secret).encode(), identity.proof.lower().encode()):
        raise PermissionDeniedError("The proof of the visitor's identity is wrong", code="identity_wrong")
    return ProvenVisitor(identity.external_id, VisitorInput(name=identity.name, email=identity.email))


def proof_of(external_id: str, secret: str) -> str:
    """What a site's back end computes: hex HMAC-SHA256 of the visitor's id under the channel's identity secret."""
    return hmac.new(secret.encode(), external_id.encode(), hashlib.sha256).hexdigest()


def proven_session_id(webchat_id: str, external_id: str) -> str:
    """The one session that a proven visitor has on a channel, whichever device they use."""
    return "session_" + hashlib.sha256(f"{webchat_id}|{external_id}".encode()).hexdigest()[:32]
