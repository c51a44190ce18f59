"""What both lanes have in common on the way from rendered messages to the send protocol."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from services.messaging.dispatch import Calls, Dispatcher
from services.messaging.domain.messages import OutboundMessage
from services.messaging.domain.states import Timing
from services.messaging.preparation import Numbers
from services.messaging.repositories.messages import MessageRepository
from services.messaging.repositories.rates import Grant, Lane, RateRepository
from services.messaging.repositories.threads import ThreadRepository
from shared.clock import Clock
from shared.contracts.messaging import ContactInput

EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Sending:
    """Time limits, rates, threads, and the way into the protocol by class."""

    messages: MessageRepository
    threads: ThreadRepository
    rates: RateRepository
    dispatcher: Dispatcher
    timing_for: Callable[[str], Timing]
    now: Clock

    async def end_expired(self, messages: Sequence[OutboundMessage]) -> list[OutboundMessage]:
        """Keep what came too late as failed, and return the rest: late is worse than never."""
        now = self.now()
        expired = [message for message in messages if message.expires_at <= now]
        await self.messages.add_failed([(message, EXPIRED) for message in expired])
        return [message for message in messages if message.expires_at > now]

    async def take(self, phone_number_id: str, wanted: int, numbers: Numbers, lane: Lane) -> Grant:
        """Ask for a number's rate tokens."""
        rate = numbers[phone_number_id].messages_per_second
        return await self.rates.take(phone_number_id, wanted, messages_per_second=rate, lane=lane)

    async def send(
        self, messages: Sequence[OutboundMessage], numbers: Numbers, *, grouped: bool = False
    ) -> dict[str, Calls]:
        """Walk new messages into the protocol, each class with its own timing; returns the ids that were ours.

        With `grouped`, those of a class share one document for lease and intent.
        """
        send = self.dispatcher.send_grouped if grouped else self.dispatcher.send_new
        parts: defaultdict[Timing, list[OutboundMessage]] = defaultdict(list)
        for message in messages:
            parts[self.timing_for(message.message_class)].append(message)
        claimed = await asyncio.gather(*(send(part, numbers, timing) for timing, part in parts.items()))
        return {id_: calls for part in claimed for id_, calls in part.items()}

    async def ensure_threads(
        self, messages: Sequence[OutboundMessage], contacts: Mapping[str, ContactInput | None]
    ) -> None:
        """Make sure that each message's contact and conversation exist; `contacts` by message id."""
        by_number: defaultdict[tuple[str, str], dict[str, ContactInput | None]] = defaultdict(dict)
        for message in messages:
            thread = by_number[message.user_id, message.phone_number_id]
            thread[message.to] = contacts.get(message.id) or thread.get(message.to)
        for (user_id, phone_number_id), phones in by_number.items():
            await self.threads.ensure(user_id, phone_number_id, phones)
