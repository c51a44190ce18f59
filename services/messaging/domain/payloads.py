"""What a message says, turned into the exact JSON that Meta's `POST /{phone-number-id}/messages` takes.

Pure and without pydantic: this runs once for every message of a campaign. `biz_opaque_callback_data` is added where
the message's id is known.
"""

from typing import Any, assert_never

from services.messaging.domain.payloads_envelope import Rendered, message
from services.messaging.domain.payloads_interactive import interactive_object
from services.messaging.domain.payloads_literal import literal_template_payload
from services.messaging.domain.payloads_template import carousel_template_payload, template_payload
from services.messaging.domain.templates import ApprovedTemplate
from shared.contracts.content import (
    CarouselTemplateContent,
    InteractiveContent,
    MediaContent,
    TemplateContent,
    TextContent,
)

# What a template by id has become by then.
Renderable = TextContent | MediaContent | TemplateContent | InteractiveContent | CarouselTemplateContent

__all__ = [
    "Renderable",
    "Rendered",
    "carousel_template_payload",
    "graph_payload",
    "literal_template_payload",
    "template_payload",
]


def graph_payload(to: str, content: Renderable, template: ApprovedTemplate | None, *, now_ms: int) -> Rendered:
    """Render one message; `template` None means that the approved template could not be looked up.

    `now_ms` is Unix time in milliseconds; an offer that has expired by then adds a warning. Raises InvalidInputError
    naming the field where the values do not fit the approved template.
    """
    match content:
        case TextContent():
            text = {"body": content.text, "preview_url": content.preview_url}
            return Rendered(message(to, "text", text))
        case MediaContent():
            return Rendered(message(to, content.type, _media(content)), _ignored(content))
        case InteractiveContent():
            return Rendered(message(to, "interactive", interactive_object(content.interactive)))
        case TemplateContent() | CarouselTemplateContent():
            return _template(to, content, template, now_ms)
        case _:
            assert_never(content)


def _template(
    to: str, content: TemplateContent | CarouselTemplateContent, template: ApprovedTemplate | None, now_ms: int
) -> Rendered:
    if template is None:
        return literal_template_payload(to, content, now_ms=now_ms)
    if isinstance(content, CarouselTemplateContent):
        return carousel_template_payload(to, content, template)
    return template_payload(to, content, template, now_ms=now_ms)


def _media(content: MediaContent) -> dict[str, Any]:
    media = {"link": content.url}
    if content.caption is not None and content.type != "audio":
        media["caption"] = content.caption
    if content.filename is not None and content.type == "document":
        media["filename"] = content.filename
    return media


def _ignored(content: MediaContent) -> tuple[str, ...]:
    # Meta refuses the whole message for a member that its kind does not have.
    warnings = []
    if content.caption is not None and content.type == "audio":
        warnings.append("field_ignored: media.caption has no place in audio messages")
    if content.filename is not None and content.type != "document":
        warnings.append(f"field_ignored: media.filename has no place in {content.type} messages")
    return tuple(warnings)
