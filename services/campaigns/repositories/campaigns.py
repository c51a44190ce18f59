"""The campaigns collection. Every change is one conditional update, so that any number of replicas may try it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from services.campaigns.domain.campaigns import CREATION_LASTS, StoredCampaign, TemplateSummary
from services.campaigns.domain.states import CREATING, RUNNING, Status
from services.campaigns.repositories.documents import to_campaign
from shared.clock import Clock
from shared.contracts.campaigns import CampaignStatus, CreateCampaign
from shared.errors import NotFoundError
from shared.mongo import Database, Document

_UNKNOWN = "Campaign not found"
_CLAIM = timedelta(seconds=30)  # how long one sweeper has a campaign to itself


@dataclass(frozen=True, slots=True)
class CampaignRepository:
    """Campaigns without their recipients."""

    database: Database
    now: Clock

    @property
    def _campaigns(self) -> Any:
        return self.database["campaigns"]

    async def ensure_indexes(self) -> None:
        """By user, newest first; what runs; what the sweeper must look at; who uses a template."""
        await self._campaigns.create_index([("user_id", 1), ("created_at", -1), ("_id", -1)])
        await self._campaigns.create_index("phone_number_id", partialFilterExpression={"status": RUNNING})
        await self._campaigns.create_index("look_at", partialFilterExpression={"look_at": {"$exists": True}})
        await self._campaigns.create_index([("template_id", 1), ("status", 1)])

    async def add_once(self, command: CreateCampaign, template: TemplateSummary, messages_per_second: int) -> None:
        """Open a campaign that nobody sees yet, with its one upload; a repetition changes nothing."""
        now = self.now()
        document = {
            "_id": command.campaign_id,
            "user_id": command.user_id,
            "phone_number_id": command.phone_number_id,
            "template_id": command.template_id,
            "template": {"name": template.name, "language": template.language, "category": template.category},
            "name": command.name,
            "status": CREATING,
            "changes": 0,
            "messages_per_second": messages_per_second,
            "scheduled_at": command.scheduled_at,
            # the time of day as it was written, whatever its offset: it is read in each recipient's own zone
            "wall_time": command.scheduled_at.replace(tzinfo=None).isoformat()
            if command.local_time and command.scheduled_at
            else None,
            "quiet_hours": command.quiet_hours.model_dump() if command.quiet_hours else None,
            "deadline": command.deadline,
            "created_at": now,
            "upload": {"id": command.campaign_id, "base": 0, "until": now + CREATION_LASTS},
            "look_at": now + CREATION_LASTS,
        }
        try:
            await self._campaigns.insert_one({key: value for key, value in document.items() if value is not None})
        except DuplicateKeyError:
            return

    async def find(self, campaign_id: str) -> StoredCampaign | None:
        """A campaign, also one that is being created."""
        document = await self._campaigns.find_one({"_id": campaign_id})
        return to_campaign(document) if document else None

    async def get(self, campaign_id: str) -> StoredCampaign:
        """A campaign that exists for its user. Raises NotFoundError."""
        campaign = await self.find(campaign_id)
        if campaign is None or campaign.status == CREATING:
            raise NotFoundError(_UNKNOWN)
        return campaign

    async def list_by_user(
        self, user_id: str, status: CampaignStatus | None, limit: int, before: tuple[datetime, str] | None
    ) -> list[StoredCampaign]:
        """A user's campaigns, newest first, from after a cursor on."""
        query: Document = {"user_id": {"$eq": user_id}, "status": status or {"$ne": CREATING}}
        if before is not None:
            at, id_ = before
            query["$or"] = [{"created_at": {"$lt": at}}, {"created_at": at, "_id": {"$lt": id_}}]
        found = self._campaigns.find(query).sort([("created_at", -1), ("_id", -1)]).limit(limit)
        return [to_campaign(document) async for document in found]

    async def list_by_ids(self, ids: Iterable[str]) -> dict[str, StoredCampaign]:
        """Several campaigns."""
        found = self._campaigns.find({"_id": {"$in": list(ids)}})
        return {document["_id"]: to_campaign(document) async for document in found}

    async def list_running(self) -> list[StoredCampaign]:
        """Everything that sends now."""
        found = self._campaigns.find({"status": RUNNING, "phone_number_id": {"$exists": True}})
        return [to_campaign(document) for document in await found.to_list()]

    async def list_by_template(self, template_id: str, statuses: Iterable[Status], limit: int) -> list[StoredCampaign]:
        """Campaigns of a template in some statuses."""
        query = {"template_id": template_id, "status": {"$in": list(statuses)}}
        return [to_campaign(document) async for document in self._campaigns.find(query).limit(limit)]

    async def change(
        self,
        campaign: StoredCampaign,
        fields: Mapping[str, Any],
        *,
        unset: Iterable[str] = (),
        announce: Mapping[str, Any] | None = None,
    ) -> StoredCampaign | None:
        """Change a campaign if nobody has changed it since it was read; None if somebody has.

        `announce` is kept in the document by the same update until its event is out.
        """
        update: Document = {"$set": {**fields, "look_at": self.now()}, "$inc": {"changes": 1}}
        if left := {name: "" for name in unset}:
            update["$unset"] = left
        if announce is not None:
            update["$push"] = {"unheard": announce}
        document = await self._campaigns.find_one_and_update(
            {"_id": campaign.id, "status": campaign.status, "changes": campaign.changes},
            update,
            return_document=ReturnDocument.AFTER,
        )
        return to_campaign(document) if document else None

    async def mark(self, campaign_id: str, fields: Mapping[str, Any], *, unset: Iterable[str] = ()) -> None:
        """Note something that nobody decides by: samples, what was told to others."""
        update: Document = {"$set": dict(fields)} if fields else {}
        if left := {name: "" for name in unset}:
            update["$unset"] = left
        await self._campaigns.update_one({"_id": campaign_id}, update)

    async def add_zones(self, campaign_id: str, zones: Iterable[str]) -> None:
        """Remember in which zones recipients live."""
        await self._campaigns.update_one({"_id": campaign_id}, {"$addToSet": {"zones": {"$each": sorted(zones)}}})

    async def mark_heard(self, campaign_id: str, event_ids: Iterable[str]) -> None:
        """These changes were announced."""
        await self._campaigns.update_one({"_id": campaign_id}, {"$pull": {"unheard": {"id": {"$in": list(event_ids)}}}})

    async def mark_told(self, campaign: StoredCampaign) -> bool:
        """Messaging has heard of this very status; False if it has changed meanwhile."""
        done = await self._campaigns.update_one(
            {"_id": campaign.id, "changes": campaign.changes}, {"$unset": {"hold_due": ""}}
        )
        return bool(done.matched_count)

    async def add_sample(self, campaign_id: str, at: datetime, done: int) -> None:
        """Remember how many recipients were done at a moment; the last two moments are kept."""
        samples = {"$each": [{"at": at, "done": done}], "$slice": -2}
        await self._campaigns.update_one({"_id": campaign_id}, {"$push": {"samples": samples}})

    async def mark_settled(self, campaign: StoredCampaign, released: int, *, closed: bool) -> None:
        """So many credits of this run were given back."""
        await self._campaigns.update_one(
            {"_id": campaign.id, "run": campaign.run}, {"$set": {"released": released, "closed": closed}}
        )

    async def mark_contacts_told(self, campaign: StoredCampaign) -> None:
        """Messaging knows everybody of the uploads so far, unless another upload has ended meanwhile."""
        await self._campaigns.update_one(
            {"_id": campaign.id, "uploads": campaign.uploads}, {"$unset": {"contacts_due": ""}}
        )

    async def renew_upload(self, campaign_id: str, upload_id: str, until: datetime) -> StoredCampaign | None:
        """Keep an open upload alive; None if it is not open (any longer)."""
        document = await self._campaigns.find_one_and_update(
            {"_id": campaign_id, "upload.id": upload_id},
            {"$max": {"upload.until": until, "look_at": until}},
            return_document=ReturnDocument.AFTER,
        )
        return to_campaign(document) if document else None

    async def has_upload(self, campaign_id: str, upload_id: str) -> bool:
        """Whether this upload is open still."""
        found = await self._campaigns.find_one({"_id": campaign_id, "upload.id": upload_id}, {"_id": 1})
        return found is not None

    async def delete(self, campaign_id: str) -> None:
        """Forget a campaign that never came to be."""
        await self._campaigns.delete_one({"_id": campaign_id, "status": CREATING})

    async def claim_due(self) -> StoredCampaign | None:
        """One campaign whose time to be looked at has come; for half a minute no other sweeper gets it."""
        now = self.now()
        document = await self._campaigns.find_one_and_update(
            {"look_at": {"$lte": now}},
            {"$set": {"look_at": now + _CLAIM}},
            sort=[("look_at", 1)],
            return_document=ReturnDocument.AFTER,
        )
        return to_campaign(document) if document else None

    async def look_again(self, campaign: StoredCampaign, at: datetime | None) -> None:
        """Set when to look next, unless a change has set it meanwhile."""
        moment = {"$set": {"look_at": at}} if at is not None else {"$unset": {"look_at": ""}}
        await self._campaigns.update_one({"_id": campaign.id, "changes": campaign.changes}, moment)
