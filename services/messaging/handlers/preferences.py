"""Customers who set in WhatsApp whether a business may send them marketing."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.messaging.consent import ConsentBook
from services.messaging.domain.inbound import ReceivingNumber, sender_of_preference
from services.messaging.repositories.senders import SenderRepository
from shared.bus.port import Bus, Received
from shared.contracts.inbound import MetaPreference, MetaPreferencesReceived
from shared.ids import derived_hex_id

_MARKETING = "marketing_messages"
_OPTED_OUT = {"stop": True, "resume": False}


@dataclass(frozen=True, slots=True)
class PreferenceHandlers:
    """Idempotent: a change of consent has its id from what Meta told."""

    bus: Bus
    senders: SenderRepository
    book: ConsentBook

    def register(self) -> None:
        """Listen to what webhooks took from Meta."""
        self.bus.on_group(MetaPreferencesReceived, self.on_meta_preferences_received)

    async def on_meta_preferences_received(self, group: Sequence[Received[MetaPreferencesReceived]]) -> None:
        """Record what customers want; categories and values that we do not know change nothing."""
        wishes = [item for received in group for item in received.message.items]
        known = [item for item in wishes if item.category == _MARKETING and item.value in _OPTED_OUT]
        numbers = await self.senders.list_numbers(("whatsapp", item.meta_phone_number_id) for item in known)
        for item in known:
            number = numbers.get(("whatsapp", item.meta_phone_number_id))
            if number is not None:
                await self._record(item, number)

    async def _record(self, item: MetaPreference, number: ReceivingNumber) -> None:
        sender = sender_of_preference(item, number)
        contact = (await self.senders.identify([sender]))[sender]
        await self.senders.keep([(sender, contact, item.at)])
        whose = item.sender or item.sender_user_id or ""
        await self.book.change_consent(
            change_id=f"preference:{derived_hex_id(number.user_id, whose, item.value, item.at.isoformat())}",
            user_id=number.user_id,
            contact_id=contact.contact_id,
            phone=contact.address if contact.address.startswith("+") else None,
            opted_out=_OPTED_OUT[item.value],
            proof="meta_preference",
            evidence=item.value,
            at=item.at,
        )
