"""What every message to Meta has around it, and the media object that several kinds share."""

from dataclasses import dataclass
from typing import Any

from shared.contracts.content import MediaHeader


@dataclass(frozen=True, slots=True)
class Rendered:
    """The JSON that Meta gets, and what the caller should know about it.

    A warning is a stable name, with an explanation after a colon where there is more to say.
    """

    payload: dict[str, Any]
    warnings: tuple[str, ...] = ()


def message(to: str, kind: str, content: dict[str, Any]) -> dict[str, Any]:
    """A message of one kind to one person: E.164 with its plus sign, which Meta needs, or a business-scoped id."""
    whom = "to" if to.startswith("+") else "recipient"
    return {"messaging_product": "whatsapp", "recipient_type": "individual", whom: to, "type": kind, kind: content}


def media_parameter(header: MediaHeader) -> dict[str, Any]:
    """A media header's object, the same in interactive messages and in templates."""
    media = {"link": header.url}
    if header.type == "document" and header.filename is not None:
        media["filename"] = header.filename
    return {"type": header.type, header.type: media}
