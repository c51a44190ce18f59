"""What a template asks of a send, read once from its components so that sends need not."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PRESET_CODE_TEXT = "*{{1}}* is your verification code."  # Meta writes the body of a code by itself
PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")

# Button kinds as Meta spells them in its `details`.
SPOKEN_KINDS: Mapping[str, str] = {
    "URL": "Url",
    "QUICK_REPLY": "QuickReply",
    "COPY_CODE": "CopyCode",
    "PHONE_NUMBER": "PhoneNumber",
    "FLOW": "Flow",
    "CATALOG": "Catalog",
    "MPM": "Mpm",
    "VOICE_CALL": "VoiceCall",
}


@dataclass(frozen=True, slots=True)
class ButtonShape:
    """One approved button."""

    kind: str
    dynamic: bool

    @property
    def spoken(self) -> str:
        """The kind as Meta's `details` spell it."""
        return SPOKEN_KINDS.get(self.kind, self.kind.title())


@dataclass(frozen=True, slots=True)
class Shape:
    """A template's (or a card's) demands: header format, placeholders in order, buttons, cards."""

    header_format: str | None
    header_params: tuple[str, ...]
    body_text: str | None
    body_params: tuple[str, ...]
    body_limit: int
    buttons: tuple[ButtonShape, ...]
    named: bool
    expiring_offer: bool
    cards: tuple["Shape", ...]


def placeholders(text: str) -> tuple[str, ...]:
    """The distinct placeholder names of a text, in order of first appearance."""
    return tuple(dict.fromkeys(PLACEHOLDER.findall(text)))


def shape_of(components: Sequence[Mapping[str, Any]], *, named: bool, card: bool = False) -> Shape:
    """Read the demands from components as they were approved."""
    by_type = {str(component["type"]).upper(): component for component in components}
    header = by_type.get("HEADER", {})
    body_text = by_type["BODY"].get("text") or PRESET_CODE_TEXT if "BODY" in by_type else None
    offer = by_type.get("LIMITED_TIME_OFFER", {}).get("limited_time_offer", {})
    cards = by_type.get("CAROUSEL", {}).get("cards", [])
    return Shape(
        header_format=str(header["format"]).upper() if header else None,
        header_params=placeholders(header.get("text", "")),
        body_text=body_text,
        body_params=placeholders(body_text or ""),
        body_limit=160 if card else 600 if offer else 1_024,
        buttons=tuple(_button(button) for button in by_type.get("BUTTONS", {}).get("buttons", [])),
        named=named,
        expiring_offer=bool(offer.get("has_expiration")),
        cards=tuple(shape_of(part["components"], named=named, card=True) for part in cards),
    )


def _button(button: Mapping[str, Any]) -> ButtonShape:
    kind = str(button["type"]).upper()
    if kind == "OTP":  # so it is written at creation; what is approved is a URL button that takes the code
        return ButtonShape("URL", dynamic=True)
    return ButtonShape(kind, dynamic=kind == "URL" and "{{" in button.get("url", ""))
