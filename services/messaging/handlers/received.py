"""What customers do on WhatsApp and Instagram, as Meta told it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import structlog

from services.messaging.domain.inbound import InboundMessage, inbound_message, sender_of
from services.messaging.domain.messages import conversation_id
from services.messaging.metrics import INBOUND_OF_NOBODY
from services.messaging.reception import Reception
from services.messaging.repositories.senders import SenderRepository
from shared.bus.port import Bus, Received
from shared.contracts.inbound import MetaMessage, MetaMessagesReceived

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ReceivedHandlers:
    """Idempotent: a message's id follows from Meta's, and every step of its reception counts once."""

    bus: Bus
    senders: SenderRepository
    reception: Reception

    def register(self) -> None:
        """Listen to what webhooks took from Meta."""
        self.bus.on_group(MetaMessagesReceived, self.on_meta_messages_received)

    async def on_meta_messages_received(self, group: Sequence[Received[MetaMessagesReceived]]) -> None:
        """Take in all that came together."""
        items = [item for received in group for item in received.message.items]
        await self.reception.take(await self._in_place(items))

    async def _in_place(self, items: Iterable[MetaMessage]) -> list[InboundMessage]:
        """The messages to numbers of ours, each with its contact and its conversation."""
        distinct = {(item.channel, item.meta_phone_number_id, item.wa_message_id): item for item in items}
        numbers = await self.senders.list_numbers((channel, number) for channel, number, _ in distinct)
        ours = [
            (item, number, sender_of(item, number))
            for (channel, meta_id, _), item in distinct.items()
            if (number := numbers.get((channel, meta_id))) is not None
        ]
        if foreign := len(distinct) - len(ours):  # Meta's app hears of numbers that were deleted here, or never added
            INBOUND_OF_NOBODY.inc(foreign)
            log.info("inbound_to_unknown_numbers", messages=foreign)
        known = await self.senders.identify([sender for _, _, sender in ours])
        await self.senders.keep([(sender, known[sender], item.at) for item, _, sender in ours])
        return [
            inbound_message(
                item,
                number,
                contact_id=known[sender].contact_id,
                conversation_id=conversation_id(number.phone_number_id, known[sender].address),
                address=known[sender].address,
            )
            for item, number, sender in ours
        ]
