"""Renders the bus as an AsyncAPI 3.0 document: one channel for each message, who receives it, and what it answers.

Source: https://www.asyncapi.com/docs/reference/specification/v3.0.0
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from shared.bus import topology
from shared.contracts.base import ErrorReply, Event, Message, Request

_SCHEMA_REFERENCE = "#/components/schemas/{model}"
_REPLIES = "replies"
_HEADERS = {
    "type": "object",
    "properties": {
        "wa-occurred-at": {"type": "string", "format": "date-time", "description": "When it was published."},
        "wa-correlation-id": {"type": "string", "description": "The request from outside that started it all."},
        "wa-causation-id": {"type": "string", "description": "The message that caused this one."},
        "wa-user-id": {"type": "string", "description": "The user in whose name it travels."},
        "wa-attempt": {"type": "integer", "description": "How often handling it has failed before."},
        "wa-deadline": {"type": "string", "format": "date-time", "description": "Until when its caller waits."},
        "traceparent": {"type": "string", "description": "W3C trace context."},
    },
    "required": ["wa-occurred-at", "wa-correlation-id"],
}


def catalogue(messages: Mapping[str, type[Message]]) -> dict[str, Any]:
    """The document, in the order of the messages given."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "WAAPI bus",
            "version": "1.0.0",
            "description": "Commands and queries go to the one service that owns them, events to whoever listens. "
            "Delivery is at least once.",
        },
        "defaultContentType": "application/json",
        "channels": {**{name: _channel(message) for name, message in messages.items()}, _REPLIES: _replies(messages)},
        "operations": {
            f"{queue.name}-{message.message_type}": _operation(queue, message)
            for queue in topology.QUEUES
            for message in queue.messages
        },
        "components": {
            "messages": {
                **{message.__name__: _message(name, message) for name, message in messages.items()},
                **{reply.__name__: _reply(reply) for reply in _reply_types(messages)},
            },
            "schemas": {"Envelope": _HEADERS, **_schemas(messages)},
        },
    }


def _channel(message: type[Message]) -> dict[str, Any]:
    name = message.__name__
    exchange = {"name": topology.exchange_for(message), "type": "topic", "durable": True, "autoDelete": False}
    return {
        "address": message.message_type,
        "messages": {name: _reference("messages", name)},
        "bindings": {"amqp": {"is": "routingKey", "exchange": exchange, "bindingVersion": "0.3.0"}},
    }


def _replies(messages: Mapping[str, type[Message]]) -> dict[str, Any]:
    return {
        "address": None,
        "description": "Straight to the caller, under the reply-to of its request.",
        "messages": {reply.__name__: _reference("messages", reply.__name__) for reply in _reply_types(messages)},
    }


def _operation(queue: topology.Queue, message: type[Message]) -> dict[str, Any]:
    channel = f"#/channels/{message.message_type}"
    operation: dict[str, Any] = {
        "action": "receive",
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{message.__name__}"}],
        "tags": [{"name": queue.service}],
        "bindings": {"amqp": {"ack": True, "bindingVersion": "0.3.0"}},
    }
    if issubclass(message, Request):
        operation["reply"] = {
            "address": {"location": "$message.header#/reply-to"},
            "channel": {"$ref": f"#/channels/{_REPLIES}"},
            "messages": [
                {"$ref": f"#/channels/{_REPLIES}/messages/{reply.__name__}"}
                for reply in (message.reply_type, ErrorReply)
            ],
        }
    return operation


def _message(wire_name: str, message: type[Message]) -> dict[str, Any]:
    return {
        "name": wire_name,
        "title": message.__name__,
        "summary": _first_line(message),
        "tags": [{"name": "event" if issubclass(message, Event) else "request"}],
        "headers": _reference("schemas", "Envelope"),
        "correlationId": {"location": "$message.header#/wa-correlation-id"},
        "payload": _reference("schemas", message.__name__),
    }


def _reply(reply: type[BaseModel]) -> dict[str, Any]:
    name = reply.__name__
    return {"name": name, "summary": _first_line(reply), "payload": _reference("schemas", name)}


def _reply_types(messages: Mapping[str, type[Message]]) -> list[type[BaseModel]]:
    """Every reply once, in alphabetical order."""
    replies = {message.reply_type for message in messages.values() if issubclass(message, Request)}
    return sorted({*replies, ErrorReply}, key=lambda reply: reply.__name__)


def _schemas(messages: Mapping[str, type[Message]]) -> dict[str, Any]:
    models: list[type[BaseModel]] = [*messages.values(), *_reply_types(messages)]
    _, definitions = models_json_schema([(model, "validation") for model in models], ref_template=_SCHEMA_REFERENCE)
    schemas: dict[str, Any] = definitions["$defs"]
    return schemas


def _first_line(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().partition("\n")[0]


def _reference(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{name}"}
