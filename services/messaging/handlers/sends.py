"""The one-to-one lane: single messages, grouped as they arrive.

It has a queue of its own, so that a person's message never stands behind a campaign.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.messaging.domain.messages import OutboundMessage, present_outcome
from services.messaging.preparation import NOTHING_RENDERED, Numbers, Preparation, outbound
from services.messaging.repositories.messages import MessageRepository
from services.messaging.sending import Sending
from shared.bus.port import Bus, Received
from shared.contracts.base import ErrorReply
from shared.contracts.messaging import SendMessage
from shared.errors import WaapiError

SETTLE_SECONDS = 0.003  # answers that come this close together are recorded together
_PREPARATION_SECONDS = 0.05  # a message whose template has to be asked for does not hold up the others for longer

Prepared = tuple[Received[SendMessage], OutboundMessage | WaapiError]


@dataclass(frozen=True, slots=True)
class SendHandlers:
    """Idempotent by message id: a repetition is claimed by nobody and is told the present state."""

    bus: Bus
    preparation: Preparation
    messages: MessageRepository
    sending: Sending

    def register(self) -> None:
        """Take the one-to-one lane."""
        self.bus.on_group(SendMessage, self.send_messages)

    async def send_messages(self, group: Sequence[Received[SendMessage]]) -> None:
        """Send what waits in the one-to-one lane."""
        numbers = await self.preparation.list_numbers(received.message.phone_number_id for received in group)
        preparing = {asyncio.create_task(self._prepare(received, numbers)) for received in group}
        try:
            quick, slow = await asyncio.wait(preparing, timeout=_PREPARATION_SECONDS)
            await asyncio.gather(self._send_prepared(quick, numbers), self._send_prepared(slow, numbers))
        finally:
            for task in preparing:
                task.cancel()

    async def _prepare(self, received: Received[SendMessage], numbers: Numbers) -> Prepared:
        try:
            return received, await self.preparation.prepare(received, numbers)
        except WaapiError as error:
            return received, error

    async def _send_prepared(self, preparing: set[asyncio.Task[Prepared]], numbers: Numbers) -> None:
        prepared = await asyncio.gather(*preparing)
        first: dict[str, OutboundMessage] = {}
        for _, message in prepared:
            if isinstance(message, OutboundMessage):
                first.setdefault(message.id, message)
        contacts = {received.message.message_id: received.message.contact for received, _ in prepared}
        claimed, _ = await asyncio.gather(
            self._send_new(list(first.values()), numbers), self.sending.ensure_threads(list(first.values()), contacts)
        )
        await asyncio.gather(
            *(
                self._refuse(received, message)
                if isinstance(message, WaapiError)
                else self._tell_present_state(received)
                for received, message in prepared
                if isinstance(message, WaapiError) or message.id not in claimed or message is not first[message.id]
            )
        )

    async def _send_new(self, messages: list[OutboundMessage], numbers: Numbers) -> set[str]:
        """Send what is new as far as the numbers' rates allow; returns the ids that are taken care of.

        What was there before, and what came too late, is not among them: its caller is told what is stored.
        """
        by_number: defaultdict[str, list[OutboundMessage]] = defaultdict(list)
        for message in await self.sending.end_expired(messages):
            by_number[message.phone_number_id].append(message)
        split = await asyncio.gather(*(self._take_tokens(wanting, numbers) for wanting in by_number.values()))
        granted = [message for going, _ in split for message in going]
        claimed = await self.sending.send(granted, numbers, settle_seconds=SETTLE_SECONDS)
        return claimed.union(*(postponed for _, postponed in split))

    async def _take_tokens(
        self, wanting: list[OutboundMessage], numbers: Numbers
    ) -> tuple[list[OutboundMessage], set[str]]:
        """Split one number's messages into those that may go now, and those that were stored for when it may."""
        grant = await self.sending.take(wanting[0].phone_number_id, len(wanting), numbers, "one_to_one")
        due_at = self.sending.now() + grant.wait
        postponed = await self.messages.add_postponed(wanting[grant.count :], due_at, grant.spacing)
        return wanting[: grant.count], postponed

    async def _refuse(self, received: Received[SendMessage], error: WaapiError) -> None:
        """Tell the caller; when nobody waits any longer, keep the message as failed, so that somebody hears of it."""
        address = received.context.reply
        if await self.messages.find(received.message.message_id) is not None:
            await self._tell_present_state(received)  # it could be sent when it first came
        elif address is not None and address.until > self.sending.now():
            await self.bus.reply(address, ErrorReply.of(error))
        else:
            message = replace(outbound(received, "service", *NOTHING_RENDERED), conversation_id=None)
            await self.messages.add_failed([(message, error.message)])

    async def _tell_present_state(self, received: Received[SendMessage]) -> None:
        address = received.context.reply
        if address is None:
            return
        stored = await self.messages.await_outcome(received.message.message_id, address)
        if stored is not None and stored.is_settled:
            await self.bus.reply(address, present_outcome(stored))
