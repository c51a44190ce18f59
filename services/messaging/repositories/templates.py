"""Messaging's copy of the templates, for the send path only: fed by events, filled on a miss."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError

from shared.clock import Clock
from shared.contracts.templates import Template
from shared.mongo import Database

_RESYNC_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class TemplateCopyRepository:
    """The template_copies collection."""

    database: Database
    now: Clock

    @property
    def _copies(self) -> Any:
        return self.database["template_copies"]

    async def ensure_indexes(self) -> None:
        """Looked up by WABA and name."""
        await self._copies.create_index([("waba_id", 1), ("name", 1)])

    async def store(self, templates: Sequence[Template]) -> None:
        """Take over the present state of templates; an older state that arrives late changes nothing."""
        if not templates:
            return
        updates = [
            UpdateOne(
                {"_id": template.template_id, "updated_at": {"$lt": template.updated_at}},
                {
                    "$set": {
                        "waba_id": template.waba_id,
                        "name": template.name,
                        "status": template.status,
                        "updated_at": template.updated_at,
                        "template": template.model_dump_json(),
                    }
                },
                upsert=True,
            )
            for template in templates
        ]
        try:
            await self._copies.bulk_write(updates, ordered=False)
        except BulkWriteError as error:  # a newer copy exists: the conditional upsert met its _id
            if any(entry["code"] != 11000 for entry in (error.details or {}).get("writeErrors", [])):
                raise

    async def list_approved(self, waba_id: str, name: str) -> list[Template]:
        """The approved languages of one name."""
        found = self._copies.find({"waba_id": waba_id, "name": name, "status": "APPROVED"})
        return [Template.model_validate_json(document["template"]) async for document in found]

    async def get(self, template_id: str) -> Template | None:
        """One template by our id."""
        document = await self._copies.find_one({"_id": template_id})
        return Template.model_validate_json(document["template"]) if document else None

    async def list_by_ids(self, template_ids: Iterable[str]) -> dict[str, Template]:
        """Those that are known, by our ids."""
        found = self._copies.find({"_id": {"$in": list(template_ids)}})
        return {document["_id"]: Template.model_validate_json(document["template"]) async for document in found}

    async def list_names(self, waba_id: str) -> list[str]:
        """The names of a WABA's approved templates, to suggest what may have been meant."""
        names: list[str] = await self._copies.distinct("name", {"waba_id": waba_id, "status": "APPROVED"})
        return names

    async def may_resync(self, waba_id: str) -> bool:
        """Whether an unknown name may cause a re-sync now: at most one a minute for each WABA, over all workers."""
        now = self.now()
        try:
            await self.database["template_resyncs"].update_one(
                {"_id": waba_id, "at": {"$lte": now - _RESYNC_EVERY}}, {"$set": {"at": now}}, upsert=True
            )
        except DuplicateKeyError:
            return False
        return True
