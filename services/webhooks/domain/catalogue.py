"""The catalogue of vendor events: what each one means, the JSON Schema of its body, and an example."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import orjson
from pydantic import BaseModel

from services.webhooks.domain import event_bodies as bodies
from services.webhooks.domain.event_samples import SAMPLES
from services.webhooks.domain.events import EVENT_NAMES, VendorEvent
from shared.contracts.subscriptions import EventType

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True, slots=True)
class _Kind:
    description: str
    body: type[BaseModel]


_KINDS: Mapping[str, _Kind] = {
    "message.sent": _Kind("Meta accepted a message of yours.", bodies.MessageSentBody),
    "message.queued": _Kind(
        "A message of yours was accepted and waits, since Meta takes no more at this moment.", bodies.MessageQueuedBody
    ),
    "message.delivered": _Kind("A message of yours reached the recipient's device.", bodies.MessageStatusBody),
    "message.read": _Kind("The recipient read a message of yours, or played it.", bodies.MessageStatusBody),
    "message.failed": _Kind(
        "A message of yours will not arrive: it was refused, ran out of time, or failed on its way.",
        bodies.MessageFailedBody,
    ),
    "message.received": _Kind("A customer wrote to one of your numbers.", bodies.MessageReceivedBody),
    "button.clicked": _Kind("A customer tapped a button of a message of yours.", bodies.ButtonClickedBody),
    "template.status_changed": _Kind("Meta's judgement of a template changed.", bodies.TemplateStatusChangedBody),
    "campaign.started": _Kind("A campaign began, or went on after a pause.", bodies.CampaignBody),
    "campaign.paused": _Kind("A campaign was paused, by you or because it could not go on.", bodies.CampaignBody),
    "campaign.completed": _Kind("Every recipient of a campaign has an outcome.", bodies.CampaignBody),
    "campaign.failed": _Kind("A campaign cannot go on any more.", bodies.CampaignBody),
    "contact.opted_out": _Kind("A contact wants no marketing any more.", bodies.ContactBody),
    "contact.opted_in": _Kind("A contact wants marketing again.", bodies.ContactBody),
    "conversation.handed_over": _Kind("A conversation went to a human.", bodies.ConversationBody),
    "conversation.handed_back": _Kind("A conversation went back to the agent.", bodies.ConversationBody),
    "phone_number.quality_changed": _Kind("Meta's judgement of one of your numbers changed.", bodies.QualityBody),
    "webhook.disabled": _Kind(
        "Another webhook of yours is told nothing any more: it answered 410, or failed for five days.",
        bodies.WebhookDisabledBody,
    ),
}


@cache
def event_types() -> tuple[EventType, ...]:
    """Every kind of event, in the order in which they are documented."""
    return tuple(
        EventType(
            name=name,
            description=_KINDS[name].description,
            body_schema=_schema(_KINDS[name].body, name),
            example=orjson.loads(SAMPLES[name].body),
        )
        for name in EVENT_NAMES
    )


def example_event(name: str, test_id: str, user_id: str) -> VendorEvent:
    """The example of an event under an id of its own, which begins with `test`."""
    event_id = f"test:{name}:{test_id}"
    body: dict[str, Any] = orjson.loads(SAMPLES[name].body) | {"event_id": event_id}
    return replace(SAMPLES[name], event_id=event_id, user_id=user_id, body=orjson.dumps(body), thread=None)


def _schema(body: type[BaseModel], name: str) -> dict[str, Any]:
    schema = body.model_json_schema(mode="serialization")
    schema["properties"]["event"] = {**schema["properties"]["event"], "const": name}
    return {"$schema": _DIALECT, **schema}
