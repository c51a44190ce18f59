"""Taps on buttons: what was tapped, and which button of our message it was."""

from dataclasses import dataclass
from typing import Any

import orjson

from services.messaging.domain.inbound import InboundMessage
from shared.contracts.conversations import ClickedButton
from shared.ids import derived_hex_id


@dataclass(frozen=True, slots=True)
class TappedMessage:
    """The message of ours that had the button."""

    id: str
    payload: bytes  # as it was posted
    template_id: str | None
    campaign_id: str | None
    recipient_id: str | None


@dataclass(frozen=True, slots=True)
class Tap:
    """What a tap says of itself."""

    payload: str | None
    text: str


def tap_of(message: InboundMessage) -> Tap | None:
    """The tap that a message is, if it is one: on a template's quick reply, a reply button or a list's row."""
    content = message.content
    if message.type == "button":
        return Tap(_text(content.get("payload")), message.text or "")
    if message.type == "interactive" and content.get("type") in {"button_reply", "list_reply"}:
        reply = content.get(content["type"])
        return Tap(_text(reply.get("id")) if isinstance(reply, dict) else None, message.text or "")
    return None


def clicked_button(message: InboundMessage, tap: Tap, ours: TappedMessage | None) -> ClickedButton:
    """The one event of a tap. `ours` None: the message that had the button is not known."""
    return ClickedButton(
        click_id=f"click_{derived_hex_id('click', message.id)}",
        user_id=message.user_id,
        phone_number_id=message.phone_number_id,
        conversation_id=message.conversation_id,
        message_id=ours.id if ours else None,
        template_id=ours.template_id if ours else None,
        campaign_id=ours.campaign_id if ours else None,
        recipient_id=ours.recipient_id if ours else None,
        button_index=button_index(ours.payload, tap) if ours else None,
        payload=tap.payload,
        text=tap.text,
        contact_phone=message.sender,
        contact_name=message.profile_name,
        clicked_at=message.received_at,
    )


def button_index(posted: bytes, tap: Tap) -> int | None:
    """The place of the tapped button in the message as it was posted; None when it cannot be told."""
    body = orjson.loads(posted)
    if template := body.get("template"):
        components = template.get("components", ())
        cards = [part for each in components for card in each.get("cards", ()) for part in card.get("components", ())]
        for component in (*components, *cards):
            if component.get("type") == "button" and _payload_of(component) == tap.payload is not None:
                return int(component["index"])
        return None
    action: dict[str, Any] = (body.get("interactive") or {}).get("action", {})
    ids = [(button.get("reply") or {}).get("id") for button in action.get("buttons", ())]
    ids += [row.get("id") for section in action.get("sections", ()) for row in section.get("rows", ())]
    return ids.index(tap.payload) if tap.payload in ids else None


def _payload_of(component: dict[str, Any]) -> str | None:
    parameters = component.get("parameters") or [{}]
    return _text(parameters[0].get("payload"))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
