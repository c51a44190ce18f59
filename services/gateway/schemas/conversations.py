"""Bodies of the conversation routes. A reply is a message of the external send API that needs no recipient."""

from typing import Annotated, Any

from pydantic import Field, Tag, TypeAdapter

from services.gateway.schemas import send
from services.gateway.schemas.fields import EMPTY_IS_NONE, Body, by_type
from shared.web.body import validate_as

Address = Annotated[str, Field(max_length=200)] | None


class TextReply(send.TextBody):
    """A text reply."""

    to: Address = None  # type: ignore[assignment]
    """Not needed: a reply goes to the conversation's customer. Another address is refused."""


class PictureReply(send.PictureBody):
    """An image or a video."""

    to: Address = None  # type: ignore[assignment]
    """Not needed: a reply goes to the conversation's customer. Another address is refused."""


class AudioReply(send.AudioBody):
    """An audio file."""

    to: Address = None  # type: ignore[assignment]
    """Not needed: a reply goes to the conversation's customer. Another address is refused."""


class DocumentReply(send.DocumentBody):
    """A document."""

    to: Address = None  # type: ignore[assignment]
    """Not needed: a reply goes to the conversation's customer. Another address is refused."""


class TemplateReply(send.TemplateBody):
    """A template message, which may be sent when the 24-hour window is closed, too."""

    to: Address = None  # type: ignore[assignment]
    """Not needed: a reply goes to the conversation's customer. Another address is refused."""


class InteractiveReply(send.InteractiveBody):
    """An interactive message."""

    to: Address = None  # type: ignore[assignment]
    """Not needed: a reply goes to the conversation's customer. Another address is refused."""


class CarouselReply(send.CarouselBody):
    """A carousel template message."""

    to: Address = None  # type: ignore[assignment]
    """Not needed: a reply goes to the conversation's customer. Another address is refused."""


ReplyBody = TextReply | PictureReply | AudioReply | DocumentReply | TemplateReply | InteractiveReply | CarouselReply

REPLY_BODY: TypeAdapter[ReplyBody] = TypeAdapter(
    Annotated[
        Annotated[TextReply, Tag("(text)")]
        | Annotated[PictureReply, Tag("(image)")]
        | Annotated[PictureReply, Tag("(video)")]
        | Annotated[AudioReply, Tag("(audio)")]
        | Annotated[DocumentReply, Tag("(document)")]
        | Annotated[TemplateReply, Tag("(template)")]
        | Annotated[InteractiveReply, Tag("(interactive)")]
        | Annotated[CarouselReply, Tag("(carousel)")],
        by_type("text", "image", "video", "audio", "document", "template", "interactive", "carousel"),
    ]
)


def parse_reply_body(value: Any, *, local: bool, meta_strict: bool = False) -> ReplyBody:
    """A parsed JSON body as a reply. Raises InvalidInputError that names every field which is wrong."""
    body: ReplyBody = validate_as(REPLY_BODY, value, context={"local": local, "meta_strict": meta_strict})
    return body


class HandOverBody(Body):
    """Who gives a conversation away may say why."""

    note: Annotated[Annotated[str, Field(max_length=2000)] | None, EMPTY_IS_NONE] = None
    """For whoever takes the conversation."""


class MarkReadBody(Body):
    """What the customer sees."""

    typing: bool = False
    """Whether dots show that an answer is being written, for at most 25 seconds."""
