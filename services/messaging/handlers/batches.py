"""The campaign lane: batches that come as groups, on a queue of their own."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from services.messaging.dispatch import Calls, linger
from services.messaging.domain.messages import OutboundMessage
from services.messaging.preparation import Numbers, Preparation
from services.messaging.repositories.rates import Grant
from services.messaging.room import Room
from services.messaging.sending import Sending
from services.messaging.sweeper import NUMBER_GONE
from shared.bus.port import Bus
from shared.contracts.messaging import SendBatch
from shared.errors import InvalidInputError, NotFoundError

log = structlog.get_logger()

_LONGEST_TOKEN_WAIT_SECONDS = 1.0  # then the rest of a batch is stored for later, so that the lane is free for others


@dataclass(frozen=True, slots=True)
class BatchHandlers:
    """Idempotent by each message's id. Every recipient of a batch ends in an event, whatever becomes of the batch."""

    bus: Bus
    preparation: Preparation
    sending: Sending
    room: Room
    longest_token_wait_seconds: float = _LONGEST_TOKEN_WAIT_SECONDS

    def register(self) -> None:
        """Take the campaign lane."""
        self.bus.on(SendBatch, self.send_batch)

    async def send_batch(self, batch: SendBatch) -> None:
        """Send a campaign's batch as fast as its number's rate allows."""
        numbers = await self.preparation.list_numbers([batch.phone_number_id])
        try:
            ready, refused = await self.preparation.prepare_batch(batch, numbers)
        except (NotFoundError, InvalidInputError) as error:
            await self._refuse_all(batch, error.message)
            return
        await self.sending.messages.add_failed(refused)
        if numbers[batch.phone_number_id].is_refused:  # its campaign is about to pause; nothing is lost meanwhile
            await self.sending.messages.add_postponed(ready, self.sending.now() + NUMBER_GONE, timedelta(0))
        else:
            await self._send_at_rate(ready, numbers)

    async def _refuse_all(self, batch: SendBatch, reason: str) -> None:
        """Nobody waits for a reply to a batch: its campaign hears of each recipient by event."""
        log.info("batch_refused", campaign_id=batch.campaign_id, reason=reason)
        unsendable = self.preparation.unsendable(batch)
        await self.sending.messages.add_failed([(replace(each, conversation_id=None), reason) for each in unsendable])

    async def _send_at_rate(self, waiting: list[OutboundMessage], numbers: Numbers) -> None:
        waited = 0.0
        while waiting := await self.sending.end_expired(waiting):
            grant, calls = await self._send_some(waiting, numbers)
            waiting = waiting[grant.count :]
            if grant.count:
                await linger(calls)
            elif waited >= self.longest_token_wait_seconds:
                due_at = self.sending.now() + grant.wait
                await self.sending.messages.add_postponed(waiting, due_at, grant.spacing)
                return
            else:
                await asyncio.sleep(grant.wait.total_seconds())
                waited += grant.wait.total_seconds()

    async def _send_some(self, waiting: list[OutboundMessage], numbers: Numbers) -> tuple[Grant, Calls]:
        """Send as many of one number's messages as there is room and rate for; each call gives its room back."""
        room = await self.room.take(len(waiting))
        try:
            grant = await self.sending.take(waiting[0].phone_number_id, room, numbers, "campaign")
            started = await self.sending.send(waiting[: grant.count], numbers, grouped=True) if grant.count else {}
            calls = {call for own in started.values() for call in own}
            for call in calls:
                call.add_done_callback(lambda _: self.room.give_back())
            room -= len(calls)
        finally:
            self.room.give_back(room)
        return grant, calls
