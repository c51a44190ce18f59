"""Media: what Meta fetches from a link, as a message of its own or as the header of another."""

from typing import Annotated, Literal

from pydantic import Field, Tag

from services.gateway.schemas.fields import EMPTY_IS_NONE, NOT_BLANK, Filename, MediaLink, SendPart, by_type
from shared.contracts.content import MediaContent, MediaHeader, TextHeader

Caption = Annotated[Annotated[str, Field(max_length=1024)] | None, EMPTY_IS_NONE]


class CaptionedMedia(SendPart):
    """An image or a video."""

    url: MediaLink
    """Publicly accessible https:// link."""
    caption: Caption = None
    """Text below it."""


class AudioMedia(SendPart):
    """An audio file; Meta knows no caption there."""

    url: MediaLink
    """Publicly accessible https:// link."""


class DocumentMedia(CaptionedMedia):
    """A document."""

    filename: Filename = None
    """Name that the recipient sees; left out, it is taken from the link."""


def media_content(
    kind: Literal["image", "video", "audio", "document"], media: CaptionedMedia | AudioMedia
) -> MediaContent:
    """The media message in the words of the bus."""
    return MediaContent(
        type=kind,
        url=media.url,
        caption=media.caption if isinstance(media, CaptionedMedia) else None,
        filename=media.filename if isinstance(media, DocumentMedia) else None,
    )


class PictureHeader(SendPart):
    """An image or video header."""

    type: Literal["image", "video"]
    url: MediaLink
    """Publicly accessible https:// link."""

    def content(self) -> MediaHeader:
        """The header in the words of the bus."""
        return MediaHeader(type=self.type, url=self.url)


class DocumentHeader(SendPart):
    """A document header."""

    type: Literal["document"]
    url: MediaLink
    """Publicly accessible https:// link."""
    filename: Filename = None
    """Name that the recipient sees; left out, it is taken from the link."""

    def content(self) -> MediaHeader:
        """The header in the words of the bus."""
        return MediaHeader(type=self.type, url=self.url, filename=self.filename)


class LiteralTextHeader(SendPart):
    """A text header of an interactive message."""

    type: Literal["text"]
    text: Annotated[str, Field(min_length=1, max_length=60), NOT_BLANK]
    """What the header says."""

    def content(self) -> TextHeader:
        """The header in the words of the bus."""
        return TextHeader(text=self.text)


CardHeader = Annotated[
    Annotated[PictureHeader, Tag("(image)")] | Annotated[PictureHeader, Tag("(video)")], by_type("image", "video")
]
"""The header of a carousel card."""
