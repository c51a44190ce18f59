"""The body of a send request: one model for each of the types of the external send API."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, Tag, TypeAdapter

from services.gateway.schemas.fields import NOT_BLANK, OptionalEmail, OptionalName, Recipient, SendPart, by_type
from services.gateway.schemas.interactive import Interactive
from services.gateway.schemas.media import AudioMedia, CaptionedMedia, DocumentMedia, media_content
from services.gateway.schemas.template import Carousel, Template
from shared.contracts import content
from shared.contracts.messaging import ContactInput
from shared.web.body import validate_as
from shared.web.json_text import Path, path_text

MOST_WARNINGS = 20


class Contact(SendPart):
    """What the caller knows of the recipient: the contact is created, or updated with what is given."""

    name: OptionalName = None
    """Name of the person."""
    email: OptionalEmail = None
    """E-mail address of the person."""
    company: OptionalName = None
    """Company that the person belongs to."""

    def content(self) -> ContactInput:
        """The contact in the words of the bus."""
        return ContactInput(name=self.name, email=self.email, company=self.company)


class _Send(SendPart):
    to: Recipient
    """Recipient's phone number in E.164 format, of a length that its country has."""
    contact: Contact | None = None
    """Creates or updates the recipient's contact."""


class TextBody(_Send):
    """A text message."""

    type: Literal["text"]
    text: Annotated[str, Field(min_length=1, max_length=4096), NOT_BLANK]
    """The message."""
    preview_url: bool = False
    """Whether WhatsApp shows a preview of the first link."""

    def content(self) -> content.TextContent:
        """The message in the words of the bus."""
        return content.TextContent(text=self.text, preview_url=self.preview_url)


class PictureBody(_Send):
    """An image or a video."""

    type: Literal["image", "video"]
    media: CaptionedMedia
    """The file, and its caption."""

    def content(self) -> content.MediaContent:
        """The message in the words of the bus."""
        return media_content(self.type, self.media)


class AudioBody(_Send):
    """An audio message."""

    type: Literal["audio"]
    media: AudioMedia
    """The file."""

    def content(self) -> content.MediaContent:
        """The message in the words of the bus."""
        return media_content(self.type, self.media)


class DocumentBody(_Send):
    """A document."""

    type: Literal["document"]
    media: DocumentMedia
    """The file, its name and its caption."""

    def content(self) -> content.MediaContent:
        """The message in the words of the bus."""
        return media_content(self.type, self.media)


class TemplateBody(_Send):
    """A template message."""

    type: Literal["template"]
    template: Template
    """The approved template and its values."""

    def content(self) -> content.TemplateContent:
        """The message in the words of the bus."""
        return self.template.content()


class InteractiveBody(_Send):
    """An interactive message."""

    type: Literal["interactive"]
    interactive: Interactive
    """What the message consists of."""

    def content(self) -> content.InteractiveContent:
        """The message in the words of the bus."""
        return content.InteractiveContent(interactive=self.interactive.content())


class CarouselBody(_Send):
    """A carousel template message."""

    type: Literal["carousel"]
    carousel: Carousel
    """The approved template and its values."""

    def content(self) -> content.CarouselTemplateContent:
        """The message in the words of the bus."""
        return self.carousel.content()


SendBody = TextBody | PictureBody | AudioBody | DocumentBody | TemplateBody | InteractiveBody | CarouselBody

SEND_BODY: TypeAdapter[SendBody] = TypeAdapter(
    Annotated[
        Annotated[TextBody, Tag("(text)")]
        | Annotated[PictureBody, Tag("(image)")]
        | Annotated[PictureBody, Tag("(video)")]
        | Annotated[AudioBody, Tag("(audio)")]
        | Annotated[DocumentBody, Tag("(document)")]
        | Annotated[TemplateBody, Tag("(template)")]
        | Annotated[InteractiveBody, Tag("(interactive)")]
        | Annotated[CarouselBody, Tag("(carousel)")],
        by_type("text", "image", "video", "audio", "document", "template", "interactive", "carousel"),
    ]
)


def parse_send_body(value: Any, *, local: bool, meta_strict: bool = False) -> SendBody:
    """A parsed JSON body as a send request.

    `local` lets loopback links and magic numbers through, `meta_strict` refuses what Meta's pages forbid although the
    API document allows it. Raises InvalidInputError that names every field which is wrong.
    """
    body: SendBody = validate_as(SEND_BODY, value, context={"local": local, "meta_strict": meta_strict})
    return body


def ignored_fields(body: SendBody) -> tuple[str, ...]:
    """A warning for each key that means nothing to us, since it may be a typing error."""
    found = [f"ignored_field: {path_text(path)}" for path in _unknown(body, ())]
    return tuple(found[:MOST_WARNINGS])


def _unknown(part: BaseModel, path: Path) -> Iterator[Path]:
    for key in part.model_extra or ():
        yield (*path, key)
    for name in type(part).model_fields:
        value = getattr(part, name)
        for index, item in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(item, BaseModel):
                yield from _unknown(item, (*path, name) if index is None else (*path, name, index))
