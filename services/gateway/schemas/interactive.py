"""Interactive messages: reply buttons, a link button, a list, and a carousel made at the moment of sending."""

from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, Tag, ValidationInfo, model_validator

from services.gateway.schemas.checked import Checked
from services.gateway.schemas.fields import EMPTY_IS_NONE, NOT_BLANK, SendPart, WebLink, all_different, by_type
from services.gateway.schemas.media import CardHeader, DocumentHeader, LiteralTextHeader, PictureHeader
from services.gateway.schemas.rules import filled, filled_one_of
from services.gateway.schemas.template import CardIndex, check_card_indexes
from shared.contracts import content
from shared.web.field_errors import field_error

MOST_ROWS = 10  # over all sections
MOST_CARD_LINE_BREAKS = 2

_FEW_LINE_BREAKS = {"pattern": rf"^[^\n]*(?:\n[^\n]*){{0,{MOST_CARD_LINE_BREAKS}}}$"}
_TITLED_SECTIONS: dict[str, Any] = {
    "if": {"properties": {"sections": {"minItems": 2}}},
    "then": {"properties": {"sections": {"items": filled("title")}}},
}


def _few_line_breaks(text: str) -> str:
    if text.count("\n") > MOST_CARD_LINE_BREAKS:
        raise field_error(f"must have at most {MOST_CARD_LINE_BREAKS} line breaks")
    return text


Label = Annotated[str, Field(min_length=1, max_length=20), NOT_BLANK]
BodyText = Annotated[str, Field(min_length=1, max_length=1024), NOT_BLANK]
Footer = Annotated[Annotated[str, Field(max_length=60)] | None, EMPTY_IS_NONE]
CardText = Annotated[
    Annotated[str, Field(max_length=160), Checked(_few_line_breaks, _FEW_LINE_BREAKS)] | None, EMPTY_IS_NONE
]

Header = Annotated[
    Annotated[LiteralTextHeader, Tag("(text)")]
    | Annotated[PictureHeader, Tag("(image)")]
    | Annotated[PictureHeader, Tag("(video)")]
    | Annotated[DocumentHeader, Tag("(document)")],
    by_type("text", "image", "video", "document"),
]


class Reply(SendPart):
    """A quick-reply button; no id and no title twice in a message."""

    id: Annotated[str, Field(min_length=1, max_length=256), NOT_BLANK]
    """Comes back in the webhook when the button is tapped."""
    title: Label
    """The button's label."""

    def content(self) -> content.ReplyButton:
        """The button in the words of the bus."""
        return content.ReplyButton(id=self.id, title=self.title)


class CardReply(Reply):
    """A quick-reply button of a card, where Meta wants short ids; no id and no title twice on a card."""

    id: Annotated[str, Field(min_length=1, max_length=20), NOT_BLANK]
    """Comes back in the webhook when the button is tapped."""


class ButtonMessage(SendPart):
    """Up to three quick replies."""

    type: Literal["button"]
    header: Header | None = None
    """What stands above the text."""
    body: BodyText
    """The text."""
    footer: Footer = None
    """Small print below the text."""
    buttons: Annotated[list[Reply], Field(min_length=1, max_length=3)]
    """The quick replies."""

    @model_validator(mode="after")
    def _buttons_differ(self) -> Self:
        check_replies(self.buttons)
        return self

    def content(self) -> content.ButtonsInteractive:
        """The message in the words of the bus."""
        return content.ButtonsInteractive(
            header=self.header.content() if self.header else None,
            body=self.body,
            footer=self.footer,
            buttons=tuple(button.content() for button in self.buttons),
        )


class CtaUrlMessage(SendPart):
    """One button that opens a link."""

    type: Literal["cta_url"]
    header: Header | None = None
    """What stands above the text."""
    body: BodyText
    """The text."""
    footer: Footer = None
    """Small print below the text."""
    url: WebLink
    """Link that the button opens."""
    display_text: Label
    """The button's label."""

    def content(self) -> content.CtaUrlInteractive:
        """The message in the words of the bus."""
        return content.CtaUrlInteractive(
            header=self.header.content() if self.header else None,
            body=self.body,
            footer=self.footer,
            url=self.url,
            display_text=self.display_text,
        )


class Row(SendPart):
    """One choice of a list; no id twice in a list."""

    id: Annotated[str, Field(min_length=1, max_length=200), NOT_BLANK]
    """Comes back in the webhook when the row is picked."""
    title: Annotated[str, Field(min_length=1, max_length=24), NOT_BLANK]
    """What the row says."""
    description: Annotated[Annotated[str, Field(max_length=72)] | None, EMPTY_IS_NONE] = None
    """Small print below the title."""

    def content(self) -> content.ListRow:
        """The row in the words of the bus."""
        return content.ListRow(id=self.id, title=self.title, description=self.description)


class Section(SendPart):
    """A group of choices."""

    title: Annotated[Annotated[str, Field(max_length=24)] | None, EMPTY_IS_NONE] = None
    """Heading of the group; required when there are several."""
    rows: Annotated[list[Row], Field(min_length=1, max_length=MOST_ROWS)]
    """The choices."""

    def content(self) -> content.ListSection:
        """The section in the words of the bus."""
        return content.ListSection(title=self.title, rows=tuple(row.content() for row in self.rows))


class ListMessage(SendPart):
    """A list to pick from; Meta takes text headers only."""

    model_config = ConfigDict(json_schema_extra=_TITLED_SECTIONS)

    type: Literal["list"]
    header: LiteralTextHeader | None = None
    """What stands above the text."""
    body: Annotated[str, Field(min_length=1, max_length=4096), NOT_BLANK]
    """The text."""
    footer: Footer = None
    """Small print below the text."""
    display_text: Label
    """Label of the button that opens the list."""
    sections: Annotated[list[Section], Field(min_length=1, max_length=10)]
    """The groups of choices; ten choices at most in all of them together."""

    @model_validator(mode="after")
    def _sections_fit(self) -> Self:
        places = [(number, place) for number, section in enumerate(self.sections) for place in range(len(section.rows))]
        if len(places) > MOST_ROWS:
            raise field_error(f"must have at most {MOST_ROWS} rows together", field="sections")
        for number, section in enumerate(self.sections):
            if section.title is None and len(self.sections) > 1:
                raise field_error("is required when there are several sections", field=f"sections[{number}].title")
        ids = [row.id for section in self.sections for row in section.rows]
        all_different(ids, lambda index: "sections[{}].rows[{}].id".format(*places[index]))
        return self

    def content(self) -> content.ListInteractive:
        """The message in the words of the bus."""
        return content.ListInteractive(
            header=self.header.content() if self.header else None,
            body=self.body,
            footer=self.footer,
            display_text=self.display_text,
            sections=tuple(section.content() for section in self.sections),
        )


class CardLink(SendPart):
    """A card's button that opens a link."""

    display_text: Label
    """The button's label."""
    url: WebLink
    """Link that the button opens."""

    def content(self) -> content.CtaUrl:
        """The button in the words of the bus."""
        return content.CtaUrl(display_text=self.display_text, url=self.url)


class InteractiveCard(SendPart):
    """One card; quick replies and a link may stand side by side, unless the operator holds to Meta's either/or."""

    model_config = ConfigDict(json_schema_extra=filled_one_of("buttons", "cta_url"))

    card_index: CardIndex = None
    """0-based; left out, its place in the array. No index twice."""
    header: CardHeader
    """The card's image or video."""
    body: CardText = None
    """The card's text, with two line breaks at most."""
    buttons: Annotated[list[CardReply], Field(max_length=2)] | None = None
    """The card's quick replies."""
    cta_url: CardLink | None = None
    """The card's link."""

    @model_validator(mode="after")
    def _is_sendable(self, info: ValidationInfo) -> Self:
        if not self.buttons and self.cta_url is None:
            raise field_error("must have buttons or a cta_url")
        if self.buttons and self.cta_url and (info.context or {}).get("meta_strict"):
            raise field_error("must have either buttons or a cta_url: Meta does not take both on one card")
        check_replies(self.buttons or [])
        return self

    @property
    def structure(self) -> tuple[int, bool]:
        """How many quick replies, and whether there is a link: the same on all cards."""
        return len(self.buttons or ()), self.cta_url is not None

    def content(self, place: int) -> content.InteractiveCard:
        """The card in the words of the bus."""
        return content.InteractiveCard(
            card_index=place if self.card_index is None else self.card_index,
            header=self.header.content(),
            body=self.body,
            buttons=tuple(button.content() for button in self.buttons or ()),
            cta_url=self.cta_url.content() if self.cta_url else None,
        )


class CarouselMessage(SendPart):
    """Cards to swipe through, without a template."""

    type: Literal["carousel"]
    body: BodyText
    """The text above the cards."""
    cards: Annotated[list[InteractiveCard], Field(min_length=2, max_length=10)]
    """The cards, all with the same number of quick replies, and all or none with a link."""

    @model_validator(mode="after")
    def _cards_match(self) -> Self:
        check_card_indexes([card.card_index for card in self.cards])
        for place, card in enumerate(self.cards):
            if card.structure != self.cards[0].structure:
                raise field_error("must have the same button structure as the first card", field=f"cards[{place}]")
        return self

    def content(self) -> content.CarouselInteractive:
        """The message in the words of the bus."""
        cards = tuple(card.content(place) for place, card in enumerate(self.cards))
        return content.CarouselInteractive(body=self.body, cards=cards)


Interactive = Annotated[
    Annotated[ButtonMessage, Tag("(button)")]
    | Annotated[CtaUrlMessage, Tag("(cta_url)")]
    | Annotated[ListMessage, Tag("(list)")]
    | Annotated[CarouselMessage, Tag("(carousel)")],
    by_type("button", "cta_url", "list", "carousel"),
]


def check_replies(buttons: list[Reply] | list[CardReply]) -> None:
    """Raise an error at a button whose id or title another one has."""
    all_different([button.id for button in buttons], lambda place: f"buttons[{place}].id")
    all_different([button.title for button in buttons], lambda place: f"buttons[{place}].title")
