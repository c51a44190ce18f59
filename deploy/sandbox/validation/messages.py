"""The body of a send: its frame, and one table row for each message type."""

import re
from collections.abc import Mapping
from typing import Any

import orjson

from ..errors import GraphError
from .interactive import interactive_rule
from .rules import (
    Path,
    Rule,
    anything,
    as_object,
    bad_param,
    bad_value,
    boolean,
    coordinate,
    every,
    fields,
    items,
    missing,
    string,
    url,
)

MALFORMED_NUMBER = "The phone number is malformed: Please use the format: +1234567890."

_TOP_LEVEL = frozenset(
    {"messaging_product", "recipient_type", "to", "recipient", "type", "context", "biz_opaque_callback_data"}
    | {"recipient_identity_key_hash", "status", "message_id", "typing_indicator"}
)
_MEDIA_ID = re.compile(r"^\d{1,32}$")
_PLAIN_NUMBER = re.compile(r"^\+([1-9][0-9]{6,14})$")
_TOLERATED_NUMBER = re.compile(r"^\+?[0-9 ()-]+$")
_USER_ID = re.compile(r"^[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}$")


def _media_id(value: Any, path: Path) -> None:
    if not isinstance(value, str | int) or not _MEDIA_ID.match(str(value)):
        raise bad_param(path, "is not a valid whatsapp business account media attachment ID")


def id_or_link(value: Any, path: Path) -> None:
    """Media is named by an uploaded id or by a link, never by both."""
    named = [name for name in ("id", "link") if as_object(value, path).get(name) is not None]
    if len(named) != 1:
        problem = "Either one of media ID or link must be present" if not named else "Only one of them may be present"
        raise GraphError(100, f"{'.'.join(map(str, path))}: {problem}")


def media(**more: Rule) -> Rule:
    """A media object with these members beside id and link."""
    return every(id_or_link, fields({}, {"id": _media_id, "link": url, **more}))


_CAPTION = string(1_024, minimum=0)
_LOCATION = fields(
    {"latitude": coordinate(90), "longitude": coordinate(180)}, {"name": string(1_000), "address": string(1_000)}
)
_CONTACT_NAME = fields(
    {"formatted_name": string()},
    {part: string() for part in ("first_name", "last_name", "middle_name", "prefix", "suffix")},
)
_CONTACT = fields(
    {"name": _CONTACT_NAME},
    {part: anything for part in ("addresses", "birthday", "emails", "org", "phones", "urls", "contact_image")},
)

_PLAIN_TYPES: Mapping[str, Rule] = {
    "text": fields({"body": string(4_096)}, {"preview_url": boolean}),
    "image": media(caption=_CAPTION),
    "video": media(caption=_CAPTION),
    "audio": media(voice=boolean),
    "document": media(caption=_CAPTION, filename=string(240)),
    "sticker": media(),
    "location": _LOCATION,
    "contacts": items(_CONTACT, 1, 257, "Invalid contacts count. Min allowed contacts: 1, Max allowed contacts: 257"),
    "reaction": fields({"message_id": string()}, {"emoji": string(minimum=0)}),
    "template": fields(
        {"name": string(512), "language": fields({"code": string()}, {"policy": anything})}, {"components": anything}
    ),
}
MESSAGE_TYPES = (*_PLAIN_TYPES, "interactive")
_RULES: Mapping[bool, Mapping[str, Rule]] = {
    strict: {**_PLAIN_TYPES, "interactive": interactive_rule(media(), media(filename=string(240)), strict=strict)}
    for strict in (False, True)
}


def parse_body(raw: bytes) -> dict[str, Any]:
    """The JSON of a request, or Meta's refusal."""
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise GraphError(100, message="(#100) Invalid parameter: the body is not valid JSON") from error
    if not isinstance(body, dict):
        raise GraphError(100, message="(#100) Invalid parameter: the body is not a JSON object")
    return body


def check_frame(body: Mapping[str, Any], *, strict_carousel: bool) -> str:
    """Check everything of a send but its recipient and its template; the message type."""
    if body.get("messaging_product") != "whatsapp":
        raise missing((), "messaging_product") if "messaging_product" not in body else _only_whatsapp(body)
    kind = str(body.get("type", "text"))
    rule = _RULES[strict_carousel].get(kind)
    if rule is None:
        words = ", ".join(sorted(name.upper() for name in MESSAGE_TYPES))
        raise GraphError(100, message=f'(#100) Param type must be one of {{{words}}} - got "{kind}".')
    _check_top_level(body, kind)
    content = body.get(kind)
    if content is None:
        raise GraphError(100, message=f"(#100) The parameter {kind} is required.")
    rule(content, (kind,))
    return kind


def _only_whatsapp(body: Mapping[str, Any]) -> GraphError:
    return GraphError(
        100, message=f'(#100) Param messaging_product must be one of {{WHATSAPP}} - got "{body["messaging_product"]}".'
    )


def _check_top_level(body: Mapping[str, Any], kind: str) -> None:
    for name in body:
        if name not in _TOP_LEVEL and name != kind:
            raise GraphError(100, f'Unexpected key "{name}"')
    if body.get("recipient_type", "individual") != "individual":
        raise bad_param(("recipient_type",), f'must be one of {{INDIVIDUAL}} - got "{body["recipient_type"]}".')
    opaque = body.get("biz_opaque_callback_data")
    if opaque is not None:
        string(512, minimum=0)(opaque, ("biz_opaque_callback_data",))
    if "context" in body:
        fields({"message_id": string()})(body["context"], ("context",))


def parse_recipient(body: Mapping[str, Any], calling_code: str) -> tuple[str, str | None]:
    """The recipient: digits and None for a number, the id twice for a business-scoped id.

    Without `+` Meta takes the number for a national one and puts the business number's calling code before it.
    """
    to = body.get("to")
    if isinstance(to, str) and (plain := _PLAIN_NUMBER.match(to)):
        return plain[1], None
    if to is None:
        return _parse_user_id(body)
    if not isinstance(to, str) or not _TOLERATED_NUMBER.match(to):
        raise bad_value(MALFORMED_NUMBER)
    digits = "".join(character for character in to if character.isdigit())
    number = digits if to.startswith("+") else calling_code + digits
    if not _PLAIN_NUMBER.match("+" + number):
        raise bad_value(MALFORMED_NUMBER)
    return number, None


def _parse_user_id(body: Mapping[str, Any]) -> tuple[str, str]:
    user_id = body.get("recipient")
    if user_id is None:
        raise GraphError(100, message="(#100) The parameter to is required.")
    if not isinstance(user_id, str) or not _USER_ID.match(user_id):
        raise bad_value("The recipient is not a valid business-scoped user ID.")
    return user_id, user_id
