"""Conversations and media, described."""

from dataclasses import replace
from typing import Any, Literal

from pydantic import Field

from services.gateway.openapi import dashboard_models as models
from services.gateway.openapi.dashboard_parts import (
    CHANGED_BODY,
    CONFLICT,
    IDEMPOTENCY,
    IDENTIFIER,
    INVALID,
    LATE,
    LIMIT,
    META,
    UNKNOWN,
    USER,
    WITH_BODY,
    answers,
    dashboard_operation,
    in_path,
)
from services.gateway.openapi.operations import Answer, Parameter, RequestBody
from services.gateway.openapi.shown import Shown, Time, left_out
from services.gateway.routes.parameters import THREAD_CURSOR
from services.gateway.schemas.conversations import REPLY_BODY, HandOverBody, MarkReadBody

CONVERSATIONS_TAG = "Conversations"

_ONE = "/api/v1/conversations/{conversation_id}"
_ID = in_path("conversation_id", "The conversation's id, with or without `conv_`.", "conv_65f0c0de65f0c0de65f0c0de")
_CURSOR = Parameter(
    "cursor",
    "query",
    "`next_cursor` of the page before.",
    {"type": "string", "pattern": f"^{THREAD_CURSOR}$"},
)


class PersonShown(Shown):
    """The customer."""

    contact_id: str
    phone: str | None
    """Null where the customer shows none."""
    name: str | None
    username: str | None


class ThreadMessageShown(Shown):
    """One message, in either direction."""

    message_id: str
    wa_message_id: str | None
    direction: Literal["inbound", "outbound"]
    author: Literal["customer", "agent", "human", "business"]
    """`business`: a campaign's, an API call's, or a confirmation of ours."""
    type: str
    text: str | None
    """What a person reads of it."""
    content: dict[str, Any]
    """The type's own part, as it came or as Meta was given it."""
    media_id: str | None
    """For `GET /api/v1/media/{media_id}`."""
    status: Literal["received", "queued", "sent", "delivered", "read", "played", "failed"]
    failure: str | None
    context_wa_message_id: str | None
    """The message that it answers."""
    at: Time


class ConversationShown(Shown):
    """A thread between one of our numbers and one customer."""

    conversation_id: str
    user_id: str
    phone_number_id: str
    channel: Literal["whatsapp", "instagram", "webchat"]
    contact: PersonShown
    window_expires_at: Time | None
    """Until when anything may be sent; afterwards templates only. Null when the customer has not written yet."""
    handled_by: Literal["human", "agent"]
    last_message: ThreadMessageShown | None
    last_message_at: Time
    created_at: Time


class CursorShown(Shown):
    """The place of a page."""

    limit: int
    next_cursor: str | None
    """Null on the last page."""


class ConversationAnswer(models.Answered):
    """One conversation."""

    data: ConversationShown


class ConversationsAnswer(models.Answered):
    """A page."""

    data: list[ConversationShown]
    pagination: CursorShown


class ThreadMessagesAnswer(models.Answered):
    """A page."""

    data: list[ThreadMessageShown]
    pagination: CursorShown


class ReplySentShown(Shown):
    """What became of a reply."""

    message_id: str
    wa_message_id: str | None
    conversation_id: str | None
    status: Literal["sent", "queued", "failed"]
    warnings: list[str] = Field(default_factory=left_out)
    """What the caller should know; left out when there is nothing."""


class ReplySentAnswer(models.Answered):
    """200 and 202."""

    data: ReplySentShown
    message: str


class ReplyRefusedAnswer(models.RefusedAnswer):
    """Meta has refused it; it is kept as failed."""

    data: ReplySentShown = Field(default_factory=left_out)


_CONVERSATION = answers(200, ConversationAnswer, "The conversation.", UNKNOWN)
_REPLY = dict(
    answers(
        200,
        ReplySentAnswer,
        "It is sent, and a person handles the conversation from now on.",
        INVALID,
        UNKNOWN,
        WITH_BODY,
        META,
    )
)
_REPLY[202] = Answer("Its outcome is not known yet, and follows by webhook.", (ReplySentAnswer,))
_REPLY[502] = Answer(META[502], (ReplyRefusedAnswer,))

CONVERSATION_OPERATIONS = (
    dashboard_operation(
        CONVERSATIONS_TAG,
        method="get",
        path="/api/v1/conversations",
        name="listConversations",
        summary="List a user's conversations",
        description="The most lately active first; none for an unknown user.",
        parameters=(
            USER,
            Parameter("phone_number_id", "query", "Of one number.", IDENTIFIER),
            Parameter(
                "channel",
                "query",
                "Of one channel.",
                {"type": "string", "enum": ["whatsapp", "instagram", "webchat"]},
            ),
            Parameter("handled_by", "query", "By whom.", {"type": "string", "enum": ["human", "agent"]}),
            LIMIT,
            _CURSOR,
        ),
        answers=answers(200, ConversationsAnswer, "A page.", INVALID),
    ),
    dashboard_operation(
        CONVERSATIONS_TAG,
        method="get",
        path=_ONE,
        name="getConversation",
        summary="Get a conversation",
        description="With its newest message.",
        parameters=(_ID,),
        answers=_CONVERSATION,
    ),
    dashboard_operation(
        CONVERSATIONS_TAG,
        method="get",
        path=f"{_ONE}/messages",
        name="listConversationMessages",
        summary="Read a conversation",
        description="What was said by whomever, newest first.",
        parameters=(_ID, LIMIT, _CURSOR),
        answers=answers(200, ThreadMessagesAnswer, "A page.", INVALID, UNKNOWN),
    ),
    dashboard_operation(
        CONVERSATIONS_TAG,
        method="post",
        path=f"{_ONE}/messages",
        name="replyToConversation",
        summary="Answer by hand",
        description="A message of the external send API without `to`. The agent is silent from then on, until the "
        "conversation is handed back; an answer that it is making is not sent.",
        parameters=(_ID, IDEMPOTENCY),
        body=RequestBody("ReplyBody", REPLY_BODY, {"example": {"type": "text", "text": "Your parcel is on its way."}}),
        answers=dict(sorted(_REPLY.items())),
    ),
    *(
        dashboard_operation(
            CONVERSATIONS_TAG,
            method="post",
            path=f"{_ONE}/{action}",
            name=name,
            summary=summary,
            description=description,
            parameters=(_ID, IDEMPOTENCY),
            body=replace(RequestBody.of(HandOverBody, {"note": "Asks for a refund."}), required=False),
            answers=answers(200, ConversationAnswer, "The conversation.", INVALID, UNKNOWN, WITH_BODY, LATE),
        )
        for action, name, summary, description in (
            (
                "handover",
                "handOverConversation",
                "Give a conversation to a person",
                "The agent is silent from then on.",
            ),
            (
                "handback",
                "handBackConversation",
                "Give a conversation back to its agent",
                "It answers what comes then.",
            ),
        )
    ),
    dashboard_operation(
        CONVERSATIONS_TAG,
        method="post",
        path=f"{_ONE}/read",
        name="markConversationRead",
        summary="Show the customer that their messages were read",
        description="With `typing`, dots show that an answer is being written.",
        parameters=(_ID,),
        body=replace(RequestBody.of(MarkReadBody, {"typing": True}), required=False),
        answers=answers(200, models.Done, "They see it.", INVALID, UNKNOWN, CONFLICT, CHANGED_BODY, META, LATE),
    ),
    dashboard_operation(
        CONVERSATIONS_TAG,
        method="get",
        path="/api/v1/media/{media_id}",
        name="getMedia",
        summary="Get a media file that a customer sent",
        description="Leads to a signed link, which lasts five minutes and needs no credential.",
        parameters=(in_path("media_id", "A message's `media_id`.", "media_65f0c0ffee65f0c0ffee65f8"),),
        answers=dict(answers(302, models.Done, "", UNKNOWN, META, LATE))
        | {302: Answer("The file is at `Location`; there is no body.", (), {}, ("Location",))},
    ),
)
