"""Templates that could not be looked up, because the sync with Meta failed: sent as the caller wrote them.

The external send API's own rule then holds: every button at its own index, the copy_code shorthand after them. Only
what Meta would refuse in any template is refused here.
"""

from collections.abc import Sequence
from typing import Any, assert_never

from services.messaging.domain.payloads_envelope import Rendered, media_parameter, message
from services.messaging.domain.payloads_header import header_component, location_parameter
from services.messaging.domain.payloads_template import (
    body_component,
    expiry_warnings,
    offer_component,
    template_object,
)
from services.messaging.domain.templates_buttons import (
    COUPON_LIMIT,
    URL_LIMIT,
    checked_payload,
    coupon_component,
    quick_reply_component,
    url_component,
)
from services.messaging.domain.templates_values import (
    checked,
    invalid,
    named_parameter,
    text_parameter,
    value_fields,
)
from shared.contracts.content import (
    CarouselTemplateContent,
    LocationHeader,
    MediaHeader,
    TemplateButton,
    TemplateContent,
    TextHeader,
    Variables,
)

NOT_VERIFIED = "template_not_verified"


def literal_template_payload(to: str, content: TemplateContent | CarouselTemplateContent, *, now_ms: int) -> Rendered:
    """The message as the caller wrote it, with the warning `template_not_verified`. Raises InvalidInputError."""
    if isinstance(content, CarouselTemplateContent):
        # The external send API names this default; with the template at hand its one language is taken instead.
        template = template_object(content.template_name, content.language or "en_US", _carousel(content))
        return Rendered(message(to, "template", template), (NOT_VERIFIED,))
    if content.language is None:
        raise invalid("template.language", "required, because the approved templates cannot be looked up at the moment")
    template = template_object(content.name, content.language, _components(content))
    expiry = content.lto_expiration_time_ms
    warnings = () if expiry is None else expiry_warnings(expiry, now_ms)
    return Rendered(message(to, "template", template), (NOT_VERIFIED, *warnings))


def _components(content: TemplateContent) -> list[dict[str, Any]]:
    expiry = content.lto_expiration_time_ms
    return [
        *_header("template.header", content.header),
        *_body("template.body.variables", content.variables),
        *([] if expiry is None else [offer_component(expiry)]),
        *_buttons("template", content.buttons, content.copy_code),
    ]


def _carousel(content: CarouselTemplateContent) -> list[dict[str, Any]]:
    cards = [
        {
            "card_index": card.card_index,
            "components": [
                *_header(f"carousel.cards[{position}].header", card.header),
                *_body(f"carousel.cards[{position}].body.variables", card.variables),
                *_buttons(f"carousel.cards[{position}]", card.buttons, None),
            ],
        }
        for position, card in enumerate(content.cards)
    ]
    return [*_body("carousel.body.variables", content.variables), {"type": "carousel", "cards": cards}]


def _header(field: str, header: TextHeader | MediaHeader | LocationHeader | None) -> list[dict[str, Any]]:
    match header:
        case None:
            return []
        case TextHeader():
            return _text_header(field, header)
        case MediaHeader():
            return [header_component([media_parameter(header)])]
        case LocationHeader():
            return [header_component([location_parameter(header)])]
        case _:
            assert_never(header)


def _text_header(field: str, header: TextHeader) -> list[dict[str, Any]]:
    parameters = _parameters(f"{field}.variables", header.variables)
    if not parameters and header.text is not None:
        parameters = [text_parameter(checked(f"{field}.text", header.text))]
    return [header_component(parameters)] if parameters else []


def _body(field: str, variables: Variables) -> list[dict[str, Any]]:
    parameters = _parameters(field, variables)
    return [body_component(parameters)] if parameters else []


def _parameters(field: str, variables: Variables) -> list[dict[str, Any]]:
    if not isinstance(variables, dict):
        fields = value_fields(field, variables, map(str, range(len(variables))))
        return [text_parameter(checked(path, value)) for path, value in zip(fields, variables, strict=True)]
    if variables.keys() == {str(position) for position in range(1, len(variables) + 1)}:
        ordered = sorted(variables.items(), key=lambda item: int(item[0]))
        return [text_parameter(checked(f"{field}.{name}", value)) for name, value in ordered]
    return [named_parameter(name, checked(f"{field}.{name}", value)) for name, value in variables.items()]


def _buttons(path: str, buttons: Sequence[TemplateButton], copy_code: str | None) -> list[dict[str, Any]]:
    components = [
        component
        for position, button in enumerate(buttons)
        if (component := _button(f"{path}.buttons[{position}]", button)) is not None
    ]
    if copy_code is not None:
        after = max((button.index for button in buttons), default=-1) + 1
        components.append(coupon_component(after, checked(f"{path}.copy_code", copy_code, limit=COUPON_LIMIT)))
    return components


def _button(field: str, button: TemplateButton) -> dict[str, Any] | None:
    match button.sub_type:
        case "url":
            return url_component(button.index, checked(f"{field}.url", button.url, limit=URL_LIMIT))
        case "copy_code":
            return coupon_component(button.index, checked(f"{field}.payload", button.payload, limit=COUPON_LIMIT))
        case "quick_reply":
            if button.payload is None:
                return None  # Meta then answers a tap with the label
            return quick_reply_component(button.index, checked_payload(f"{field}.payload", button.payload))
