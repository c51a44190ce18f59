"""Contacts: shown, changed, opted out and in, and erased."""

from dataclasses import dataclass

from services.messaging.consent import ConsentBook
from services.messaging.repositories.contacts import ContactRepository
from services.messaging.repositories.erasure import ErasureRepository
from shared.bus.port import Bus
from shared.clock import Clock
from shared.contracts.base import Done
from shared.contracts.contacts import (
    ChangeConsent,
    Contact,
    Contacts,
    EraseContact,
    GetContact,
    ListContacts,
    UpdateContact,
)


@dataclass(frozen=True, slots=True)
class ContactHandlers:
    """Updates set values, a change of consent has an id of its own, and what is erased stays erased."""

    bus: Bus
    contacts: ContactRepository
    consents: ConsentBook
    erasure: ErasureRepository
    now: Clock

    def register(self) -> None:
        """Own the contacts."""
        self.bus.on(GetContact, self.get_contact)
        self.bus.on(ListContacts, self.list_contacts)
        self.bus.on(UpdateContact, self.update_contact)
        self.bus.on(ChangeConsent, self.change_consent)
        self.bus.on(EraseContact, self.erase_contact)

    async def get_contact(self, query: GetContact) -> Contact:
        """One contact."""
        return await self.contacts.get(query.contact_id)

    async def list_contacts(self, query: ListContacts) -> Contacts:
        """A page of contacts."""
        return await self.contacts.list_page(query)

    async def update_contact(self, command: UpdateContact) -> Contact:
        """Change a contact."""
        return await self.contacts.update(command)

    async def change_consent(self, command: ChangeConsent) -> Contact:
        """Opt a contact out of marketing, or back in."""
        contact = await self.contacts.get(command.contact_id)
        await self.consents.change_consent(
            change_id=command.change_id,
            user_id=contact.user_id,
            contact_id=contact.contact_id,
            phone=contact.phone,
            opted_out=command.opted_out,
            proof=command.proof,
            evidence=command.evidence,
            at=self.now(),
        )
        return await self.contacts.get(command.contact_id)

    async def erase_contact(self, command: EraseContact) -> Done:
        """Leave nothing of a person but that there was one."""
        await self.erasure.erase(command.contact_id)
        return Done()
