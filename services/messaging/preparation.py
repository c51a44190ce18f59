"""Everything that may refuse a message, before the first write: number, template, rendering."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

import orjson

from services.messaging.domain.ledger import run_entry_id
from services.messaging.domain.messages import OutboundMessage, contact_id, conversation_id
from services.messaging.domain.payloads import Renderable, graph_payload
from services.messaging.domain.payloads_reply import reply_payload
from services.messaging.domain.states import MessageClass, policy_for
from services.messaging.domain.templates import ApprovedTemplate
from services.messaging.domain.variables import ContactFields, VariableSchema, content_of, parts_of, resolve
from services.messaging.recent_numbers import RecentNumbers
from services.messaging.repositories.contacts import ContactRepository
from services.messaging.repositories.numbers import SendingNumber
from services.messaging.template_lookup import UNKNOWN_TEMPLATE, FoundTemplate, TemplateLookup
from shared.bus.port import Received
from shared.clock import Clock
from shared.contracts.content import CarouselTemplateContent, MessageContent, TemplateByIdContent, TemplateContent
from shared.contracts.messaging import (
    BatchMessage,
    ContactInput,
    RenderedMessage,
    RenderMessage,
    SendBatch,
    SendMessage,
)
from shared.errors import ConflictError, InvalidInputError, NotFoundError

Numbers = dict[str, SendingNumber]
Rendering = tuple[bytes, tuple[str, ...]]  # Meta's JSON without the opaque data, and warnings for the caller

NOTHING_RENDERED: Rendering = (b"{}", ())


@dataclass(frozen=True, slots=True)
class Preparation:
    """Turns commands into rendered messages, or into the error their caller is told."""

    numbers: RecentNumbers
    templates: TemplateLookup
    contacts: ContactRepository
    now: Clock

    async def list_numbers(self, phone_number_ids: Iterable[str]) -> Numbers:
        """The numbers that a group of messages is sent from."""
        return await self.numbers.list_sending(set(phone_number_ids))

    async def prepare(self, received: Received[SendMessage], numbers: Numbers) -> OutboundMessage:
        """Render one message. Raises NotFoundError or InvalidInputError; nothing is stored by then."""
        command = received.message
        if (reply := self._reply(command, numbers)) is not None:
            return outbound(received, "service", orjson.dumps(reply), ())
        number = _whatsapp_number(numbers, command.phone_number_id, command.user_id)
        _require_token(number)
        template, rendering = await self._fit_any(number, command.to, command.content, command.contact)
        return outbound(received, _class_of(template), *rendering, _id_of(template))

    def _reply(self, command: SendMessage, numbers: Numbers) -> dict[str, Any] | None:
        """What goes into a conversation of another channel; None for WhatsApp, which knows more than text."""
        number = numbers.get(command.phone_number_id)
        if number is None or number.access.platform == "whatsapp" or command.conversation_id is None:
            return None
        if number.access.platform == "instagram":
            _require_token(number)
        return reply_payload(number.access.platform, command.to, command.content)

    async def render(self, query: RenderMessage) -> RenderedMessage:
        """What would be posted to Meta, without asking Meta anything. Raises as `prepare` does."""
        numbers = await self.list_numbers([query.phone_number_id])
        number = _whatsapp_number(numbers, query.phone_number_id, query.user_id)
        _, (payload, warnings) = await self._fit_any(number, query.to, query.content, None, may_ask_meta=False)
        return RenderedMessage(payload=orjson.loads(payload), warnings=warnings)

    async def find_template(self, user_id: str, phone_number_id: str, template_id: str) -> FoundTemplate:
        """What a template by our id needs when it is sent from a number. Raises as `prepare` does."""
        number = _whatsapp_number(await self.list_numbers([phone_number_id]), phone_number_id, user_id)
        return await self.templates.get(number.access, template_id)

    async def prepare_batch(
        self, batch: SendBatch, numbers: Numbers
    ) -> tuple[list[OutboundMessage], list[tuple[OutboundMessage, str]]]:
        """Render a batch of one template: what can be sent, and what cannot with the reason.

        Raises NotFoundError or InvalidInputError when the batch as a whole cannot be sent.
        """
        number = _whatsapp_number(numbers, batch.phone_number_id, batch.user_id)
        content = batch.content
        if isinstance(content, TemplateByIdContent):
            template: ApprovedTemplate | None = (await self.templates.get(number.access, content.template_id)).approved
        else:
            template = await self._resolve(number, content)
        shared = _class_of(template), _id_of(template)
        ready: list[OutboundMessage] = []
        refused: list[tuple[OutboundMessage, str]] = []
        for item in batch.items:
            try:
                rendered = self._render(item.to, _content_for(content, item, template), template)
            except InvalidInputError as error:
                unsendable = _batch_message(batch, item, shared, NOTHING_RENDERED, self.now())
                refused.append((unsendable, error.message))
            else:
                ready.append(_batch_message(batch, item, shared, rendered, self.now()))
        return ready, refused

    def unsendable(self, batch: SendBatch) -> list[OutboundMessage]:
        """The messages of a batch that cannot be sent as a whole."""
        return [_batch_message(batch, item, ("service", None), NOTHING_RENDERED, self.now()) for item in batch.items]

    async def _fit_any(
        self,
        number: SendingNumber,
        to: str,
        content: MessageContent,
        contact: ContactInput | None,
        *,
        may_ask_meta: bool = True,
    ) -> tuple[ApprovedTemplate | None, Rendering]:
        if isinstance(content, TemplateByIdContent):
            return await self._fit_by_id(number, to, content, contact)
        return await self._fit(number, to, content, may_ask_meta=may_ask_meta)

    async def _fit_by_id(
        self, number: SendingNumber, to: str, content: TemplateByIdContent, given: ContactInput | None
    ) -> tuple[ApprovedTemplate, Rendering]:
        """As `_fit`, with each value from where it is to come from."""
        user_id = number.access.user_id
        found = await self.templates.get(number.access, content.template_id)
        contact = await self._contact_fields(user_id, to, given, found.variables)
        values, problems = resolve(found.variables, content.values, contact)
        if problems:
            found = await self.templates.get(number.access, content.template_id, newest=True)
            values, problems = resolve(found.variables, content.values, contact)
        if found.variables.unsendable is not None:
            raise InvalidInputError(f"template_id: {found.variables.unsendable}", code="template_not_sendable")
        if problems:
            details = [{"field": problem.field, "message": problem.message} for problem in problems]
            raise InvalidInputError("; ".join(map(str, problems)), code=problems[0].code, details=details)
        return found.approved, self._render(to, content_of(found.approved, values), found.approved)

    async def _contact_fields(
        self, user_id: str, phone: str, given: ContactInput | None, variables: VariableSchema
    ) -> ContactFields:
        told = given.model_dump(exclude_none=True) if given is not None else {}
        if variables.fields_used <= {"phone", *told}:
            return ContactFields(phone=phone, **told)
        known = (await self.contacts.find_fields(user_id, [phone])).get(phone, ContactFields())
        return replace(known, phone=phone, **told)

    async def _fit(
        self, number: SendingNumber, to: str, content: Renderable, *, may_ask_meta: bool = True
    ) -> tuple[ApprovedTemplate | None, Rendering]:
        """The template and the rendering. What does not fit our copy may still fit what the template is by now."""
        try:
            template = await self._resolve(number, content, may_ask_meta=may_ask_meta)
            return template, self._render(to, content, template)
        except InvalidInputError as error:
            if not isinstance(content, TemplateContent | CarouselTemplateContent) or error.code == UNKNOWN_TEMPLATE:
                raise
            if not await self.templates.ask_again(number.access, content):
                raise
        template = await self._resolve(number, content, may_ask_meta=may_ask_meta)
        return template, self._render(to, content, template)

    async def _resolve(
        self, number: SendingNumber, content: Renderable, *, may_ask_meta: bool = True
    ) -> ApprovedTemplate | None:
        if isinstance(content, TemplateContent | CarouselTemplateContent):
            return await self.templates.resolve(number.access, content, may_ask_meta=may_ask_meta)
        return None

    def _render(self, to: str, content: Renderable, template: ApprovedTemplate | None) -> Rendering:
        rendered = graph_payload(to, content, template, now_ms=int(self.now().timestamp() * 1000))
        return orjson.dumps(rendered.payload), rendered.warnings


def outbound(
    received: Received[SendMessage],
    message_class: MessageClass,
    payload: bytes,
    warnings: tuple[str, ...],
    template_id: str | None = None,
) -> OutboundMessage:
    """The message that a command asks for."""
    command = received.message
    return OutboundMessage(
        id=command.message_id,
        user_id=command.user_id,
        phone_number_id=command.phone_number_id,
        conversation_id=conversation_id(command.phone_number_id, command.to),
        contact_id=contact_id(command.user_id, command.to),
        to=command.to,
        type=_type_of(command.content),
        message_class=message_class,
        source=command.source,
        payload=payload,
        accepted_at=command.accepted_at,
        expires_at=command.accepted_at + policy_for(message_class).time_to_live,
        warnings=warnings,
        template_id=template_id,
        reply=received.context.reply,
    )


def _batch_message(
    batch: SendBatch, item: BatchMessage, shared: tuple[MessageClass, str | None], rendered: Rendering, now: datetime
) -> OutboundMessage:
    message_class, template_id = shared
    payload, warnings = rendered
    return OutboundMessage(
        id=item.message_id,
        user_id=batch.user_id,
        phone_number_id=batch.phone_number_id,
        conversation_id=conversation_id(batch.phone_number_id, item.to),
        contact_id=contact_id(batch.user_id, item.to),
        to=item.to,
        type=_type_of(batch.content),
        message_class=message_class,
        source="campaign",
        payload=payload,
        accepted_at=now,
        expires_at=batch.expires_at,
        warnings=warnings,
        campaign_id=batch.campaign_id,
        recipient_id=item.recipient_id,
        template_id=template_id,
        credit=run_entry_id(batch.campaign_id, batch.round if batch.run is None else batch.run),
    )


def _content_for(content: MessageContent, item: BatchMessage, template: ApprovedTemplate | None) -> Renderable:
    """The template with what its recipient adds to the values that all of them share."""
    if isinstance(content, TemplateByIdContent):
        return content_of(cast("ApprovedTemplate", template), {**content.values, **item.variables})
    if not item.variables or not isinstance(content, TemplateContent | CarouselTemplateContent):
        return content
    shared = content.variables if isinstance(content.variables, dict) else {}
    if (
        template is None
        or isinstance(content, CarouselTemplateContent)
        or not any("." in key for key in item.variables)
    ):
        return content.model_copy(update={"variables": shared | item.variables})
    body, header, buttons = parts_of(template, item.variables)
    others = {"header": header or content.header, "buttons": buttons or content.buttons}
    return content.model_copy(update={"variables": shared | body} | others)


def _type_of(content: MessageContent) -> str:
    return "template" if isinstance(content, TemplateByIdContent) else content.type


def _require_token(number: SendingNumber) -> None:
    if number.is_refused:
        raise ConflictError(
            "Meta no longer takes this phone number's access token; update access_token to send again",
            code="phone_number_paused",
        )


def _whatsapp_number(numbers: Numbers, phone_number_id: str, user_id: str) -> SendingNumber:
    number = numbers.get(phone_number_id)
    if number is None or number.access.user_id != user_id:
        raise NotFoundError("Phone number not found")
    if number.access.platform != "whatsapp":
        raise InvalidInputError("This phone number is not a WhatsApp number", code="not_a_whatsapp_number")
    return number


def _id_of(template: ApprovedTemplate | None) -> str | None:
    return None if template is None else template.template_id


def _class_of(template: ApprovedTemplate | None) -> MessageClass:
    if template is None:
        return "service"
    category: Any = template.category.lower()
    return cast("MessageClass", category) if category in {"authentication", "marketing", "utility"} else "utility"
