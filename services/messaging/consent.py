"""Opting out of marketing, and back in: recorded with proof, in force at once, announced in the end.

Each step may be repeated, and the record says that it is due until the last one is done.
"""

from dataclasses import dataclass
from datetime import datetime

import structlog

from services.messaging.repositories.consents import ConsentRepository, StoredConsent
from services.messaging.repositories.contacts import ContactRepository
from services.messaging.repositories.holding import HoldingRepository
from services.messaging.repositories.stops import StopRepository
from shared.bus.port import Bus
from shared.contracts.contacts import ConsentChange, ConsentProof, ConsentsChanged
from shared.errors import BusUnavailableError

log = structlog.get_logger()

_ROUND = 100


@dataclass(frozen=True, slots=True)
class ConsentBook:
    """Changes of consent, whoever reports them: the API, a STOP word, a button, Meta's preferences or its refusal."""

    bus: Bus
    consents: ConsentRepository
    contacts: ContactRepository
    stops: StopRepository
    holding: HoldingRepository

    async def change_consent(
        self,
        *,
        change_id: str,
        user_id: str,
        contact_id: str,
        phone: str | None,
        opted_out: bool,
        proof: ConsentProof,
        evidence: str | None = None,
        at: datetime,
    ) -> None:
        """Record one change of a contact's mind. Idempotent by `change_id`; of several the latest `at` counts.

        `phone` is E.164, None where the customer shows none. Once this returns, no intent for a marketing message to an
        opted-out contact is stored.
        """
        consent = StoredConsent(change_id, user_id, contact_id, phone, opted_out, proof, evidence, at)
        await self._carry_out(await self.consents.add_once(consent))

    async def sweep(self) -> None:
        """Carry out what a crash left half-way, and announce what could not be announced."""
        for consent in await self.consents.list_due(_ROUND):
            await self._carry_out(consent)

    async def _carry_out(self, consent: StoredConsent) -> None:
        # The stop first: a message claimed from now on meets it, and what was claimed before is ended after it.
        is_new = await self.stops.set_contact(consent.contact_id, consent.id, stopped=consent.opted_out, at=consent.at)
        if consent.opted_out and consent.phone is not None:
            await self.holding.end_marketing(consent.user_id, consent.contact_id, consent.phone)
        shown = {
            "marketing": "opted_out" if consent.opted_out else "opted_in",
            "proof": consent.proof,
            "evidence": consent.evidence,
            "changed_at": consent.at,
        }
        await self.contacts.set_consent(consent.contact_id, shown, consent.at)
        if not is_new or await self._announce(consent):
            await self.consents.mark_carried_out(consent.id)

    async def _announce(self, consent: StoredConsent) -> bool:
        try:
            await self.bus.publish(ConsentsChanged(items=(_change(consent),)))
        except BusUnavailableError as error:
            # It is in force, and the record says that it is due: the sweep announces it when the broker is back.
            log.warning("consent_announcement_postponed", change_id=consent.id, error=error.message)
            return False
        return True


def _change(consent: StoredConsent) -> ConsentChange:
    return ConsentChange(
        id=f"contact.{'opted_out' if consent.opted_out else 'opted_in'}:{consent.id}",
        user_id=consent.user_id,
        contact_id=consent.contact_id,
        phone=consent.phone,
        opted_out=consent.opted_out,
        proof=consent.proof,
        evidence=consent.evidence,
        at=consent.at,
    )
