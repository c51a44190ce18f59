"""What the fake phone shows: each message in words, with the buttons that can be tapped."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from .clock import iso
from .inbound import InboundMessage, Inbox
from .ledger import Ledger, Message
from .templates.store import Template, Templates

_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")

Part = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Phone:
    """One customer's phone: what was sent to it, and what it wrote."""

    ledger: Ledger
    inbox: Inbox
    templates: Templates

    def chat(self, digits: str) -> list[dict[str, Any]]:
        """Everything, oldest first."""
        received = [self._received(message) for message in self.ledger.list_messages(digits)]
        written = [_written(message) for message in self.inbox.list_from(digits)]
        return sorted([*received, *written], key=lambda shown: str(shown["at"]))

    def _received(self, message: Message) -> dict[str, Any]:
        body: Part = orjson.loads(message.body)
        text, buttons = self._words(message, body)
        status, _, code = message.statuses[-1] if message.statuses else ("accepted", 0.0, None)
        return {
            "id": message.wamid,
            "mine": False,
            "business": message.phone_number_id,
            "at": iso(message.at),
            "text": text,
            "buttons": buttons,
            "status": status,
            "error": code,
        }

    def _words(self, message: Message, body: Part) -> tuple[str, list[dict[str, Any]]]:
        content = body.get(message.kind) or body.get("message") or {}
        if message.kind == "template":
            language = content.get("language", {}).get("code", "")
            template = self.templates.adopt(message.waba_id).get((content.get("name", ""), language))
            return _template(content, template)
        if message.kind == "interactive":
            return _interactive(content)
        text = content.get("body") or content.get("text") or content.get("caption") or ""
        return (str(text) or f"[{message.kind}]"), []


def _written(message: InboundMessage) -> dict[str, Any]:
    content = message.content
    part = content.get(str(content["type"]), {})
    reply = part.get(part.get("type", ""), {}) if isinstance(part, dict) else {}
    text = part.get("body") or part.get("text") or part.get("emoji") or reply.get("title") or f"[{content['type']}]"
    return {
        "id": message.wamid,
        "mine": True,
        "business": message.phone_number_id,
        "at": iso(message.at),
        "text": str(text),
        "buttons": [],
        "status": "read" if message.is_read else "sent",
        "error": None,
    }


def _template(content: Part, template: Template | None) -> tuple[str, list[dict[str, Any]]]:
    given = [part for part in content.get("components") or ()]
    values = {str(part.get("type", "")).lower(): part.get("parameters") or () for part in given if "index" not in part}
    if template is None:
        return f"[template {content.get('name')}]", []
    lines, buttons = [], []
    for component in template.components:
        kind = str(component.get("type", "")).lower()
        if component.get("text"):
            lines.append(_filled(str(component["text"]), values.get(kind, ())))
        for index, button in enumerate(component.get("buttons") or ()):
            buttons.append(_template_button(index, button, given))
    return "\n".join(lines), buttons


def _template_button(index: int, button: Part, given: Sequence[Part]) -> dict[str, Any]:
    if str(button.get("type", "")).upper() != "QUICK_REPLY":
        return {"title": button.get("text", ""), "tap": None}
    mine = [part for part in given if str(part.get("index")) == str(index)]
    parameters = (mine[0].get("parameters") if mine else None) or [{}]
    text = str(button.get("text", ""))
    return {"title": text, "tap": {"type": "button", "payload": parameters[0].get("payload", text), "text": text}}


def _filled(text: str, parameters: Sequence[Part]) -> str:
    values = {
        str(parameter.get("parameter_name") or place): str(parameter.get("text", ""))
        for place, parameter in enumerate(parameters, start=1)
    }
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), text)


def _interactive(content: Part) -> tuple[str, list[dict[str, Any]]]:
    action = content.get("action") or {}
    replies = [button.get("reply") or {} for button in action.get("buttons") or ()]
    rows = [row for section in action.get("sections") or () for row in section.get("rows") or ()]
    buttons = [_reply_button("button_reply", reply) for reply in replies if reply]
    buttons += [_reply_button("list_reply", row) for row in rows]
    if url := (action.get("parameters") or {}).get("url"):
        buttons.append({"title": f"{action['parameters'].get('display_text', '')} ({url})", "tap": None})
    return str((content.get("body") or {}).get("text", "")), buttons


def _reply_button(kind: str, reply: Part) -> dict[str, Any]:
    chosen = {"id": reply.get("id"), "title": reply.get("title")}
    return {
        "title": reply.get("title", ""),
        "tap": {"type": "interactive", "interactive": {"type": kind, kind: chosen}},
    }
