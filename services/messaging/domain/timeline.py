"""A message's life, told from its document: every step that left a trace, with what was said to Meta and answered."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import orjson

from services.messaging.domain.messages import OutboundMessage, StoredMessage
from services.messaging.domain.states import FAILED, SENT, UNKNOWN
from shared.contracts.messaging import MetaError
from shared.contracts.timeline import MessageTimeline, MetaExchange, TimelineStep

MASKED = "Bearer ***"

_SERVICE_OF_SOURCE = {"campaign": "campaigns"}


def timeline(stored: StoredMessage, traces: dict[str, datetime], meta_phone_number_id: str | None) -> MessageTimeline:
    """Everything that is known of a message, in order; `traces` are the moments that its document keeps by name."""
    message = stored.message
    steps = sorted(_steps(stored, traces, meta_phone_number_id), key=lambda step: step.at)
    return MessageTimeline(
        message_id=message.id,
        wa_message_id=stored.wa_message_id,
        conversation_id=message.conversation_id,
        contact_id=message.contact_id,
        user_id=message.user_id,
        phone_number_id=message.phone_number_id,
        campaign_id=message.campaign_id,
        template_id=message.template_id,
        to=message.to,
        type=message.type,
        source=message.source,
        state=stored.state,
        steps=tuple(steps),
    )


def _steps(stored: StoredMessage, traces: dict[str, datetime], meta_id: str | None) -> Iterator[TimelineStep]:
    message = stored.message
    service: Any = _SERVICE_OF_SOURCE.get(message.source, "gateway")
    yield TimelineStep(at=message.accepted_at, service=service, what="accepted", note=f"by {message.source}")
    if (at := traces.get("created_at")) is not None:
        yield TimelineStep(at=at, service="messaging", what="stored")
    if (at := traces.get("intended_at")) is not None:
        note = f"attempt {message.attempt}" + (", a declared repetition" if message.resends else "")
        yield TimelineStep(at=at, service="messaging", what="posted", note=note, request=_request(message, meta_id))
    yield from _outcome(stored, traces)
    for name, at in traces.items():
        if name.startswith("status_"):
            yield TimelineStep(at=at, service="webhooks", what=name)


def _outcome(stored: StoredMessage, traces: dict[str, datetime]) -> Iterator[TimelineStep]:
    if stored.state == UNKNOWN and (at := traces.get("unknown_at")) is not None:
        yield TimelineStep(
            at=at, service="messaging", what="outcome_unknown", note=stored.failure, answer=_refusal(stored.error)
        )
    if stored.ended_at is None:
        return
    if stored.state == SENT:
        yield TimelineStep(
            at=stored.ended_at,
            service="meta",
            what="sent",
            answer=MetaExchange(body={"messages": [{"id": stored.wa_message_id}]}),
        )
    elif stored.state == FAILED:
        service: Any = "messaging" if stored.error is None else "meta"
        yield TimelineStep(
            at=stored.ended_at, service=service, what="failed", note=stored.failure, answer=_refusal(stored.error)
        )


def _request(message: OutboundMessage, meta_id: str | None) -> MetaExchange:
    body = message.posted_body() if message.payload != b"{}" else b"{}"  # nothing is left of an erased person's
    return MetaExchange(
        method="POST",
        path=f"/{meta_id or '?'}/messages",
        headers={"Authorization": MASKED, "Content-Type": "application/json"},
        body=orjson.loads(body),
    )


def _refusal(error: MetaError | None) -> MetaExchange | None:
    return None if error is None else MetaExchange(body={"error": error.model_dump(exclude_none=True)})
