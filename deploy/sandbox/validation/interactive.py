"""Interactive messages: one table row a kind, with the limits that hold across fields."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from .rules import (
    Path,
    Rule,
    anything,
    as_object,
    bad_value,
    by_member,
    choice,
    every,
    fields,
    items,
    label,
    missing,
    not_allowed,
    unique,
    url,
)

MAX_CARDS = 10
MAX_ROWS = 10

_REPLY = fields({"id": label("Button reply id", 256), "title": label("Button title", 20)})
_REPLY_BUTTON = fields({"type": choice("reply"), "reply": _REPLY})
_REPLY_BUTTONS = items(_REPLY_BUTTON, 1, 3, "Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: 3")
_ROW = fields(
    {
        "id": label("Row id", 200, too_long="Row id is too long. Max length is 200"),
        "title": label("Row title", 24, too_long="Row title is too long. Max length is 24"),
    },
    {"description": label("Row description", 72, too_long="Row description is too long. Max length is 72")},
)
_SECTION = fields(
    {"rows": items(_ROW, 1, MAX_ROWS, f"Total row count exceed max allowed count: {MAX_ROWS}")},
    {"title": label("Section title", 24, too_long="Section title is too long. Max length is 24")},
)
_SECTIONS = items(_SECTION, 1, 10, "Invalid sections count. Min allowed sections: 1, Max allowed sections: 10")
_CTA_PARAMETERS = fields({"display_text": label("Display text", 20), "url": url})
_CTA = {"name": choice("cta_url"), "parameters": _CTA_PARAMETERS}
_QUICK_REPLY = fields({"id": label("Button reply id", 20), "title": label("Button title", 20)})
_QUICK_REPLIES = items(
    fields({"type": choice("quick_reply"), "quick_reply": _QUICK_REPLY}),
    1,
    3,
    "Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: 3",
)


def interactive_rule(media: Rule, document: Rule, *, strict: bool) -> Rule:
    """The rule of `interactive`; strict = a carousel's card may not mix a URL button and quick replies."""
    media_header = by_member(
        "type",
        {
            "text": fields({"type": anything, "text": label("Header text", 60)}),
            "image": fields({"type": anything, "image": media}),
            "video": fields({"type": anything, "video": media}),
            "document": fields({"type": anything, "document": document}),
        },
    )
    text_header = fields({"type": choice("text"), "text": label("Header text", 60)})
    buttons = fields({"buttons": every(_REPLY_BUTTONS, _unique_replies)})
    rows = fields({"button": label("Button", 20), "sections": every(_SECTIONS, _check_sections)})
    location = fields({"name": choice("send_location")})
    return by_member(
        "type",
        {
            "button": _framed(1_024, buttons, {"header": media_header}),
            "list": _framed(4_096, rows, {"header": text_header}),
            "cta_url": _framed(1_024, fields(_CTA), {"header": media_header}),
            "carousel": _carousel(media, strict=strict),
            "flow": _framed(1_024, anything, {"header": media_header}),
            "location_request_message": _framed(1_024, location, {}),
        },
    )


def _framed(body_limit: int, action: Rule, optional: Mapping[str, Rule]) -> Rule:
    body = fields({"text": label("Body text", body_limit)})
    footer = fields({"text": label("Footer text", 60)})
    return fields({"type": anything, "body": body, "action": action}, {"footer": footer, **optional})


def _unique_replies(buttons: Any, path: Path) -> None:
    unique([button["reply"]["id"] for button in buttons], "Duplicated button reply id")
    unique([button["reply"]["title"] for button in buttons], "Duplicated button title")


def _check_sections(sections: Any, path: Path) -> None:
    rows = [row for section in sections for row in section["rows"]]
    if len(rows) > MAX_ROWS:
        raise bad_value(f"Total row count exceed max allowed count: {MAX_ROWS}")
    unique([row["id"] for row in rows], "Duplicated row id")
    if len(sections) > 1 and not all(section.get("title") for section in sections):
        raise bad_value("Section title is required when there is more than one section")


def _carousel(media: Rule, *, strict: bool) -> Rule:
    header = by_member(
        "type",
        {kind: fields({"type": anything, kind: media}) for kind in ("image", "video")},
    )
    card = fields(
        {"card_index": anything, "header": header, "action": fields({}, {**_CTA, "buttons": _QUICK_REPLIES})},
        {"type": choice("cta_url", "quick_reply"), "body": fields({"text": label("Card body text", 160)})},
    )
    cards = items(card, 2, MAX_CARDS, f"Invalid cards count. Min allowed cards: 2, Max allowed cards: {MAX_CARDS}")

    def check_cards(values: Any, path: Path) -> None:
        cards(values, path)
        if sorted(str(card["card_index"]) for card in values) != sorted(str(index) for index in range(len(values))):
            raise bad_value("Card index must be unique and in the range of the cards")
        shapes = [_card_shape(card, (*path, index), strict=strict) for index, card in enumerate(values)]
        if any(shape != shapes[0] for shape in shapes):
            raise bad_value("All cards of a carousel must have the same buttons")
        if strict and len({card["header"]["type"] for card in values}) > 1:
            raise bad_value("All cards of a carousel must have the same header type")

    not_here = {
        name: not_allowed(f"{name.capitalize()} is not supported for interactive type carousel")
        for name in ("header", "footer")
    }
    body = fields({"text": label("Body text", 1_024)})
    return fields({"type": anything, "body": body, "action": fields({"cards": check_cards})}, not_here)


def _card_shape(card: Mapping[str, Any], path: Path, *, strict: bool) -> Counter[str]:
    """How many buttons of which kind; a card without any, or with half a URL button, is refused."""
    action = as_object(card["action"], (*path, "action"))
    has_url = "parameters" in action or "name" in action
    replies = action.get("buttons", [])
    if has_url:
        for name in ("name", "parameters"):
            if name not in action:
                raise missing((*path, "action"), name)
        if not replies and "type" not in card:  # seen live for URL cards; quick-reply cards go without
            raise missing(path, "type")
    if not has_url and not replies:
        raise missing((*path, "action"), "buttons")
    if strict and has_url and replies:
        raise bad_value("A card has either one URL button or quick replies, not both")
    if card.get("body", {}).get("text", "").count("\n") > 2:
        raise bad_value("Card body text must have at most 2 line breaks")
    unique([reply["quick_reply"]["id"] for reply in replies], "Duplicated button reply id")
    return Counter({"url": int(has_url), "quick_reply": len(replies)})
