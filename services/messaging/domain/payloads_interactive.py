"""The four interactive kinds in Meta's form. Lengths and counts were checked where the request came in."""

from typing import Any, assert_never

from services.messaging.domain.payloads_envelope import media_parameter
from shared.contracts.content import (
    ButtonsInteractive,
    CarouselInteractive,
    CtaUrlInteractive,
    Interactive,
    InteractiveCard,
    ListInteractive,
    ListRow,
    ListSection,
    MediaHeader,
    ReplyButton,
    TextHeader,
)


def interactive_object(content: Interactive) -> dict[str, Any]:
    """The `interactive` object of a message."""
    match content:
        case ButtonsInteractive():
            buttons = [{"type": "reply", "reply": _reply(button)} for button in content.buttons]
            return _framed(content, {"buttons": buttons})
        case CtaUrlInteractive():
            return _framed(content, _cta_url(content.display_text, content.url))
        case ListInteractive():
            sections = [_section(section) for section in content.sections]
            return _framed(content, {"button": content.display_text, "sections": sections})
        case CarouselInteractive():
            cards = [_card(card) for card in sorted(content.cards, key=lambda card: card.card_index)]
            return {"type": "carousel", "body": {"text": content.body}, "action": {"cards": cards}}
        case _:
            assert_never(content)


def _framed(
    content: ButtonsInteractive | CtaUrlInteractive | ListInteractive, action: dict[str, Any]
) -> dict[str, Any]:
    framed: dict[str, Any] = {"type": content.type}
    if content.header is not None:
        framed["header"] = _header(content.header)
    framed["body"] = {"text": content.body}
    if content.footer is not None:
        framed["footer"] = {"text": content.footer}
    framed["action"] = action
    return framed


def _header(header: TextHeader | MediaHeader) -> dict[str, Any]:
    if isinstance(header, TextHeader):
        return {"type": "text", "text": header.text}
    return media_parameter(header)


def _reply(button: ReplyButton) -> dict[str, Any]:
    return {"id": button.id, "title": button.title}


def _cta_url(display_text: str, url: str) -> dict[str, Any]:
    return {"name": "cta_url", "parameters": {"display_text": display_text, "url": url}}


def _section(section: ListSection) -> dict[str, Any]:
    rows = [_row(row) for row in section.rows]
    return {"rows": rows} if section.title is None else {"title": section.title, "rows": rows}


def _row(row: ListRow) -> dict[str, Any]:
    rendered = {"id": row.id, "title": row.title}
    if row.description is not None:
        rendered["description"] = row.description
    return rendered


def _card(card: InteractiveCard) -> dict[str, Any]:
    # Meta wants "cta_url" as the type of every card, of those with quick replies too. A card with both kinds is sent
    # with both, and Meta decides.
    rendered: dict[str, Any] = {
        "card_index": card.card_index,
        "type": "cta_url",
        "header": media_parameter(card.header),
    }
    if card.body is not None:
        rendered["body"] = {"text": card.body}
    action = {} if card.cta_url is None else _cta_url(card.cta_url.display_text, card.cta_url.url)
    if card.buttons:
        action["buttons"] = [{"type": "quick_reply", "quick_reply": _reply(button)} for button in card.buttons]
    rendered["action"] = action
    return rendered
