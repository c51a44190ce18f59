"""The one-to-one lane: single messages, each on its own way; what several need at the same moment is done together.

It has a queue of its own, so that a person's message never stands behind a campaign.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.messaging.dispatch import Calls, linger
from services.messaging.domain.messages import OutboundMessage, present_outcome
from services.messaging.domain.states import UNKNOWN
from services.messaging.handlers.webchat import WebchatSends
from services.messaging.ledger import Ledger
from services.messaging.preparation import NOTHING_RENDERED, Numbers, Preparation, outbound
from services.messaging.replies import Replies
from services.messaging.repositories.messages import MessageRepository
from services.messaging.repositories.numbers import SendingNumber
from services.messaging.room import Room
from services.messaging.sending import Sending
from services.messaging.windows import Windows
from shared.bus.port import Bus, Received
from shared.contracts.base import ErrorReply
from shared.contracts.messaging import ContactInput, SendMessage
from shared.errors import WaapiError
from shared.gathering import Gathering

_TOGETHER = 50

_Surroundings = tuple[Numbers, dict[str, datetime]]  # our numbers, and when windows close, by thread


@dataclass(frozen=True, slots=True)
class _Ready:
    """A message that nothing stands against."""

    message: OutboundMessage
    number: SendingNumber
    contact: ContactInput | None


@dataclass(frozen=True, slots=True)
class SendHandlers:
    """Idempotent by message id: a repetition is claimed by nobody and is told the present state."""

    bus: Bus
    preparation: Preparation
    messages: MessageRepository
    sending: Sending
    ledger: Ledger
    replies: Replies
    webchat: WebchatSends
    windows: Windows
    room: Room
    metered: frozenset[str] = frozenset({"dashboard"})  # the sources whose messages cost a credit each
    _surroundings: Gathering[tuple[str, str | None], _Surroundings] = field(init=False)
    _admission: Gathering[_Ready, Calls | None] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_surroundings", Gathering(self._look_around, limit=_TOGETHER))
        object.__setattr__(self, "_admission", Gathering(self._admit, limit=_TOGETHER))

    def register(self) -> None:
        """Take the one-to-one lane."""
        self.bus.on_group(SendMessage, self.send_messages)

    async def send_messages(self, group: Sequence[Received[SendMessage]]) -> None:
        """Send what waits in the one-to-one lane."""
        self.room.people_came()
        started = await asyncio.gather(*map(self._send, group), return_exceptions=True)
        for error in (each for each in started if isinstance(each, BaseException)):
            raise error
        await linger({call for calls in started if not isinstance(calls, BaseException) for call in calls})

    async def _send(self, received: Received[SendMessage]) -> Calls:
        """Answer what cannot be sent; returns the call of what can."""
        phone_number_id = received.message.phone_number_id
        thread_id = self.windows.thread_of(received.message)
        numbers, ends = await self._surroundings.add((phone_number_id, thread_id))
        try:
            prepared = await self.preparation.prepare(received, numbers)
            checked = await self.windows.checked(prepared, numbers[phone_number_id], thread_id, ends)
            message = await self._paid(await self.replies.place(received.message, checked))
        except WaapiError as error:
            await self._refuse(received, error)
            return set()
        if numbers[phone_number_id].access.platform == "webchat":
            await self._keep_in_webchat(received, message)
            return set()
        calls = await self._admission.add(_Ready(message, numbers[phone_number_id], received.message.contact))
        if calls is None:
            await self._tell_present_state(received)
        return calls or set()

    async def _keep_in_webchat(self, received: Received[SendMessage], message: OutboundMessage) -> None:
        told = await self.webchat.send(message)
        if received.context.reply is not None:
            await self.bus.reply(received.context.reply, told)

    async def _paid(self, message: OutboundMessage) -> OutboundMessage:
        """The message, a credit set aside for it if it costs one: before it is stored, and once for its id."""
        if message.source not in self.metered:
            return message
        free = await self.ledger.reserve_message(message.user_id, message.id)
        return replace(message, credits_remaining=free)

    async def _look_around(self, places: Sequence[tuple[str, str | None]]) -> list[_Surroundings]:
        """The numbers and the windows of a group of messages, read at the same moment."""
        found = await asyncio.gather(
            self.preparation.list_numbers({number for number, _ in places}),
            self.windows.list_ends([thread for _, thread in places]),
        )
        return [found] * len(places)

    async def _admit(self, group: Sequence[_Ready]) -> list[Calls | None]:
        """Bring a group into the send protocol; returns each message's call, none for one that waits for its rate.

        None stands for a message that was there before, or came too late: its caller is told what is stored.
        """
        first: dict[str, _Ready] = {}
        for ready in group:
            first.setdefault(ready.message.id, ready)
        await self.sending.ensure_threads(
            [ready.message for ready in first.values()], {id_: ready.contact for id_, ready in first.items()}
        )
        admitted = await self._send_new(list(first.values()))
        return [admitted.get(ready.message.id) if first[ready.message.id] is ready else None for ready in group]

    async def _send_new(self, group: list[_Ready]) -> dict[str, Calls]:
        numbers = {ready.message.phone_number_id: ready.number for ready in group}
        by_number: defaultdict[str, list[OutboundMessage]] = defaultdict(list)
        for message in await self.sending.end_expired([ready.message for ready in group]):
            by_number[message.phone_number_id].append(message)
        split = await asyncio.gather(*(self._take_tokens(each, numbers) for each in by_number.values()))
        started = await self.sending.send([message for going, _ in split for message in going], numbers)
        return started | {id_: set() for _, postponed in split for id_ in postponed}

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
        elif received.message.based_on_sequence is not None:
            return  # an answer that nobody waits for, and that is of no use any more: its turn looks again by itself
        else:
            message = replace(outbound(received, "service", *NOTHING_RENDERED), conversation_id=None)
            await self.messages.add_failed([(message, error.message)])

    async def _tell_present_state(self, received: Received[SendMessage]) -> None:
        address = received.context.reply
        if address is None:
            return
        stored = await self.messages.await_outcome(received.message.message_id, address)
        # An answer of an agent's keeps its conversation waiting: that only Meta knows of it has to do.
        is_answer = received.message.based_on_sequence is not None
        if stored is not None and (stored.is_settled or (is_answer and stored.state == UNKNOWN)):
            await self.bus.reply(address, present_outcome(stored))
