"""What customers say about hearing from us: STOP and START, opt-out buttons, and WhatsApp's own preference."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from services.messaging.consent import ConsentBook
from services.messaging.domain.consent_words import Wish, wish_of
from services.messaging.domain.inbound import InboundMessage
from services.messaging.repositories.stops import StopRepository
from shared.bus.port import Bus
from shared.clock import Clock
from shared.contracts.content import TextContent
from shared.contracts.messaging import SendMessage
from shared.ids import derived_hex_id


@dataclass(frozen=True, slots=True)
class Hearing:
    """Idempotent: a change of consent and its confirmation have their ids from the message that asked for them."""

    bus: Bus
    book: ConsentBook
    stops: StopRepository
    now: Clock

    async def hear(self, messages: Sequence[InboundMessage]) -> Collection[str]:
        """Act on wishes; returns the messages that no agent answers: wishes, and whatever opted-out people write.

        A START from somebody who hears from us anyway is a message like any other.
        """
        before = await self.stops.list_opted_out({message.contact_id for message in messages})
        answered: set[str] = set()
        for message in messages:
            wish = wish_of(message)
            if wish is not None and (wish.opted_out or message.contact_id in before):
                await self._fulfil(message, wish)
                answered.add(message.id)
        now = await self.stops.list_opted_out({message.contact_id for message in messages}) if answered else before
        return answered | {message.id for message in messages if message.contact_id in now}

    async def _fulfil(self, message: InboundMessage, wish: Wish) -> None:
        await self.book.change_consent(
            change_id=f"inbound:{message.id}",
            user_id=message.user_id,
            contact_id=message.contact_id,
            phone=message.sender if message.sender.startswith("+") else None,
            opted_out=wish.opted_out,
            proof="button" if wish.is_tap else "keyword",
            evidence=message.text,
            at=message.received_at,
        )
        await self.bus.send(
            SendMessage(
                message_id=derived_hex_id("confirmation", message.id),
                user_id=message.user_id,
                phone_number_id=message.phone_number_id,
                to=message.sender,
                content=TextContent(text=wish.confirmation),
                source="system",
                accepted_at=self.now(),
                conversation_id=message.conversation_id,
            )
        )
