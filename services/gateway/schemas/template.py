"""Template messages, and templates of carousels.

Only shape and length are checked here; whether values fit the approved template is decided where that is known.
"""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, Tag, model_validator

from services.gateway.schemas.fields import EMPTY_IS_NONE, WHOLE, SendPart, all_different, by_type
from services.gateway.schemas.media import CardHeader, DocumentHeader, PictureHeader
from services.gateway.schemas.rules import filled_one_of, filled_when
from services.gateway.schemas.variables import BodyPart, Variables, body_values
from shared.contracts import content
from shared.web.field_errors import field_error

MOST_BUTTONS = 10
LAST_MILLISECOND = 253_402_300_799_999  # the end of the year 9999, all that a calendar can hold

_DIGITS = re.compile("[0-9]{1,3}")

_LTO_HEADER: dict[str, Any] = {
    "if": {"required": ["lto"], "properties": {"lto": {"type": "object"}}},
    "then": {"properties": {"header": {"properties": {"type": {"enum": ["image", "video"]}}}}},
}


def _as_number(index: Any) -> Any:
    return int(index) if isinstance(index, str) and _DIGITS.fullmatch(index) else index


TemplateName = Annotated[str, Field(min_length=1, max_length=512)]
Language = Annotated[Annotated[str, Field(max_length=20)] | None, EMPTY_IS_NONE]
Index = Annotated[int, Field(ge=0, le=MOST_BUTTONS - 1), WHOLE]
CardIndex = Annotated[int, Field(ge=0, le=9), WHOLE] | None
IndexText = Annotated[str, Field(pattern="^0{0,2}[0-9]$")]
ButtonIndex = Annotated[Index | None, BeforeValidator(_as_number, json_schema_input_type=Index | IndexText | None)]
Payload = Annotated[Annotated[str, Field(max_length=256)] | None, EMPTY_IS_NONE]
UrlSuffix = Annotated[Annotated[str, Field(max_length=2000)] | None, EMPTY_IS_NONE]
Code = Annotated[Annotated[str, Field(max_length=20)] | None, EMPTY_IS_NONE]


class Button(SendPart):
    """A value for one button of the approved template."""

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [filled_when("sub_type", "url", "url"), filled_when("sub_type", "copy_code", "payload")]
        }
    )

    index: ButtonIndex = None
    """0-based index of the button in the approved template; left out, its place in this array. No index twice."""
    sub_type: Literal["quick_reply", "url", "copy_code"] = "quick_reply"
    """What kind of button it is."""
    payload: Payload = None
    """Quick reply: what comes back in the webhook when it is tapped. Copy code: the coupon code."""
    url: UrlSuffix = None
    """URL button: the suffix that is appended to the template's base URL."""

    @model_validator(mode="after")
    def _has_its_value(self) -> Self:
        if self.sub_type == "url" and self.url is None:
            raise field_error("is required for sub_type=url", field="url")
        if self.sub_type == "copy_code" and self.payload is None:
            raise field_error("is required for sub_type=copy_code", field="payload")
        return self

    def content(self, place: int) -> content.TemplateButton:
        """The button in the words of the bus."""
        index = place if self.index is None else self.index
        return content.TemplateButton(index=index, sub_type=self.sub_type, payload=self.payload, url=self.url)


class CardButton(Button):
    """A value for one button of a card."""

    sub_type: Literal["quick_reply", "url"] = "quick_reply"
    """What kind of button it is."""


class TemplateTextHeader(SendPart):
    """The value of a text header's one variable, as `variables` or as `text`."""

    model_config = ConfigDict(json_schema_extra=filled_one_of("text", "variables"))

    type: Literal["text"]
    text: Annotated[Annotated[str, Field(max_length=60)] | None, EMPTY_IS_NONE] = None
    """The value of the variable."""
    variables: Variables = ()
    """The same as a list of one value, or under its name."""

    @model_validator(mode="after")
    def _has_a_value(self) -> Self:
        if not self.variables and self.text is None:
            raise field_error("is required for type=text.", field="variables")
        return self

    def content(self) -> content.TextHeader:
        """The header in the words of the bus."""
        return content.TextHeader(text=self.text, variables=self.variables)


class LocationHeader(SendPart):
    """A location header."""

    type: Literal["location"]
    latitude: Annotated[float, Field(ge=-90, le=90)]
    """Degrees north."""
    longitude: Annotated[float, Field(ge=-180, le=180)]
    """Degrees east."""
    name: Annotated[Annotated[str, Field(max_length=1000)] | None, EMPTY_IS_NONE] = None
    """Name of the place."""
    address: Annotated[Annotated[str, Field(max_length=1000)] | None, EMPTY_IS_NONE] = None
    """Address of the place."""

    def content(self) -> content.LocationHeader:
        """The header in the words of the bus."""
        return content.LocationHeader(
            latitude=self.latitude, longitude=self.longitude, name=self.name, address=self.address
        )


TemplateHeader = Annotated[
    Annotated[TemplateTextHeader, Tag("(text)")]
    | Annotated[PictureHeader, Tag("(image)")]
    | Annotated[PictureHeader, Tag("(video)")]
    | Annotated[DocumentHeader, Tag("(document)")]
    | Annotated[LocationHeader, Tag("(location)")],
    by_type("text", "image", "video", "document", "location"),
]


class LimitedTimeOffer(SendPart):
    """A limited-time offer."""

    expiration_time_ms: Annotated[int, Field(gt=0, le=LAST_MILLISECOND), WHOLE]
    """When the offer ends, in Unix milliseconds; a moment in the past is let through, with a warning."""


class Template(SendPart):
    """An approved template, and the values it is sent with."""

    model_config = ConfigDict(json_schema_extra=_LTO_HEADER)

    name: TemplateName
    """Name of the approved template."""
    language: Language = None
    """Language code. Resolved from the approved template when left out; needed when there are several languages."""
    header: TemplateHeader | None = None
    """What the header shows; a limited-time offer takes image or video only."""
    body: BodyPart | None = None
    """Values for the body."""
    buttons: Annotated[list[Button], Field(max_length=MOST_BUTTONS)] | None = None
    """Values for buttons."""
    copy_code: Code = None
    """Shorthand for the coupon or one-time code; its place follows from the template."""
    lto: LimitedTimeOffer | None = None
    """For templates with a limited-time offer."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        check_button_indexes(self.buttons)
        if self.lto is not None and isinstance(self.header, TemplateTextHeader | DocumentHeader | LocationHeader):
            raise field_error("must be image or video when template.lto is given", field="header.type")
        return self

    def content(self) -> content.TemplateContent:
        """The message in the words of the bus."""
        return content.TemplateContent(
            name=self.name,
            language=self.language,
            header=self.header.content() if self.header else None,
            variables=body_values(self.body),
            buttons=tuple(button.content(place) for place, button in enumerate(self.buttons or ())),
            copy_code=self.copy_code,
            lto_expiration_time_ms=self.lto.expiration_time_ms if self.lto else None,
        )


class Card(SendPart):
    """One card of a carousel template."""

    card_index: CardIndex = None
    """0-based; left out, its place in the array. No index twice."""
    header: CardHeader | None = None
    """The card's image or video."""
    body: BodyPart | None = None
    """Values for the card's text."""
    buttons: Annotated[list[CardButton], Field(max_length=2)] | None = None
    """Values for the card's buttons."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        check_button_indexes(self.buttons)
        return self

    def content(self, place: int) -> content.CarouselCard:
        """The card in the words of the bus."""
        return content.CarouselCard(
            card_index=place if self.card_index is None else self.card_index,
            header=self.header.content() if self.header else None,
            variables=body_values(self.body),
            buttons=tuple(button.content(index) for index, button in enumerate(self.buttons or ())),
        )


class Carousel(SendPart):
    """An approved carousel template, and the values it is sent with."""

    template_name: TemplateName
    """Name of the approved template."""
    language: Language = None
    """Language code. Resolved from the approved template when left out: its one language, or en_US among several."""
    body: BodyPart | None = None
    """Values for the text above the cards."""
    cards: Annotated[list[Card], Field(min_length=2, max_length=10)]
    """The cards, all with the same buttons."""

    @model_validator(mode="after")
    def _cards_differ(self) -> Self:
        check_card_indexes([card.card_index for card in self.cards])
        return self

    def content(self) -> content.CarouselTemplateContent:
        """The message in the words of the bus."""
        return content.CarouselTemplateContent(
            template_name=self.template_name,
            language=self.language,
            variables=body_values(self.body),
            cards=tuple(card.content(place) for place, card in enumerate(self.cards)),
        )


def check_button_indexes(buttons: list[Any] | None) -> None:
    """Raise an error at a button whose index another one has."""
    places = [place if button.index is None else button.index for place, button in enumerate(buttons or ())]
    all_different(places, lambda place: f"buttons[{place}].index")


def check_card_indexes(given: list[int | None]) -> None:
    """Raise an error at a card whose index another one has."""
    places = [place if index is None else index for place, index in enumerate(given)]
    all_different(places, lambda place: f"cards[{place}].card_index")
