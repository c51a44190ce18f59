"""`/api/v1/conversations`: what customers and we have said, who answers, and answering by hand."""

import re
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args

from aiohttp import web
from pydantic import BaseModel

from services.gateway.routes.asking import Asking
from services.gateway.routes.external import SEND_SECONDS, BodyRules
from services.gateway.routes.idempotent import Fixed, Idempotency
from services.gateway.routes.parameters import (
    THREAD_CURSOR,
    optional_query_id,
    query_choice,
    query_cursor,
    query_number,
    required_query_id,
)
from services.gateway.schemas.conversations import HandOverBody, MarkReadBody, ReplyBody, parse_reply_body
from services.gateway.schemas.send import ignored_fields
from shared.clock import Clock, iso_millis
from shared.contracts.conversations import Channel, HandOverConversation
from shared.contracts.messaging import MessageOutcome, SendMessage
from shared.contracts.threads import (
    Conversation,
    GetConversation,
    ListConversationMessages,
    ListConversations,
    MarkConversationRead,
    ThreadMessage,
)
from shared.errors import InvalidInputError, NotFoundError, ReplyTimeoutError
from shared.ids import new_hex_id
from shared.web.body import read_json, read_json_bytes, validate
from shared.web.envelopes import failure, success
from shared.web.json_text import parse_json
from shared.web.problems import Problem

BodyT = TypeVar("BodyT", bound=BaseModel)

_UNKNOWN = "Conversation not found"
_ID = re.compile(r"(?:conv_)?([0-9a-f]{24})")
_QUEUED = "Message queued: its outcome is not known yet and follows by webhook."
_ONE = "/api/v1/conversations/{conversation_id}"


@dataclass(frozen=True, slots=True)
class ConversationRoutes:
    """Conversations are messaging's; their ids are taken with and without `conv_`."""

    asking: Asking
    idempotency: Idempotency
    now: Clock
    rules: BodyRules
    send_seconds: float = SEND_SECONDS

    def table(self) -> list[web.RouteDef]:
        """What is served where."""
        return [
            web.get("/api/v1/conversations", self.list_conversations),
            web.get(_ONE, self.get_conversation),
            web.get(f"{_ONE}/messages", self.list_messages),
            web.post(f"{_ONE}/messages", self.reply),
            web.post(f"{_ONE}/handover", self.hand_over),
            web.post(f"{_ONE}/handback", self.hand_back),
            web.post(f"{_ONE}/read", self.mark_read),
        ]

    async def list_conversations(self, request: web.Request) -> web.Response:
        """200 with a page of a user's conversations, the most lately active first; none for an unknown user."""
        limit = query_number(request, "limit", default=50, most=200)
        query = ListConversations.model_validate(
            {
                "user_id": required_query_id(request, "user_id"),
                "phone_number_id": optional_query_id(request, "phone_number_id"),
                "channel": query_choice(request, "channel", get_args(Channel)),
                "handled_by": query_choice(request, "handled_by", ("human", "agent")),
                "limit": limit,
                "cursor": query_cursor(request, THREAD_CURSOR),
            }
        )
        page = await self.asking.query(query)
        place = {"limit": limit, "next_cursor": page.next_cursor}
        return success(request, [_conversation(each) for each in page.items], pagination=place)

    async def get_conversation(self, request: web.Request) -> web.Response:
        """200 with the conversation."""
        return success(request, _conversation(await self._find(request)))

    async def list_messages(self, request: web.Request) -> web.Response:
        """200 with a page of what was said, newest first."""
        limit = query_number(request, "limit", default=50, most=200)
        query = ListConversationMessages(
            conversation_id=_conversation_id(request), limit=limit, cursor=query_cursor(request, THREAD_CURSOR)
        )
        page = await self.asking.query(query)
        place = {"limit": limit, "next_cursor": page.next_cursor}
        return success(request, [_message(each) for each in page.items], pagination=place)

    async def reply(self, request: web.Request) -> web.Response:
        """200 sent, 202 not known yet, 502 refused by Meta. The conversation is handled by a person from now on."""
        thread = await self._find(request)

        async def work(fixed: Fixed) -> web.Response:
            body = parse_reply_body(
                await read_json(request), local=self.rules.local, meta_strict=self.rules.meta_strict
            )
            if body.to is not None and body.to != thread.recipient:
                problem = {"field": "to", "message": "is not this conversation's customer; leave it out"}
                raise InvalidInputError("to: is not this conversation's customer; leave it out", details=[problem])
            return _answer(request, await self._send(thread, body, fixed["message_id"]), ignored_fields(body))

        fixed = {"message_id": new_hex_id()}
        return await self.idempotency.run(request, owner=thread.user_id, fixed=fixed, work=work)

    async def hand_over(self, request: web.Request) -> web.Response:
        """200: the agent is silent from now on, and an answer that it is making is not sent."""
        return await self._handle(request, "human", (await _optional(request, HandOverBody)).note)

    async def hand_back(self, request: web.Request) -> web.Response:
        """200: the agent answers what comes from now on."""
        return await self._handle(request, "agent", (await _optional(request, HandOverBody)).note)

    async def mark_read(self, request: web.Request) -> web.Response:
        """200: the customer sees that we have read what they wrote."""
        body = await _optional(request, MarkReadBody)
        command = MarkConversationRead(conversation_id=_conversation_id(request), typing=body.typing)
        await self.asking.command(command, look_at="the customer's phone")
        return success(request, message="Conversation marked as read", data_key=False)

    async def _handle(self, request: web.Request, to: Literal["human", "agent"], note: str | None) -> web.Response:
        thread = await self._find(request)

        async def work(_fixed: Fixed) -> web.Response:
            command = HandOverConversation(conversation_id=thread.conversation_id, handled_by=to, by="api", note=note)
            await self.asking.command(command, look_at=f"GET /api/v1/conversations/{thread.conversation_id}")
            return success(request, _conversation(await self._find(request)))

        return await self.idempotency.run(request, owner=thread.user_id, fixed={}, work=work)

    async def _find(self, request: web.Request) -> Conversation:
        return await self.asking.query(GetConversation(conversation_id=_conversation_id(request)))

    async def _send(self, thread: Conversation, body: ReplyBody, message_id: str) -> MessageOutcome:
        command = SendMessage(
            message_id=message_id,
            user_id=thread.user_id,
            phone_number_id=thread.phone_number_id,
            to=thread.recipient,
            content=body.content(),
            source="conversation",
            accepted_at=self.now(),
            conversation_id=thread.conversation_id,
        )
        try:
            return await self.asking.bus.request(command, timeout_seconds=self.send_seconds)
        except ReplyTimeoutError:
            return MessageOutcome(
                message_id=message_id,
                wa_message_id=None,
                conversation_id=thread.conversation_id,
                contact_id=thread.contact.contact_id,
                status="queued",
            )


async def _optional(request: web.Request, model: type[BodyT]) -> BodyT:
    """The body, or what it means to send none."""
    raw = await read_json_bytes(request)
    return validate(model, parse_json(raw) if raw else {})


def _conversation_id(request: web.Request) -> str:
    match = _ID.fullmatch(request.match_info["conversation_id"])
    if match is None:
        raise NotFoundError(_UNKNOWN)
    return match[1]


def _conversation(thread: Conversation) -> dict[str, Any]:
    return {
        "conversation_id": f"conv_{thread.conversation_id}",
        "user_id": thread.user_id,
        "phone_number_id": thread.phone_number_id,
        "channel": thread.channel,
        "contact": thread.contact.model_dump(),
        "window_expires_at": iso_millis(thread.window_expires_at) if thread.window_expires_at else None,
        "handled_by": thread.handled_by,
        "last_message": _message(thread.last_message) if thread.last_message else None,
        "last_message_at": iso_millis(thread.last_message_at),
        "created_at": iso_millis(thread.created_at),
    }


def _message(message: ThreadMessage) -> dict[str, Any]:
    return message.model_dump() | {"at": iso_millis(message.at)}


def _answer(request: web.Request, outcome: MessageOutcome, ignored: tuple[str, ...]) -> web.Response:
    data: dict[str, Any] = {
        "message_id": outcome.message_id,
        "wa_message_id": outcome.wa_message_id,
        "conversation_id": f"conv_{outcome.conversation_id}" if outcome.conversation_id else None,
        "status": outcome.status,
    }
    if warnings := list(dict.fromkeys((*outcome.warnings, *ignored))):
        data["warnings"] = warnings
    if outcome.status == "sent":
        return success(request, data, message="Message sent successfully.")
    if outcome.status == "queued":
        return success(request, data, message=_QUEUED, status=202)
    return failure(request, _refusal(outcome), data=data)


def _refusal(outcome: MessageOutcome) -> Problem:
    if outcome.error is not None:
        return Problem(502, f"{outcome.error.message} (Meta code {outcome.error.code})", "upstream_rejected")
    return Problem(502, f"The message was not sent: {outcome.failure}", outcome.failure or "not_sent")
