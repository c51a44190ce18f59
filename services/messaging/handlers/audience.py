"""What campaigns ask before they send: who can be reached with what values, and their contacts."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.messaging.domain.messages import contact_id
from services.messaging.domain.variables import ContactFields, resolve
from services.messaging.preparation import Preparation
from services.messaging.repositories.contacts import ContactRepository
from services.messaging.repositories.stops import StopRepository
from services.messaging.stopping import Stopping
from services.messaging.template_lookup import FoundTemplate
from shared.bus.port import Bus
from shared.contracts.base import Done
from shared.contracts.contacts import (
    PreparedRecipients,
    PreparedRow,
    PrepareRecipients,
    RecipientRow,
    UpsertContacts,
    UpsertedContacts,
)
from shared.contracts.messaging import HoldCampaign
from shared.errors import InvalidInputError
from shared.phones import is_recipient, normalised

_AT_ONCE = 100  # rows; then others have their turn

INVALID_PHONE = "invalid_phone"


@dataclass(frozen=True, slots=True)
class AudienceHandlers:
    """Preparing only reads; contacts are idempotent by phone, holding sets a state."""

    bus: Bus
    preparation: Preparation
    contacts: ContactRepository
    stops: StopRepository
    stopping: Stopping
    is_local: bool  # magic numbers of the sandbox pass

    def register(self) -> None:
        """Serve campaigns."""
        self.bus.on(PrepareRecipients, self.prepare_recipients)
        self.bus.on(UpsertContacts, self.upsert_contacts)
        self.bus.on(HoldCampaign, self.hold_campaign)

    async def prepare_recipients(self, query: PrepareRecipients) -> PreparedRecipients:
        """Each row's number and values, or what is wrong with it."""
        found = await self.preparation.find_template(query.user_id, query.phone_number_id, query.template_id)
        if found.variables.unsendable is not None:
            raise InvalidInputError(f"template_id: {found.variables.unsendable}", code="template_not_sendable")
        phones = [self._phone(row) for row in query.rows]
        known = await self._known_fields(query.user_id, phones, found)
        opted_out = await self._opted_out(query.user_id, phones, found)
        rows: list[PreparedRow] = []
        for row, phone in zip(query.rows, phones, strict=True):
            fields = known.get(phone, ContactFields()) if phone else ContactFields()
            rows.append(_prepared(row, phone, fields, found, opted_out))
            if len(rows) % _AT_ONCE == 0:
                await asyncio.sleep(0)
        return PreparedRecipients(rows=tuple(rows))

    async def upsert_contacts(self, command: UpsertContacts) -> UpsertedContacts:
        """Create or update contacts."""
        created = await self.contacts.upsert(command.user_id, command.contacts)
        ids = tuple(contact_id(command.user_id, row.phone) for row in command.contacts)
        return UpsertedContacts(contact_ids=ids, created=created, updated=len(set(ids)) - created)

    async def hold_campaign(self, command: HoldCampaign) -> Done:
        """Once this is answered, no intent of the campaign is stored while it is held."""
        if command.held or command.cancelled:
            await self.stopping.hold(command.campaign_id, cancelled=command.cancelled, version=command.version)
        else:
            await self.stopping.let_go(command.campaign_id, command.version)
        return Done()

    def _phone(self, row: RecipientRow) -> str | None:
        phone = normalised(row.phone)
        return phone if phone is not None and is_recipient(phone, allow_unknown_codes=self.is_local) else None

    async def _known_fields(
        self, user_id: str, phones: Sequence[str | None], found: FoundTemplate
    ) -> dict[str, ContactFields]:
        if found.variables.fields_used <= {"phone"}:
            return {}
        return await self.contacts.find_fields(user_id, {phone for phone in phones if phone is not None})

    async def _opted_out(self, user_id: str, phones: Sequence[str | None], found: FoundTemplate) -> set[str]:
        """The phones of those who take no marketing; consent is asked for nothing else."""
        if found.approved.category != "MARKETING":
            return set()
        by_id = {contact_id(user_id, phone): phone for phone in phones if phone is not None}
        return {by_id[id_] for id_ in await self.stops.list_opted_out(by_id)}


def _prepared(
    row: RecipientRow, phone: str | None, known: ContactFields, found: FoundTemplate, opted_out: set[str]
) -> PreparedRow:
    if phone is None:
        words = "phone: must be a phone number in E.164 format, e.g. +919876543210"
        return PreparedRow(row=row.row, error=words, code=INVALID_PHONE)
    told = {name: value for name in ("name", "email", "company") if (value := getattr(row, name))}
    values, problems = resolve(found.variables, row.variables, replace(known, phone=phone, **told))
    if problems:
        return PreparedRow(
            row=row.row,
            phone=phone,
            opted_out=phone in opted_out,
            error="; ".join(map(str, problems)),
            code=problems[0].code,
        )
    return PreparedRow(row=row.row, phone=phone, values=values, opted_out=phone in opted_out)
