"""Template and carousel-template messages, placed by the approved template rather than by the caller's counting."""

from collections.abc import Iterator, Sequence
from typing import Any

from services.messaging.domain.payloads_envelope import Rendered, message
from services.messaging.domain.payloads_header import header_components
from services.messaging.domain.templates import ApprovedCard, ApprovedTemplate, ApprovedText
from services.messaging.domain.templates_buttons import OTP_LIMIT, button_components
from services.messaging.domain.templates_values import checked, invalid, text_parameters
from shared.contracts.content import CarouselCard, CarouselTemplateContent, TemplateContent, Variables


def template_payload(to: str, content: TemplateContent, template: ApprovedTemplate, *, now_ms: int) -> Rendered:
    """A template message with exactly the parameters that the approved template has.

    `now_ms` is Unix time in milliseconds. Raises InvalidInputError naming the field that does not fit.
    """
    if template.cards:
        raise invalid("template.name", f"{template.name} is a carousel template; send it with type carousel")
    warnings: list[str] = []
    body = body_components("template.body.variables", _body_values(content, template), template.body)
    components = [
        *header_components("template.header", content.header, template.header),
        *body,
        *_offer_components(content.lto_expiration_time_ms, template, warnings, now_ms),
        *button_components(
            "template",
            content.buttons,
            template.buttons,
            warnings,
            copy_code=content.copy_code,
            body_code=body[0]["parameters"][0]["text"] if body and template.category == "AUTHENTICATION" else None,
        ),
    ]
    return Rendered(
        message(to, "template", template_object(template.name, template.language, components)), tuple(warnings)
    )


def carousel_template_payload(to: str, content: CarouselTemplateContent, template: ApprovedTemplate) -> Rendered:
    """A carousel template message with exactly the cards and parameters that were approved.

    Raises InvalidInputError naming the field that does not fit.
    """
    if not template.cards:
        raise invalid("carousel.template_name", f"{template.name} has no cards; send it with type template")
    warnings: list[str] = []
    components = [
        *body_components("carousel.body.variables", content.variables, template.body),
        {"type": "carousel", "cards": _cards(content.cards, template.cards, warnings)},
    ]
    return Rendered(
        message(to, "template", template_object(template.name, template.language, components)), tuple(warnings)
    )


def template_object(name: str, language: str, components: list[dict[str, Any]]) -> dict[str, Any]:
    """The `template` object of a message; Meta lets `components` be left out when there are none."""
    template: dict[str, Any] = {"name": name, "language": {"code": language}}
    if components:
        template["components"] = components
    return template


def body_components(field: str, given: Variables, approved: ApprovedText | None) -> list[dict[str, Any]]:
    """The body component, or none where the approved text has no variables. Raises InvalidInputError."""
    if approved is None:
        if given:
            raise invalid(field, "the approved template has no body text")
        return []
    parameters = text_parameters(field, given, approved)
    return [body_component(parameters)] if parameters else []


def body_component(parameters: list[dict[str, Any]]) -> dict[str, Any]:
    """A body component in Meta's form."""
    return {"type": "body", "parameters": parameters}


def offer_component(expiration_time_ms: int) -> dict[str, Any]:
    """A limited-time offer's expiry in Meta's form."""
    offer = {"expiration_time_ms": expiration_time_ms}
    return {"type": "limited_time_offer", "parameters": [{"type": "limited_time_offer", "limited_time_offer": offer}]}


def expiry_warnings(expiration_time_ms: int, now_ms: int) -> list[str]:
    """A past expiry is sent as it is: WhatsApp then shows the offer as expired."""
    if expiration_time_ms > now_ms:
        return []
    return ["offer_expired: template.lto.expiration_time_ms lies in the past"]


def _body_values(content: TemplateContent, template: ApprovedTemplate) -> Variables:
    """The caller's values; a one-time password given only for the button belongs into the body, too."""
    if content.variables or template.category != "AUTHENTICATION":
        return content.variables
    for field, code in _codes(content):
        if code is not None:
            return (checked(field, code, limit=OTP_LIMIT),)
    return ()


def _codes(content: TemplateContent) -> Iterator[tuple[str, str | None]]:
    yield "template.copy_code", content.copy_code
    for position, button in enumerate(content.buttons):
        if button.sub_type == "url":
            yield f"template.buttons[{position}].url", button.url
        elif button.sub_type == "copy_code":
            yield f"template.buttons[{position}].payload", button.payload


def _offer_components(
    expiration_time_ms: int | None, template: ApprovedTemplate, warnings: list[str], now_ms: int
) -> list[dict[str, Any]]:
    if expiration_time_ms is None:
        if template.offer_expires:
            raise invalid("template.lto.expiration_time_ms", "required, because the approved template's offer expires")
        return []
    if template.offer_expires is None:
        raise invalid("template.lto", "the approved template has no limited-time offer")
    warnings += expiry_warnings(expiration_time_ms, now_ms)
    return [offer_component(expiration_time_ms)]


def _cards(
    given: Sequence[CarouselCard], approved: Sequence[ApprovedCard], warnings: list[str]
) -> list[dict[str, Any]]:
    if len(given) != len(approved):
        raise invalid("carousel.cards", f"expected {len(approved)} cards, got {len(given)}")
    rendered: dict[int, dict[str, Any]] = {}
    for position, card in enumerate(given):
        path = f"carousel.cards[{position}]"
        if not 0 <= card.card_index < len(approved):
            raise invalid(f"{path}.card_index", f"expected 0 to {len(approved) - 1}, got {card.card_index}")
        if card.card_index in rendered:
            raise invalid(f"{path}.card_index", f"{card.card_index} is given twice")
        rendered[card.card_index] = _card(path, card, approved[card.card_index], warnings)
    return [rendered[index] for index in sorted(rendered)]


def _card(path: str, card: CarouselCard, approved: ApprovedCard, warnings: list[str]) -> dict[str, Any]:
    components = [
        *header_components(f"{path}.header", card.header, approved.header),
        *body_components(f"{path}.body.variables", card.variables, approved.body),
        *button_components(path, card.buttons, approved.buttons, warnings),
    ]
    return {"card_index": card.card_index, "components": components}
