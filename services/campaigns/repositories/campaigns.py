"""The campaigns collection. Every change is one conditional update, so that any number of replicas may try it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument, UpdateMany, UpdateOne
from pymongo.errors import DuplicateKeyError

from services.campaigns.domain.campaigns import CREATION_LASTS, Sample, StoredCampaign, TemplateSummary
from services.campaigns.domain.states import CREATING, RUNNING, Status
from services.campaigns.repositories.documents import to_campaign
from shared.clock import Clock
from shared.contracts.campaigns import CampaignStatus, CreateCampaign
from shared.errors import NotFoundError
from shared.mongo import Database, Document

_UNKNOWN = "Campaign not found"
_CLAIM = timedelta(seconds=30)  # how long one sweeper has a campaign to itself
_NOT_SENT_BY = {"unheard": 0, "samples": 0, "actions": 0}  # read ten times a second, and needed for no sending


@dataclass(frozen=True, slots=True)
class Look:
    """A campaign that has been tended: what is noted of it, and when to look at it next (None: nothing is left to do).

    A sample tells how many recipients were done at a moment; the last two are kept.
    """

    campaign: StoredCampaign
    at: datetime | None
    noted: Mapping[str, Any] = field(default_factory=dict)
    sample: Sample | None = None

    def update(self) -> Document:
        """All of it in one."""
        changes: Document = {"$set": {**self.noted, **({"look_at": self.at} if self.at is not None else {})}}
        if self.at is None:
            changes["$unset"] = {"look_at": ""}
        if self.sample is not None:
            kept = {"at": self.sample.at, "done": self.sample.done}
            changes["$push"] = {"samples": {"$each": [kept], "$slice": -2}}
        return {name: change for name, change in changes.items() if change}


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

    async def list_running(self, *, but: Sequence[str] = ()) -> list[StoredCampaign]:
        """Everything that sends now, `but` for some."""
        running = {"status": RUNNING, "phone_number_id": {"$exists": True}}
        found = self._campaigns.find(running | ({"_id": {"$nin": but}} if but else {}), _NOT_SENT_BY)
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
        document = await self._campaigns.find_one_and_update(
            _unchanged(campaign), self._step(fields, unset, announce), return_document=ReturnDocument.AFTER
        )
        return to_campaign(document) if document else None

    async def change_all(
        self,
        campaigns: Sequence[StoredCampaign],
        fields: Mapping[str, Any],
        *,
        unset: Iterable[str] = (),
        announce: Mapping[str, Mapping[str, Any]],
    ) -> list[StoredCampaign]:
        """The same for several campaigns, which all come to have the status in `fields`; `announce` by campaign id.

        Returns those that have taken the step.
        """
        unset = tuple(unset)
        steps = [UpdateOne(_unchanged(each), self._step(fields, unset, announce[each.id])) for each in campaigns]
        await self._campaigns.bulk_write(steps, ordered=False)
        now_so = await self.list_by_ids(each.id for each in campaigns)
        taken = {each.id: (fields["status"], each.changes + 1) for each in campaigns}
        return [each for each in now_so.values() if (each.status, each.changes) == taken[each.id]]

    def _step(self, fields: Mapping[str, Any], unset: Iterable[str], announce: Mapping[str, Any] | None) -> Document:
        update: Document = {"$set": {"look_at": self.now(), **fields}, "$inc": {"changes": 1}}
        if left := {name: "" for name in unset}:
            update["$unset"] = left
        if announce is not None:
            update["$push"] = {"unheard": announce}
        return update

    async def mark(self, campaign_id: str, fields: Mapping[str, Any], *, unset: Iterable[str] = ()) -> None:
        """Note something that nobody decides by: samples, what was told to others."""
        update: Document = {"$set": dict(fields)} if fields else {}
        if left := {name: "" for name in unset}:
            update["$unset"] = left
        await self._campaigns.update_one({"_id": campaign_id}, update)

    async def add_zones(self, campaign_id: str, zones: Iterable[str]) -> None:
        """Remember in which zones recipients live."""
        await self._campaigns.update_one({"_id": campaign_id}, {"$addToSet": {"zones": {"$each": sorted(zones)}}})

    async def mark_heard(self, campaign_ids: Iterable[str], event_ids: Iterable[str]) -> None:
        """These changes of these campaigns were announced."""
        heard = {"$pull": {"unheard": {"id": {"$in": list(event_ids)}}}}
        await self._campaigns.update_many({"_id": {"$in": list(campaign_ids)}}, heard)

    async def mark_told(self, campaign: StoredCampaign) -> bool:
        """Messaging has heard of this very status; False if it has changed meanwhile."""
        done = await self._campaigns.update_one(
            {"_id": campaign.id, "changes": campaign.changes}, {"$unset": {"hold_due": ""}}
        )
        return bool(done.matched_count)

    async def mark_settled(self, campaign: StoredCampaign, released: int) -> None:
        """So many credits of this run were given back, and nothing more of it is set aside."""
        await self._campaigns.update_one(
            {"_id": campaign.id, "run": campaign.run}, {"$set": {"released": released, "closed": True}}
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

    async def claim_due(self, limit: int) -> list[StoredCampaign]:
        """Campaigns whose time to be looked at has come; for half a minute no other sweeper gets them."""
        now = self.now()
        is_due, until = {"look_at": {"$lte": now}}, now + _CLAIM
        ids = [each["_id"] async for each in self._campaigns.find(is_due, {"_id": 1}).sort("look_at", 1).limit(limit)]
        if not ids:
            return []
        await self._campaigns.update_many({"_id": {"$in": ids}} | is_due, {"$set": {"look_at": until}})
        # Who claims at the same millisecond gets them as well, which is harmless.
        claimed = self._campaigns.find({"_id": {"$in": ids}, "look_at": until})
        return [to_campaign(document) async for document in claimed]

    async def look_again(self, looks: Iterable[Look]) -> None:
        """Set when to look at each next, and what is noted of it; nothing of that if it was changed meanwhile.

        Whoever changed it has set when to look at it, and what was not noted is found out once more.
        """
        alike: list[tuple[int, Document, list[str]]] = []  # what is noted of many mostly is the same
        for each in looks:
            changes, update = each.campaign.changes, each.update()
            ids = next((known for version, other, known in alike if (version, other) == (changes, update)), None)
            if ids is None:
                alike.append((changes, update, ids := []))
            ids.append(each.campaign.id)
        if alike:
            updates = [UpdateMany({"_id": {"$in": ids}, "changes": changes}, update) for changes, update, ids in alike]
            await self._campaigns.bulk_write(updates, ordered=False)


def _unchanged(campaign: StoredCampaign) -> Document:
    """The campaign, if nobody has changed it since it was read."""
    return {"_id": campaign.id, "status": campaign.status, "changes": campaign.changes}
