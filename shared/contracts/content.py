"""What a message says, in the words of the external send API: one model for each of its eleven message types.

Values arrive here checked for shape and length (services/gateway/schemas); whether a template's variables, headers and
buttons fit the approved template is decided in messaging, which holds it.
"""

from typing import Annotated, Literal

from pydantic import Field

from shared.contracts.base import Contract, Identifier

MediaKind = Literal["image", "video", "document"]
Variables = tuple[str, ...] | dict[str, str]


class TextContent(Contract):
    """Plain text; Meta previews the first link when `preview_url` is set."""

    type: Literal["text"] = "text"
    text: str
    preview_url: bool = False


class MediaContent(Contract):
    """An image, video, audio file or document that Meta fetches from a public link."""

    type: Literal["image", "video", "audio", "document"]
    url: str
    caption: str | None = None
    filename: str | None = None


class TextHeader(Contract):
    """A text header: literal text (interactive), or the value of the template's one header variable."""

    type: Literal["text"] = "text"
    text: str | None = None
    variables: Variables = ()


class MediaHeader(Contract):
    """A media header, fetched by Meta from a public link."""

    type: MediaKind
    url: str
    filename: str | None = None


class LocationHeader(Contract):
    """A location header; template messages only."""

    type: Literal["location"] = "location"
    latitude: float
    longitude: float
    name: str | None = None
    address: str | None = None


TemplateHeader = Annotated[TextHeader | MediaHeader | LocationHeader, Field(discriminator="type")]
InteractiveHeader = Annotated[TextHeader | MediaHeader, Field(discriminator="type")]


class TemplateButton(Contract):
    """A value for one button of the approved template; `index` is the caller's, before placement."""

    index: int
    sub_type: Literal["quick_reply", "url", "copy_code"] = "quick_reply"
    payload: str | None = None
    url: str | None = None


class TemplateContent(Contract):
    """An approved template and the values it is sent with; without `language` it is resolved when unambiguous."""

    type: Literal["template"] = "template"
    name: str
    language: str | None = None
    header: TemplateHeader | None = None
    variables: Variables = ()
    buttons: tuple[TemplateButton, ...] = ()
    copy_code: str | None = None
    lto_expiration_time_ms: int | None = None


class TemplateByIdContent(Contract):
    """A template by our id, its values by the dashboard API's keys; becomes a message of type `template`.

    Keys: "1", "2" … or a variable's name, "header.1" (a link where the header is media), "button.0". What is not given
    comes from the contact's field, else from the variable's default.
    """

    type: Literal["template_by_id"] = "template_by_id"
    template_id: Identifier
    values: dict[str, str] = Field(default_factory=dict)


class CarouselCard(Contract):
    """One card of a carousel template."""

    card_index: int
    header: MediaHeader | None = None
    variables: Variables = ()
    buttons: tuple[TemplateButton, ...] = ()


class CarouselTemplateContent(Contract):
    """An approved carousel template; `variables` fill the message bubble above the cards."""

    type: Literal["carousel"] = "carousel"
    template_name: str
    language: str | None = None
    variables: Variables = ()
    cards: tuple[CarouselCard, ...]


class ReplyButton(Contract):
    """A quick-reply button; `id` comes back in the webhook when it is tapped."""

    id: str
    title: str


class CtaUrl(Contract):
    """A button that opens a link."""

    display_text: str
    url: str


class ListRow(Contract):
    """One choice of a list."""

    id: str
    title: str
    description: str | None = None


class ListSection(Contract):
    """A titled group of choices."""

    title: str | None = None
    rows: tuple[ListRow, ...]


class InteractiveCard(Contract):
    """One card of an interactive carousel."""

    card_index: int
    header: MediaHeader
    body: str | None = None
    buttons: tuple[ReplyButton, ...] = ()
    cta_url: CtaUrl | None = None


class ButtonsInteractive(Contract):
    """Up to three quick replies under a text."""

    type: Literal["button"] = "button"
    header: InteractiveHeader | None = None
    body: str
    footer: str | None = None
    buttons: tuple[ReplyButton, ...]


class CtaUrlInteractive(Contract):
    """A text with one button that opens a link."""

    type: Literal["cta_url"] = "cta_url"
    header: InteractiveHeader | None = None
    body: str
    footer: str | None = None
    url: str
    display_text: str


class ListInteractive(Contract):
    """A text with a list to pick from; `display_text` labels the button that opens it."""

    type: Literal["list"] = "list"
    header: TextHeader | None = None
    body: str
    footer: str | None = None
    display_text: str
    sections: tuple[ListSection, ...]


class CarouselInteractive(Contract):
    """Cards to swipe through, made at the moment of sending."""

    type: Literal["carousel"] = "carousel"
    body: str
    cards: tuple[InteractiveCard, ...]


Interactive = Annotated[
    ButtonsInteractive | CtaUrlInteractive | ListInteractive | CarouselInteractive, Field(discriminator="type")
]


class InteractiveContent(Contract):
    """One of the four interactive kinds. Kept in a field: a union of unions needs its own discriminator."""

    type: Literal["interactive"] = "interactive"
    interactive: Interactive


MessageContent = Annotated[
    TextContent | MediaContent | TemplateContent | TemplateByIdContent | InteractiveContent | CarouselTemplateContent,
    Field(discriminator="type"),
]
