"""Recipients come in chunks: checked by messaging, written as rows, the bad ones explained."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from services.campaigns.domain.campaigns import UPLOAD_LEASE, StoredCampaign, Upload
from services.campaigns.domain.recipients import UPLOAD_SPAN, message_id_of, recipient_id_of
from services.campaigns.domain.schedule import zone_of
from services.campaigns.domain.states import CREATING
from services.campaigns.neighbours import Neighbours
from services.campaigns.repositories.campaigns import CampaignRepository
from services.campaigns.repositories.staged import StagedRepository
from shared.bus.port import Bus
from shared.clock import Clock
from shared.contracts.campaigns import RefusedRow, StagedRecipients, StageRecipients
from shared.contracts.contacts import PreparedRow, RecipientRow
from shared.crashpoints import crash_point
from shared.errors import ConflictError, InvalidInputError
from shared.ids import derived_hex_id
from shared.mongo import Document

_LONGEST_SHOWN_PHONE = 64
_PERSON = ("name", "email", "company")


@dataclass(frozen=True, slots=True)
class StagingHandlers:
    """Idempotent by upload and row: what a first delivery wrote is known by its place, and taken for no duplicate.

    Chunks of one upload may come at once and in any order.
    """

    bus: Bus
    campaigns: CampaignRepository
    staged: StagedRepository
    neighbours: Neighbours
    now: Clock

    def register(self) -> None:
        """Take chunks of recipients."""
        self.bus.on(StageRecipients, self.stage_recipients)

    async def stage_recipients(self, command: StageRecipients) -> StagedRecipients:
        """Keep what can be sent to; tell what cannot, and why."""
        until = self.now() + UPLOAD_LEASE
        campaign = await self.campaigns.renew_upload(command.campaign_id, command.upload_id, until)
        is_open = campaign is not None
        campaign = campaign or await self._ended(command)
        if campaign is None or campaign.upload is None:
            raise await self._too_late(command)
        if any(row.row >= UPLOAD_SPAN for row in command.rows):
            raise InvalidInputError(f"Rows are numbered below {UPLOAD_SPAN:,}", code="too_many_rows")
        prepared = await self.neighbours.prepare(
            campaign.user_id, campaign.phone_number_id, campaign.template_id, command.rows
        )
        given = {row.row: row for row in command.rows}
        refused = [_refused(given[each.row], each) for each in prepared if each.phone is None or each.error]
        accepted = _first_of_each(each for each in prepared if each.phone is not None and not each.error)
        duplicates = len(prepared) - len(refused) - len(accepted)
        duplicates += await self._write(campaign, campaign.upload, accepted, given, is_open=is_open)
        crash_point("campaigns.staged")
        kept = [_refused_row(campaign.id, campaign.upload, each) for each in (*refused, *command.unreadable)]
        if is_open:
            await self.staged.stage(kept)
            if not await self.campaigns.has_upload(command.campaign_id, command.upload_id):
                raise await self._too_late(command)
        return StagedRecipients(
            accepted=len(prepared) - len(refused) - duplicates,
            duplicates=duplicates,
            opted_out=sum(each.opted_out for each in accepted),
            refused=tuple(refused),
        )

    async def _ended(self, command: StageRecipients) -> StoredCampaign | None:
        """The campaign with an upload that has ended well: whoever missed the answer asks for the same once more."""
        campaign = await self.campaigns.find(command.campaign_id)
        if campaign is None or campaign.status == CREATING:
            return None
        is_creation = command.upload_id == campaign.id
        if not is_creation and command.upload_id != campaign.last_upload:
            return None
        base = 0 if is_creation else (campaign.uploads - 1) * UPLOAD_SPAN
        return replace(campaign, upload=Upload(command.upload_id, base, self.now()))

    async def _too_late(self, command: StageRecipients) -> ConflictError:
        """The upload was undone before or beside this chunk, of which nothing may stay."""
        if await self._ended(command) is None:
            await self.staged.delete_rows_of(command.campaign_id, command.upload_id)
        return ConflictError("The upload is not open (any longer); begin again", code="upload_not_open")

    async def _write(
        self,
        campaign: StoredCampaign,
        upload: Upload,
        accepted: Sequence[PreparedRow],
        given: Mapping[int, RecipientRow],
        *,
        is_open: bool,
    ) -> int:
        """Write rows if they may be; returns how many of them were in the campaign before."""
        rows = [_row(campaign, upload, each, given[each.row]) for each in accepted]
        if is_open and campaign.calendar.needs_zones:
            zones = {row["zone"] for row in rows}
            if not zones <= set(campaign.zones):
                await self.campaigns.add_zones(campaign.id, zones)
        known = await self.staged.stage(rows) if is_open else {row["_id"] for row in rows}
        if not known:
            return 0
        return await self._duplicates([row for row in rows if row["_id"] in known], may_write=is_open)

    async def _duplicates(self, rows: Sequence[Document], *, may_write: bool) -> int:
        """How many of these were in the campaign before they came.

        A chunk may overtake the one before it: of who is in both, the row that stands first in the file counts.
        """
        places = await self.staged.places(row["_id"] for row in rows)
        behind = [row for row in rows if (place := places.get(row["_id"])) and place.is_behind(row["upload"], row["n"])]
        if behind and may_write:
            await self.staged.put_first(behind)
        first = {id_: (place.upload, place.inserted) for id_, place in places.items()}
        return sum(first.get(row["_id"]) != (row["upload"], row["n"]) for row in rows)


def _first_of_each(prepared: Iterable[PreparedRow]) -> list[PreparedRow]:
    first: dict[str | None, PreparedRow] = {}
    for each in prepared:
        first.setdefault(each.phone, each)
    return list(first.values())


def _row(campaign: StoredCampaign, upload: Upload, prepared: PreparedRow, given: RecipientRow) -> Document:
    phone = prepared.phone or ""
    recipient_id = recipient_id_of(campaign.id, phone)
    row: Document = {
        "_id": recipient_id,
        "campaign_id": campaign.id,
        "upload": upload.upload_id,
        "n": upload.base + prepared.row,
        "phone": phone,
        "values": prepared.values,
        "state": "pending",
        "rank": 0,
        "round": 0,
        "run": 0,
        "message_id": message_id_of(campaign.id, recipient_id, 0),
    }
    if contact := {name: told for name in _PERSON if (told := getattr(given, name)) is not None}:
        row["contact"] = contact
    if campaign.calendar.needs_zones:
        row["zone"] = zone_of(phone)
    if prepared.opted_out:
        row |= {"state": "skipped", "reason": "opted_out"}
    return row


def _refused(given: RecipientRow, prepared: PreparedRow) -> RefusedRow:
    return RefusedRow(
        row=given.row,
        phone=given.phone[:_LONGEST_SHOWN_PHONE],
        code=prepared.code or "invalid_phone",
        reason=prepared.error or "is not a phone number in E.164 format",
    )


def _refused_row(campaign_id: str, upload: Upload, refused: RefusedRow) -> Document:
    return {
        "_id": f"ref_{derived_hex_id('refused', campaign_id, upload.upload_id, str(refused.row))}",
        "campaign_id": campaign_id,
        "upload": upload.upload_id,
        "n": upload.base + refused.row,
        "phone": refused.phone,
        "state": "refused",
        "class": refused.code,
        "reason": refused.reason,
    }
