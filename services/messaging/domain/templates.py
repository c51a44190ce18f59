"""An approved template as sending needs it: parsed once from Meta's components, used for any number of messages.

Sources: Meta's "Template components", "Authentication templates" and "Limited-time offer templates" pages.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from shared.button_ids import button_id
from shared.contracts.templates import ParameterFormat, Template

ButtonValue = Literal["quick_reply", "url", "copy_code", "otp"]

BODY_LIMIT = 1024  # characters after substitution, as the next two
OFFER_BODY_LIMIT = 600
CARD_BODY_LIMIT = 160

_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")


@dataclass(frozen=True, slots=True)
class ApprovedText:
    """A text with variables: their names in order ("1", "2" … when positional) and what the text weighs without them.

    `limit` is None where Meta's text is not known to us (preset texts) or Meta states no limit after substitution.
    """

    text: str | None
    variables: tuple[str, ...]
    named: bool
    fixed_length: int
    uses: tuple[int, ...]  # how often the text repeats each variable
    limit: int | None


@dataclass(frozen=True, slots=True)
class ApprovedHeader:
    """A header: `format` in lower case (text, image, video, document, location, product, gif)."""

    format: str
    text: ApprovedText | None


@dataclass(frozen=True, slots=True)
class ApprovedButton:
    """A button: Meta's type, and which kind of value it takes when sent (None: it takes none).

    `button_id` is the payload of a quick reply for which the caller gives none; `link` is what precedes the value of a
    URL button.
    """

    index: int
    type: str
    text: str
    takes: ButtonValue | None
    button_id: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class ApprovedCard:
    """One card of a carousel template."""

    header: ApprovedHeader | None
    body: ApprovedText | None
    buttons: tuple[ApprovedButton, ...]


@dataclass(frozen=True, slots=True)
class ApprovedTemplate:
    """One approved language of a template. `offer_expires` is None when it has no limited-time offer."""

    name: str
    language: str
    category: str
    parameter_format: ParameterFormat
    header: ApprovedHeader | None
    body: ApprovedText | None
    buttons: tuple[ApprovedButton, ...]
    offer_expires: bool | None
    cards: tuple[ApprovedCard, ...]
    template_id: str | None = None


def approved_template(template: Template) -> ApprovedTemplate:
    """Parse Meta's components; unknown ones are left out, since only Meta knows what they need."""
    parts = _by_type(template.components)
    category = template.category.upper()
    named = template.parameter_format == "named"
    offer = parts.get("LIMITED_TIME_OFFER")
    ids: set[str] = set()
    return ApprovedTemplate(
        name=template.name,
        language=template.language,
        category=category,
        parameter_format=template.parameter_format,
        header=_header(parts.get("HEADER"), named),
        body=_template_body(parts.get("BODY"), category, named, OFFER_BODY_LIMIT if offer else BODY_LIMIT),
        buttons=_buttons(parts.get("BUTTONS"), category, ids),
        offer_expires=None if offer is None else bool((offer.get("limited_time_offer") or {}).get("has_expiration")),
        cards=tuple(_card(card, named, ids) for card in (parts.get("CAROUSEL") or {}).get("cards") or ()),
        template_id=template.template_id,
    )


def _by_type(components: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {str(component.get("type", "")).upper(): component for component in components}


def _header(component: dict[str, Any] | None, named: bool) -> ApprovedHeader | None:
    if component is None:
        return None
    form = str(component.get("format", "TEXT")).lower()
    return ApprovedHeader(form, _text(component.get("text") or "", named, None) if form == "text" else None)


def _template_body(component: dict[str, Any] | None, category: str, named: bool, limit: int) -> ApprovedText | None:
    if component is None:
        return None
    text = component.get("text")
    if category == "AUTHENTICATION" and not (text and _PLACEHOLDER.search(text)):
        # The text is Meta's own and may be missing from what Meta answers; its one variable is the code.
        return ApprovedText(text=None, variables=("1",), named=False, fixed_length=0, uses=(1,), limit=None)
    return _text(text or "", named, limit)


def _text(text: str, named: bool, limit: int | None) -> ApprovedText:
    found = _PLACEHOLDER.findall(text)
    distinct = dict.fromkeys(found)
    variables = tuple(distinct) if named else tuple(sorted(distinct, key=lambda name: (len(name), name)))
    return ApprovedText(
        text=text,
        variables=variables,
        named=named,
        fixed_length=len(_PLACEHOLDER.sub("", text)),
        uses=tuple(found.count(name) for name in variables),
        limit=limit,
    )


def _card(card: dict[str, Any], named: bool, ids: set[str]) -> ApprovedCard:
    parts = _by_type(card.get("components") or ())
    body = parts.get("BODY")
    return ApprovedCard(
        header=_header(parts.get("HEADER"), named),
        body=None if body is None else _text(body.get("text") or "", named, CARD_BODY_LIMIT),
        buttons=_buttons(parts.get("BUTTONS"), "", ids),
    )


def _buttons(component: dict[str, Any] | None, category: str, ids: set[str]) -> tuple[ApprovedButton, ...]:
    buttons = (component or {}).get("buttons") or ()
    return tuple(_button(index, button, category, ids) for index, button in enumerate(buttons))


def _button(index: int, button: dict[str, Any], category: str, ids: set[str]) -> ApprovedButton:
    kind, text, url = str(button.get("type", "")).upper(), str(button.get("text") or ""), str(button.get("url") or "")
    return ApprovedButton(
        index=index,
        type=kind,
        text=text or kind.replace("_", " ").capitalize(),  # a coupon's button has Meta's label, not ours
        takes=_takes(kind, url, category),
        button_id=button_id(text, index, ids),
        link=_PLACEHOLDER.split(url, maxsplit=1)[0],
    )


def _takes(kind: str, url: str, category: str) -> ButtonValue | None:
    match kind:
        case "QUICK_REPLY":
            return "quick_reply"
        case "COPY_CODE":
            return "copy_code"
        case "OTP":
            return "otp"
        case "URL" if _PLACEHOLDER.search(url):
            # Meta turns the OTP button of an authentication template into a URL button.
            return "otp" if category == "AUTHENTICATION" else "url"
        case _:
            return None
