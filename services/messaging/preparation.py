"""Everything that may refuse a message, before the first write: number, template, rendering."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import orjson

from services.messaging.domain.messages import OutboundMessage, contact_id, conversation_id
from services.messaging.domain.payloads import graph_payload
from services.messaging.domain.states import MessageClass, policy_for
from services.messaging.domain.templates import ApprovedTemplate
from services.messaging.repositories.numbers import NumberRepository, SendingNumber
from services.messaging.template_lookup import UNKNOWN_TEMPLATE, TemplateLookup
from shared.bus.port import Received
from shared.clock import Clock
from shared.contracts.content import CarouselTemplateContent, MessageContent, TemplateContent
from shared.contracts.messaging import BatchMessage, RenderedMessage, RenderMessage, SendBatch, SendMessage
from shared.errors import InvalidInputError, NotFoundError

Numbers = dict[str, SendingNumber]
Rendering = tuple[bytes, tuple[str, ...]]  # Meta's JSON without the opaque data, and warnings for the caller

NOTHING_RENDERED: Rendering = (b"{}", ())


@dataclass(frozen=True, slots=True)
class Preparation:
    """Turns commands into rendered messages, or into the error their caller is told."""

    numbers: NumberRepository
    templates: TemplateLookup
    now: Clock

    async def list_numbers(self, phone_number_ids: Iterable[str]) -> Numbers:
        """The numbers that a group of messages is sent from."""
        return await self.numbers.list_sending(set(phone_number_ids))

    async def prepare(self, received: Received[SendMessage], numbers: Numbers) -> OutboundMessage:
        """Render one message. Raises NotFoundError or InvalidInputError; nothing is stored by then."""
        command = received.message
        number = _whatsapp_number(numbers, command.phone_number_id, command.user_id)
        template, (payload, warnings) = await self._fit(number, command.to, command.content)
        return outbound(received, _class_of(template), payload, warnings, _id_of(template))

    async def render(self, query: RenderMessage) -> RenderedMessage:
        """What would be posted to Meta, without asking Meta anything. Raises as `prepare` does."""
        numbers = await self.list_numbers([query.phone_number_id])
        number = _whatsapp_number(numbers, query.phone_number_id, query.user_id)
        _, (payload, warnings) = await self._fit(number, query.to, query.content, may_ask_meta=False)
        return RenderedMessage(payload=orjson.loads(payload), warnings=warnings)

    async def prepare_batch(
        self, batch: SendBatch, numbers: Numbers
    ) -> tuple[list[OutboundMessage], list[tuple[OutboundMessage, str]]]:
        """Render a batch of one template: what can be sent, and what cannot with the reason.

        Raises NotFoundError or InvalidInputError when the batch as a whole cannot be sent.
        """
        number = _whatsapp_number(numbers, batch.phone_number_id, batch.user_id)
        template = await self._resolve(number, batch.content)
        shared = _class_of(template), _id_of(template)
        ready: list[OutboundMessage] = []
        refused: list[tuple[OutboundMessage, str]] = []
        for item in batch.items:
            try:
                rendered = self._render(item.to, _content_for(batch.content, item), template)
            except InvalidInputError as error:
                unsendable = _batch_message(batch, item, shared, NOTHING_RENDERED, self.now())
                refused.append((unsendable, error.message))
            else:
                ready.append(_batch_message(batch, item, shared, rendered, self.now()))
        return ready, refused

    def unsendable(self, batch: SendBatch) -> list[OutboundMessage]:
        """The messages of a batch that cannot be sent as a whole."""
        return [_batch_message(batch, item, ("service", None), NOTHING_RENDERED, self.now()) for item in batch.items]

    async def _fit(
        self, number: SendingNumber, to: str, content: MessageContent, *, may_ask_meta: bool = True
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
        self, number: SendingNumber, content: MessageContent, *, may_ask_meta: bool = True
    ) -> ApprovedTemplate | None:
        if isinstance(content, TemplateContent | CarouselTemplateContent):
            return await self.templates.resolve(number.access, content, may_ask_meta=may_ask_meta)
        return None

    def _render(self, to: str, content: MessageContent, template: ApprovedTemplate | None) -> Rendering:
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
        type=command.content.type,
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
        type=batch.content.type,
        message_class=message_class,
        source="campaign",
        payload=payload,
        accepted_at=now,
        expires_at=batch.expires_at,
        warnings=warnings,
        campaign_id=batch.campaign_id,
        recipient_id=item.recipient_id,
        template_id=template_id,
    )


def _content_for(content: MessageContent, item: BatchMessage) -> MessageContent:
    """The template with what its recipient adds to the values that all of them share."""
    if not item.variables or not isinstance(content, TemplateContent | CarouselTemplateContent):
        return content
    shared = content.variables if isinstance(content.variables, dict) else {}
    return content.model_copy(update={"variables": shared | item.variables})


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
