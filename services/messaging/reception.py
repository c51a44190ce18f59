"""What comes in, from the store to the events that tell of it.

The order is the promise: a message is stored, its contact and its conversation take it, and only then is it told; what
it says of consent is acted on before that. Every step may be repeated, and `wake_at` on the document brings back what a
crash has left undone.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from services.messaging.domain.inbound import InboundMessage, received_item
from services.messaging.domain.taps import TappedMessage, clicked_button, tap_of
from services.messaging.repositories.conversations import ConversationRepository, Thread
from services.messaging.repositories.inbound import InboundRepository
from services.messaging.repositories.senders import SenderRepository
from services.messaging.repositories.webchat import WebchatRepository, line_of
from shared.bus.port import Bus
from shared.contracts.conversations import ButtonsClicked, ClickedButton, MessagesReceived

log = structlog.get_logger()

_FOLLOWED_UP_TOGETHER = 200


class Listener(Protocol):
    """Acts on what customers say, before anybody is told."""

    async def hear(self, messages: Sequence[InboundMessage]) -> Collection[str]:
        """Act, idempotently; returns the ids of messages that no agent has to answer."""


@dataclass(frozen=True, slots=True)
class Reception:
    """Carries messages that somebody has addressed to us through all steps."""

    bus: Bus
    inbound: InboundRepository
    conversations: ConversationRepository
    senders: SenderRepository
    webchat: WebchatRepository
    listener: Listener

    async def take(self, messages: Sequence[InboundMessage]) -> None:
        """Store messages and do all that follows; what was done before is left alone."""
        if messages:
            new, left = await self.inbound.add_once(messages)
            await self._follow_up(left, new)

    async def follow_up(self) -> None:
        """Take up what a crash has left, and taps whose message may be known by now."""
        await self._follow_up(await self.inbound.list_due(_FOLLOWED_UP_TOGETHER))

    async def _follow_up(self, left: Sequence[InboundMessage], new: Sequence[InboundMessage] = ()) -> None:
        """Do what follows for messages that were `left` half done, and for new ones, of which nobody has told."""
        if not (left or new):
            return
        in_order = sorted([*left, *new], key=lambda message: (message.received_at, message.id))
        told = await self.inbound.list_told([message.id for message in left])
        applied = await self._apply(in_order)
        if items := tuple(received_item(message) for message in applied if message.id not in told):
            await self.bus.publish(MessagesReceived(items=items))
        waiting = await self._tell_taps(applied)
        await self.inbound.finish([message.id for message in applied if message.id not in waiting])

    async def _apply(self, messages: Sequence[InboundMessage]) -> list[InboundMessage]:
        """Let threads take the messages; returns them with what came of it."""
        threads = await self.conversations.take(messages)
        silenced, agents = await asyncio.gather(self.listener.hear(messages), self._agents(messages))
        for message in messages:
            if message.channel == "webchat":
                await self.webchat.add_once(line_of(message))
        return await self.inbound.mark_applied(
            [
                message.applied(
                    threads[message.conversation_id].sequence,
                    None if message.id in silenced else _who_answers(message, threads, agents),
                )
                for message in messages
            ]
        )

    async def _agents(self, messages: Sequence[InboundMessage]) -> dict[str, str | None]:
        numbers = {message.phone_number_id for message in messages if message.counts}
        return await self.senders.list_agents(numbers)

    async def _tell_taps(self, messages: Sequence[InboundMessage]) -> set[str]:
        """Announce the taps among the messages; returns those that wait for the message that had the button."""
        taps = {message.id: (message, tap) for message in messages if (tap := tap_of(message)) is not None}
        tapped = await self._find_tapped([message for message, _ in taps.values()])
        unknown = [id_ for id_, (message, _) in taps.items() if message.context_wa_message_id and id_ not in tapped]
        given_up = set(await self.inbound.wait_for_message(unknown))
        waiting = set(unknown) - given_up
        clicks: list[ClickedButton] = [
            clicked_button(message, tap, tapped.get(id_)) for id_, (message, tap) in taps.items() if id_ not in waiting
        ]
        if clicks:
            await self.bus.publish(ButtonsClicked(items=tuple(clicks)))
        if waiting:
            log.info("taps_wait_for_their_message", taps=len(waiting))
        return waiting

    async def _find_tapped(self, messages: Sequence[InboundMessage]) -> dict[str, TappedMessage]:
        """The messages of ours that taps are about, by the tap's message id."""
        by_user: defaultdict[str, list[InboundMessage]] = defaultdict(list)
        for message in messages:
            if message.context_wa_message_id is not None:
                by_user[message.user_id].append(message)
        found: dict[str, TappedMessage] = {}
        for user_id, theirs in by_user.items():
            known = await self.inbound.find_tapped(user_id, [message.context_wa_message_id or "" for message in theirs])
            found |= {
                message.id: known[message.context_wa_message_id or ""]
                for message in theirs
                if message.context_wa_message_id in known
            }
        return found


def _who_answers(message: InboundMessage, threads: dict[str, Thread], agents: dict[str, str | None]) -> str | None:
    if not message.counts or threads[message.conversation_id].handled_by == "human":
        return None
    return agents.get(message.phone_number_id)
