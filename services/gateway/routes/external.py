"""`/api/external`: sending messages with an API key."""

from dataclasses import dataclass
from itertools import chain
from typing import Any

from aiohttp import web

from services.gateway.domain.api_keys import ApiKey
from services.gateway.domain.permissions import PERMISSION_FOR_TYPE
from services.gateway.domain.phone_ids import decode_phone_id
from services.gateway.routes.api_key_login import ApiKeyLogin
from services.gateway.routes.asking import Asking
from services.gateway.routes.idempotent import Fixed, Idempotency
from services.gateway.routes.parameters import query_flag
from services.gateway.schemas.send import SendBody, ignored_fields, parse_send_body
from shared.clock import Clock
from shared.contracts.messaging import MessageOutcome, RenderMessage, SendMessage
from shared.crashpoints import crash_point
from shared.errors import InvalidInputError, ReplyTimeoutError
from shared.ids import new_hex_id
from shared.web.body import read_json
from shared.web.envelopes import failure, success, upstream_error
from shared.web.problems import Problem

SEND_SECONDS = 20.0  # after that the caller hears "queued", and the rest by webhook

OPTED_OUT = "opted_out"

SENT = "Message sent successfully."
RENDERED = "Dry run: nothing was sent."
QUEUED = "Message queued: its outcome is not known yet and follows by webhook."


@dataclass(frozen=True, slots=True)
class BodyRules:
    """What the environment changes about a send's body."""

    local: bool = False  # loopback links and magic numbers pass
    meta_strict: bool = False  # what Meta's pages forbid is refused here, although the API document allows it


@dataclass(frozen=True, slots=True)
class ExternalRoutes:
    """One route for all message types. Messaging decides; here the key, the shape and the answer are looked after."""

    login: ApiKeyLogin
    idempotency: Idempotency
    asking: Asking
    now: Clock
    rules: BodyRules
    send_seconds: float = SEND_SECONDS

    def table(self) -> list[web.RouteDef]:
        """What is served where."""
        return [web.post("/api/external/send-message/{encoded_phone_id}", self.send_message)]

    async def send_message(self, request: web.Request) -> web.Response:
        """200 sent, 202 not known yet, 502 refused by Meta; with `dry_run=true` 200 and what Meta would get."""
        key = await self.login.caller(request)
        key.require_number(decode_phone_id(request.match_info["encoded_phone_id"]))
        if query_flag(request, "dry_run"):
            # An Idempotency-Key is only checked: kept, it would make the real request a repetition of this one.
            self.idempotency.check_key(request)
            return await self._render(request, key, await self._body(request, key))

        async def work(fixed: Fixed) -> web.Response:
            body = await self._body(request, key)
            return await self._send(request, key, body, fixed["message_id"])

        fixed = {"message_id": new_hex_id()}
        return await self.idempotency.run(request, owner=key.key_id, fixed=fixed, work=work)

    async def _render(self, request: web.Request, key: ApiKey, body: SendBody) -> web.Response:
        query = RenderMessage(
            user_id=key.user_id, phone_number_id=key.phone_number_id, to=body.to, content=body.content()
        )
        rendered = await self.asking.query(query)
        data: dict[str, Any] = {"dry_run": True, "payload": rendered.payload}
        return success(request, _warned(data, rendered.warnings, ignored_fields(body)), message=RENDERED)

    async def _body(self, request: web.Request, key: ApiKey) -> SendBody:
        """The body; the permission for its type is looked at before the rest of it."""
        value = await read_json(request)
        kind = value.get("type") if isinstance(value, dict) else None
        if isinstance(kind, str) and kind in PERMISSION_FOR_TYPE:
            key.require_permission(PERMISSION_FOR_TYPE[kind])
        if key.platform != "whatsapp":
            raise InvalidInputError("Messages can be sent from WhatsApp phone numbers only", code="not_whatsapp")
        return parse_send_body(value, local=self.rules.local, meta_strict=self.rules.meta_strict)

    async def _send(self, request: web.Request, key: ApiKey, body: SendBody, message_id: str) -> web.Response:
        command = SendMessage(
            message_id=message_id,
            user_id=key.user_id,
            phone_number_id=key.phone_number_id,
            to=body.to,
            content=body.content(),
            contact=body.contact.content() if body.contact else None,
            source="external_api",
            accepted_at=self.now(),
        )
        crash_point("gateway.requested")
        try:
            outcome = await self.asking.bus.request(command, timeout_seconds=self.send_seconds)
        except ReplyTimeoutError:
            outcome = _unknown_yet(message_id)
        crash_point("gateway.replied")
        return _answer(request, outcome, ignored_fields(body))


def _unknown_yet(message_id: str) -> MessageOutcome:
    return MessageOutcome(
        message_id=message_id, wa_message_id=None, conversation_id=None, contact_id=None, status="queued"
    )


def _answer(request: web.Request, outcome: MessageOutcome, ignored: tuple[str, ...]) -> web.Response:
    data: dict[str, Any] = {
        "message_id": outcome.message_id,
        "wa_message_id": outcome.wa_message_id,
        "conversation_id": outcome.conversation_id,
        "status": outcome.status,
    }
    data = _warned(data, outcome.warnings, ignored)
    if outcome.status == "failed":
        del data["wa_message_id"]
        return _refused(request, outcome, data)
    if outcome.status == "queued":
        return success(request, data, message=QUEUED, status=202)
    return success(request, data, message=SENT)


def _warned(data: dict[str, Any], *warnings: tuple[str, ...]) -> dict[str, Any]:
    """The data with every warning once, or without the key when there is none."""
    found = list(dict.fromkeys(chain.from_iterable(warnings)))
    return data | ({"warnings": found} if found else {})


def _refused(request: web.Request, outcome: MessageOutcome, data: dict[str, Any]) -> web.Response:
    """502: Meta's own words where it gave some, else why the message was never sent; 400 where no try could help."""
    if outcome.error is None and outcome.failure == OPTED_OUT:
        return failure(request, Problem(400, "The recipient has opted out of marketing messages", OPTED_OUT), data=data)
    if outcome.error is not None:
        error, code = upstream_error(**outcome.error.model_dump()), "upstream_rejected"
    else:
        error, code = upstream_error(f"The message was not sent: {outcome.failure}"), outcome.failure or "not_sent"
    return failure(request, Problem(502, error["message"], code), error=error, data=data)
