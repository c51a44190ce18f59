"""Kinds of field that several bodies share, each with its limit and the words for what is wrong with it."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
)

from services.gateway.domain.links import LONGEST_LINK, is_media_link, is_web_link
from services.gateway.domain.recipients import is_recipient
from services.gateway.schemas.checked import Checked, EmptyIsNone, matching
from shared.web.field_errors import UnionBy, field_error

_IDENTIFIER = re.compile(r"[A-Za-z0-9_.:+@-]{1,128}", re.ASCII)
_META_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)  # becomes a part of a path at Meta
_EMAIL = re.compile(r"""[^\s\x1c-\x1f\x85\ufeff@<>"'(),;:\\]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?""")
_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")  # travels in an Authorization header
_LONGEST_EMAIL = 254

# What JSON Schema says of checks that a pattern tells in part. Schemes may be in capitals, and patterns have no flags.
NOT_BLANK_PATTERN = r"[^\s\x1c-\x1f\x85]|\ufeff"  # Python takes the first five for blanks as well, the last for none
_E164 = {"pattern": r"^\+[1-9][0-9]{6,14}$"}
_HTTPS = {"pattern": r"^[Hh][Tt][Tt][Pp][Ss]://[^\x00-\x20\x7f/?#][^\x00-\x20\x7f]*$"}
_HTTP = {"pattern": r"^[Hh][Tt][Tt][Pp][Ss]?://[^\x00-\x20\x7f/?#][^\x00-\x20\x7f]*$"}


class Body(BaseModel):
    """A body, or a part of one: types as given, nothing converted; keys that we do not know are left alone."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", use_attribute_docstrings=True)


class SendPart(BaseModel):
    """A part of a send request; keys that we do not know are kept, to be named in `warnings`.

    The texts below fields are what the API's documentation says of them.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="allow", use_attribute_docstrings=True)


def _not_blank(value: str) -> str:
    if not value.strip():
        raise field_error("must not be empty")
    return value


def _recipient(value: str, info: ValidationInfo) -> str:
    if not is_recipient(value, allow_unknown_codes=bool((info.context or {}).get("local"))):
        raise field_error("must be a phone number in E.164 format, e.g. +919876543210")
    return value


def _media_link(value: str, info: ValidationInfo) -> str:
    if not is_media_link(value, allow_loopback_http=bool((info.context or {}).get("local"))):
        raise field_error("must be a publicly accessible https:// link")
    return value


def _web_link(value: str) -> str:
    if not is_web_link(value):
        raise field_error("must be an https:// or http:// link")
    return value


def _email(value: str) -> str:
    if len(value) > _LONGEST_EMAIL or ".." in value or not _EMAIL.fullmatch(value):
        raise field_error("must be an e-mail address, e.g. ravi@example.com")
    return value


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _time_text(value: Any) -> Any:
    if not isinstance(value, str) or "T" not in value.upper():
        raise field_error("must be a time such as 2026-03-05T10:30:00.000Z")
    return value


def _on_calendar(moment: datetime) -> datetime:
    """The moment in its own zone (a reading of its clock may be meant); in UTC where that has no such year."""
    try:
        moment.astimezone(UTC)
    except OverflowError:  # before year 1, or after 9999: no database holds it
        return moment.replace(tzinfo=UTC)
    return moment


NOT_BLANK = Checked(_not_blank, {"pattern": NOT_BLANK_PATTERN})
EMPTY_IS_NONE = EmptyIsNone()  # many clients send "" for what they leave open
WHOLE = BeforeValidator(_whole)  # JSON has one kind of number: 5.0 is an integer

Identifier = Annotated[str, matching(_IDENTIFIER, "must have 1 to 128 letters, digits or _ . : + @ -")]
MetaId = Annotated[str, matching(_META_ID, "must have 1 to 64 letters, digits, _ or -")]
AccessToken = Annotated[str, matching(_TOKEN, "must have 1 to 4096 printable characters without spaces")]
Email = Annotated[
    str,
    Checked(_email, {"pattern": f"^{_EMAIL.pattern}$", "maxLength": _LONGEST_EMAIL, "not": {"pattern": r"\.\."}}),
]
Name = Annotated[str, Field(min_length=1, max_length=200), NOT_BLANK]
OptionalName = Annotated[Annotated[str, Field(max_length=200)] | None, EMPTY_IS_NONE]
OptionalText = Annotated[Annotated[str, Field(max_length=500)] | None, EMPTY_IS_NONE]
OptionalEmail = Annotated[Email | None, EMPTY_IS_NONE]
Moment = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_time_text), AfterValidator(_on_calendar)]

Recipient = Annotated[str, Checked(_recipient, _E164)]
MediaLink = Annotated[str, Field(min_length=1, max_length=LONGEST_LINK), Checked(_media_link, _HTTPS)]
WebLink = Annotated[str, Field(min_length=1, max_length=LONGEST_LINK), Checked(_web_link, _HTTP)]
Filename = Annotated[Annotated[str, Field(max_length=240)] | None, EMPTY_IS_NONE]


def by_type(*kinds: str) -> UnionBy:
    """Choose among models by their `type`, each tagged with its value in parentheses."""

    def tag(value: Any) -> str | None:
        kind = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
        return f"({kind})" if isinstance(kind, str) else None

    words = f"must be {kinds[0]}" if len(kinds) == 1 else f"must be one of {', '.join(kinds)}"
    return UnionBy("type", tag, words)


def all_different(values: list[Any], name: Callable[[int], str]) -> None:
    """Raise an error at the first value that was there before; `name` tells the field of an index."""
    seen = set()
    for index, value in enumerate(values):
        if value in seen:
            raise field_error("is used twice", field=name(index))
        seen.add(value)
