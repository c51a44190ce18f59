"""The two lanes: one-to-one sends, grouped as they arrive, and campaign batches, which come as groups.

Each lane has its own queue, so that a person's message never stands behind a campaign.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from services.messaging.dispatch import Dispatcher
from services.messaging.domain.messages import OutboundMessage, present_outcome
from services.messaging.domain.states import Timing
from services.messaging.preparation import NOTHING_RENDERED, Numbers, Preparation, outbound
from services.messaging.repositories.messages import MessageRepository
from services.messaging.repositories.rates import RateRepository
from services.messaging.repositories.threads import ThreadRepository
from shared.bus.port import Bus, Received
from shared.clock import Clock
from shared.contracts.base import ErrorReply
from shared.contracts.messaging import ContactInput, SendBatch, SendMessage
from shared.errors import WaapiError

log = structlog.get_logger()

ONE_TO_ONE_SETTLE_SECONDS = 0.003  # answers that come this close together are recorded together
CAMPAIGN_SETTLE_SECONDS = 0.25  # a hanging call delays its batch's results by no more
_LONGEST_TOKEN_WAIT_SECONDS = 30.0  # then the rest of a batch is stored for later


@dataclass(frozen=True, slots=True)
class SendHandlers:
    """Idempotent by message id: a repetition is claimed by nobody and is told the present state."""

    bus: Bus
    preparation: Preparation
    messages: MessageRepository
    threads: ThreadRepository
    rates: RateRepository
    dispatcher: Dispatcher
    timing_for: Callable[[str], Timing]
    now: Clock

    def register(self) -> None:
        """Take both lanes."""
        self.bus.on_group(SendMessage, self.send_messages)
        self.bus.on(SendBatch, self.send_batch)

    async def send_messages(self, group: Sequence[Received[SendMessage]]) -> None:
        """Send what waits in the one-to-one lane."""
        numbers = await self.preparation.list_numbers(received.message.phone_number_id for received in group)
        ready: dict[str, OutboundMessage] = {}
        repeated: list[Received[SendMessage]] = []
        for received in group:
            try:
                message = await self.preparation.prepare(received, numbers)
            except WaapiError as error:
                await self._refuse(received, error)
                continue
            if message.id in ready:
                repeated.append(received)
            ready.setdefault(message.id, message)
        claimed = await self._send_ready(group, ready, numbers)
        repeated += [r for r in group if r.message.message_id in ready and r.message.message_id not in claimed]
        for received in repeated:
            await self._tell_present_state(received)

    async def _send_ready(
        self, group: Sequence[Received[SendMessage]], ready: dict[str, OutboundMessage], numbers: Numbers
    ) -> set[str]:
        """Send the prepared messages as far as their numbers' rates allow; returns the ids that are taken care of."""
        contacts = {received.message.message_id: received.message.contact for received in group}
        granted, postponed = await self._take_tokens(list(ready.values()), numbers)
        steps = [self._ensure_threads(list(ready.values()), contacts)]
        claimed = await asyncio.gather(
            *(
                self.dispatcher.send_new(part, numbers, timing, settle_seconds=ONE_TO_ONE_SETTLE_SECONDS)
                for timing, part in self._by_timing(granted)
            ),
            *steps,
        )
        return {id_ for part in claimed if part for id_ in part} | postponed

    async def _take_tokens(
        self, messages: list[OutboundMessage], numbers: Numbers
    ) -> tuple[list[OutboundMessage], set[str]]:
        """Split the messages into those that may go now, and those that were stored for when their number may."""
        by_number: defaultdict[str, list[OutboundMessage]] = defaultdict(list)
        for message in messages:
            by_number[message.phone_number_id].append(message)
        granted: list[OutboundMessage] = []
        postponed: set[str] = set()
        for phone_number_id, wanting in by_number.items():
            grant = await self.rates.take(
                phone_number_id,
                len(wanting),
                messages_per_second=numbers[phone_number_id].messages_per_second,
                lane="one_to_one",
            )
            granted += wanting[: grant.count]
            if rest := wanting[grant.count :]:
                await self.messages.add_postponed(rest, self.now() + grant.wait)
                postponed |= {message.id for message in rest}
        return granted, postponed

    async def _ensure_threads(
        self, messages: Sequence[OutboundMessage], contacts: dict[str, ContactInput | None]
    ) -> None:
        by_number: defaultdict[tuple[str, str], dict[str, ContactInput | None]] = defaultdict(dict)
        for message in messages:
            thread = by_number[message.user_id, message.phone_number_id]
            thread[message.to] = contacts.get(message.id) or thread.get(message.to)
        for (user_id, phone_number_id), phones in by_number.items():
            await self.threads.ensure(user_id, phone_number_id, phones)

    def _by_timing(self, messages: Sequence[OutboundMessage]) -> list[tuple[Timing, list[OutboundMessage]]]:
        parts: defaultdict[Timing, list[OutboundMessage]] = defaultdict(list)
        for message in messages:
            parts[self.timing_for(message.message_class)].append(message)
        return list(parts.items())

    async def _refuse(self, received: Received[SendMessage], error: WaapiError) -> None:
        """Tell the caller; when nobody waits any longer, keep the message as failed, so that somebody hears of it."""
        address = received.context.reply
        if address is not None and address.until > self.now():
            await self.bus.reply(address, ErrorReply.of(error))
            return
        message = outbound(received, "service", *NOTHING_RENDERED)
        await self.messages.add_failed(message, error.message)

    async def _tell_present_state(self, received: Received[SendMessage]) -> None:
        address = received.context.reply
        if address is None:
            return
        stored = await self.messages.await_outcome(received.message.message_id, address)
        if stored is not None and stored.is_settled:
            await self.bus.reply(address, present_outcome(stored))

    async def send_batch(self, batch: SendBatch) -> None:
        """Send a campaign's batch as fast as its number's rate allows."""
        numbers = await self.preparation.list_numbers([batch.phone_number_id])
        ready, refused = await self.preparation.prepare_batch(batch, numbers)
        for message, reason in refused:
            await self.messages.add_failed(message, reason)
        await self._ensure_threads(ready, {})
        await self._send_at_rate(ready, numbers)

    async def _send_at_rate(self, waiting: list[OutboundMessage], numbers: Numbers) -> None:
        waited = 0.0
        while waiting:
            number = numbers[waiting[0].phone_number_id]
            grant = await self.rates.take(
                number.access.phone_number_id,
                len(waiting),
                messages_per_second=number.messages_per_second,
                lane="campaign",
            )
            going, waiting = waiting[: grant.count], waiting[grant.count :]
            for timing, part in self._by_timing(going):
                await self.dispatcher.send_new(part, numbers, timing, settle_seconds=CAMPAIGN_SETTLE_SECONDS)
            if waiting and waited > _LONGEST_TOKEN_WAIT_SECONDS:
                await self.messages.add_postponed(waiting, self.now() + grant.wait)
                return
            await asyncio.sleep(grant.wait.total_seconds())
            waited += grant.wait.total_seconds()
