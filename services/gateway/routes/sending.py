"""`POST /api/v1/send`, and what became of any message."""

import re
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from services.gateway.routes.asking import Asking
from services.gateway.routes.idempotent import Fixed, Idempotency
from services.gateway.schemas.sending import SendTemplateBody
from shared.clock import Clock
from shared.contracts.content import TemplateByIdContent
from shared.contracts.messaging import GetPhoneNumber, MessageOutcome, PhoneNumber, SendMessage
from shared.contracts.timeline import GetMessageTimeline
from shared.errors import InvalidInputError, NotFoundError, ReplyTimeoutError
from shared.ids import new_hex_id
from shared.web.body import parse_body
from shared.web.envelopes import failure, success
from shared.web.problems import Problem

SEND_SECONDS = 20.0  # after that the caller hears that it is queued, and the rest by webhook

QUEUED = "Message queued: its outcome is not known yet and follows by webhook."
OPTED_OUT = "This contact has opted out of marketing messages"

_MESSAGE_ID = re.compile(r"[A-Za-z0-9_.:+/=-]{1,256}", re.ASCII)  # ours, or a wamid with its base64


@dataclass(frozen=True, slots=True)
class SendingRoutes:
    """Messaging decides; here the shape and the answer are looked after."""

    asking: Asking
    idempotency: Idempotency
    now: Clock
    local: bool  # magic numbers pass
    send_seconds: float = SEND_SECONDS

    def table(self) -> list[web.RouteDef]:
        """What is served where."""
        return [
            web.post("/api/v1/send", self.send_template),
            web.get("/api/v1/messages/{message_id}/timeline", self.show_timeline),
        ]

    async def send_template(self, request: web.Request) -> web.Response:
        """200 sent, 202 not known yet, 402 no credits, 409 opted out, 502 refused by Meta."""
        body = await parse_body(request, SendTemplateBody, context={"local": self.local})
        number = await self.asking.query(GetPhoneNumber(phone_number_id=body.phone_number_id))
        if number.platform != "whatsapp":
            message = "phone_number_id: templates can be sent from WhatsApp phone numbers only"
            raise InvalidInputError(message, details=[{"field": "phone_number_id", "message": message}])

        async def work(fixed: Fixed) -> web.Response:
            return _answer(request, await self._send(body, number, fixed["message_id"]))

        fixed = {"message_id": new_hex_id()}
        return await self.idempotency.run(request, owner=number.user_id, fixed=fixed, work=work)

    async def show_timeline(self, request: web.Request) -> web.Response:
        """200 with every step of a message, by any form of its id."""
        message_id = request.match_info["message_id"]
        if not _MESSAGE_ID.fullmatch(message_id):
            raise NotFoundError("Message not found")
        timeline = await self.asking.query(GetMessageTimeline(message_id=message_id))
        return success(request, timeline.model_dump(mode="json"))

    async def _send(self, body: SendTemplateBody, number: PhoneNumber, message_id: str) -> MessageOutcome:
        values = {key: value for key, value in body.variables.items() if value is not None}
        command = SendMessage(
            message_id=message_id,
            user_id=number.user_id,
            phone_number_id=number.id,
            to=body.contact.phone,
            content=TemplateByIdContent(template_id=body.template_id, values=values),
            contact=body.contact.content(),
            source="dashboard",
            accepted_at=self.now(),
        )
        try:
            return await self.asking.bus.request(command, timeout_seconds=self.send_seconds)
        except ReplyTimeoutError:
            return MessageOutcome(
                message_id=message_id, wa_message_id=None, conversation_id=None, contact_id=None, status="queued"
            )


def _answer(request: web.Request, outcome: MessageOutcome) -> web.Response:
    data: dict[str, Any] = {
        "message_id": outcome.wa_message_id,
        "contact_id": outcome.contact_id,
        "conversation_id": f"conv_{outcome.conversation_id}" if outcome.conversation_id else None,
        "openai_conversation_id": outcome.openai_conversation_id,
        "credits_remaining": outcome.credits_remaining,
        "internal_message_id": outcome.message_id,
    }
    if outcome.warnings:
        data["warnings"] = list(outcome.warnings)
    if outcome.status == "sent":
        return success(request, data)
    if outcome.status == "queued":
        return success(request, data, message=QUEUED, status=202)
    return failure(request, _refusal(outcome), data=data | {"status": "failed"})


def _refusal(outcome: MessageOutcome) -> Problem:
    if outcome.error is not None:
        return Problem(502, f"{outcome.error.message} (Meta code {outcome.error.code})", "upstream_rejected")
    if outcome.failure == "opted_out":
        return Problem(409, OPTED_OUT, "opted_out")
    return Problem(502, f"The message was not sent: {outcome.failure}", outcome.failure or "not_sent")
