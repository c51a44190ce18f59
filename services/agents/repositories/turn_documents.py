"""How a turn is written down."""

from services.agents.domain.turns import Answer, Head, Turn
from shared.mongo import Document


def to_head(head: Head) -> Document:
    """The head of a chain as it is stored."""
    return {"response_id": head.response_id, "seen": sorted(head.seen)}


def to_turn(document: Document) -> Turn:
    """A claimed turn."""
    return Turn(
        conversation_id=document["_id"],
        number=document["number"],
        attempt=document["attempt"],
        tries=document["tries"],
        user_id=document["user_id"],
        phone_number_id=document["phone_number_id"],
        agent_id=document["agent_id"],
        channel=document["channel"],
        recipient=document["recipient"],
        contact_id=document["contact_id"],
        sequence=document["sequence"],
        head=_to_head(document.get("head")),
        answer=_to_answer(document.get("answer")),
    )


def _to_head(document: Document | None) -> Head | None:
    return Head(document["response_id"], frozenset(document["seen"])) if document else None


def _to_answer(document: Document | None) -> Answer | None:
    if document is None:
        return None
    return Answer(
        parts=tuple(document["parts"]),
        response_id=document["response_id"],
        sequence=document["sequence"],
        seen=tuple(document["seen"]),
        hand_over=document["hand_over"],
        at=document["at"],
    )
