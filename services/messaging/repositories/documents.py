"""How a message is written as a document, and read back."""

from datetime import datetime
from typing import Any

from services.messaging.domain.messages import OutboundMessage, StoredMessage
from services.messaging.domain.states import GROUPED, Timing
from shared.contracts.base import ReplyAddress
from shared.contracts.messaging import MetaError
from shared.mongo import Document


def to_document(message: OutboundMessage, state: str, *, now: datetime) -> Document:
    """The whole message, in one document; `state` and what goes with it is added by the caller's step."""
    document: Document = {
        "_id": message.id,
        "user_id": message.user_id,
        "phone_number_id": message.phone_number_id,
        "conversation_id": message.conversation_id,
        "contact_id": message.contact_id,
        "to": message.to,
        "type": message.type,
        "class": message.message_class,
        "source": message.source,
        "payload": message.payload.decode(),
        "accepted_at": message.accepted_at,
        "expires_at": message.expires_at,
        "created_at": now,
        "state": state,
        "attempt": message.attempt,
        "rank": 0,
    }
    for key, value in (
        ("campaign_id", message.campaign_id),
        ("recipient_id", message.recipient_id),
        ("template_id", message.template_id),
        ("credit", message.credit),
        ("warnings", list(message.warnings)),
        ("reply", message.reply.model_dump() if message.reply else None),
    ):
        if value:
            document[key] = value
    if message.credits_remaining is not None:
        document["credits_remaining"] = message.credits_remaining
    return document


def claim_fields(attempt_id: str, worker: str, timing: Timing, now: datetime) -> dict[str, Any]:
    """What marks a message as one worker's, for the length of a lease."""
    return {"aid": attempt_id, "worker": worker, "wake_at": now + timing.lease}


def begun(intended_at: Any) -> dict[str, Any]:
    """What is set beside an outcome where the intent stood in the group's document alone; evaluated by a pipeline."""
    is_grouped = {"$eq": ["$state", GROUPED]}
    return {
        "attempt": {"$add": ["$attempt", {"$cond": [is_grouped, 1, 0]}]},
        "intended_at": {"$cond": [is_grouped, intended_at, "$intended_at"]},
    }


def error_document(error: MetaError | None) -> dict[str, Any] | None:
    """Meta's error as it is stored."""
    return error.model_dump(exclude_none=True) if error else None


def by_position(keys: list[str], values: list[Any], *, of: str = "$_id") -> dict[str, Any]:
    """An expression that gives each document of a group the value that stands where its key does."""
    return {"$arrayElemAt": [{"$literal": values}, {"$indexOfArray": [{"$literal": keys}, of]}]}


def to_message(document: Document) -> OutboundMessage:
    """Rebuild what an attempt needs."""
    reply = document.get("reply")
    return OutboundMessage(
        id=document["_id"],
        user_id=document["user_id"],
        phone_number_id=document["phone_number_id"],
        conversation_id=document["conversation_id"],
        contact_id=document["contact_id"],
        to=document["to"],
        type=document["type"],
        message_class=document["class"],
        source=document["source"],
        payload=document["payload"].encode(),
        accepted_at=document["accepted_at"],
        expires_at=document["expires_at"],
        warnings=tuple(document.get("warnings", ())),
        campaign_id=document.get("campaign_id"),
        recipient_id=document.get("recipient_id"),
        template_id=document.get("template_id"),
        credit=document.get("credit"),
        credits_remaining=document.get("credits_remaining"),
        reply=ReplyAddress.model_validate(reply) if reply else None,
        attempt=document["attempt"],
        resends=document.get("resends", 0),
        tries=document.get("tries", 0),
    )


def to_stored(document: Document) -> StoredMessage:
    """Rebuild a message with everything its document knows of the outcome."""
    error = document.get("error")
    return StoredMessage(
        message=to_message(document),
        state=document["state"],
        rank=document["rank"],
        wa_message_id=document.get("wamid"),
        error=MetaError.model_validate(error) if error else None,
        failure=document.get("failure"),
        ended_at=document.get("ended_at"),
        raised=tuple(document.get("raised", ())),
        reported_unknown=document.get("reported_unknown", False),
        held_by_meta=document.get("held_by_meta", False),
        callers=tuple(ReplyAddress.model_validate(caller) for caller in document.get("callers", ())),
    )
