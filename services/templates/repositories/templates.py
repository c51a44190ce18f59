"""Templates in MongoDB.

Every change writes three things in one update: what changed, a later `updated_at`, and `pending_event`, the note that
the change has not been announced yet. The note is removed only while `updated_at` is still the announced one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pymongo import ReturnDocument, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

from services.templates.domain.discovery import TemplateFilter
from services.templates.domain.statuses import APPROVED, DELETED, StatusAtMeta
from services.templates.domain.sync import KnownTemplate
from services.templates.repositories.documents import change, storable, to_template
from shared.clock import iso_millis
from shared.contracts.templates import Template
from shared.contracts.webhooks import TemplateUpdate
from shared.errors import ConflictError, NotFoundError
from shared.mongo import Database, Document

_CONTENT_FIELDS = {"meta_template_id", "category", "quality_score", "parameter_format", "components", "variables"}
_NOT_FOUND = "Template not found"
_NEWEST_FIRST = [("created_at", -1), ("_id", -1)]
_SEARCH_MS = 2000  # a search that takes longer than this is given up


@dataclass(frozen=True, slots=True)
class TemplateRepository:
    """The collection `templates`; DELETED ones stay, for what was sent with them."""

    database: Database

    async def ensure_indexes(self) -> None:
        """Create what uniqueness and the queries below rely on; does nothing the second time."""
        # A partial index cannot say "not DELETED", hence the field `deleted` beside the status.
        await self._templates.create_index(
            [("waba_id", 1), ("name", 1), ("language", 1)],
            name="one_live_template_per_name_and_language",
            unique=True,
            partialFilterExpression={"deleted": False},
        )
        await self._templates.create_index(
            [("waba_id", 1), ("meta_template_id", 1)],
            name="one_template_per_meta_id",
            unique=True,
            partialFilterExpression={"meta_template_id": {"$type": "string"}},
        )
        # Name and language stand last, so that pages are filtered and counted within the index.
        for name, field in (("newest_by_status", "status"), ("newest_undeleted", "deleted")):
            keys = [("waba_id", 1), (field, 1), *_NEWEST_FIRST, ("name", 1), ("language", 1)]
            await self._templates.create_index(keys, name=name)
        await self._templates.create_index([("waba_id", 1), ("updated_at", 1)], name="changes")
        await self._templates.create_index(
            [("updated_at", 1)], name="unannounced", partialFilterExpression={"pending_event": True}
        )

    async def add_once(self, template: Template, status: StatusAtMeta, *, submitted_at: datetime | None = None) -> bool:
        """Store a new template; False when its id at Meta, or its name and language, are there already.

        Raises InvalidInputError when the components cannot be stored.
        """
        document = template.model_dump(mode="python", exclude={"template_id"}) | {
            "_id": template.template_id,
            "submitted_at": submitted_at,
            "status_order": status.order,
            "deleted": template.status == DELETED,
            "pending_event": True,
        }
        try:
            with storable():
                await self._templates.insert_one(document)
        except DuplicateKeyError:
            return False
        return True

    async def save_content(self, template: Template, now: datetime) -> None:
        """Store what the template says; its status is left alone. Raises InvalidInputError when it cannot be stored."""
        content = template.model_dump(mode="python", include=_CONTENT_FIELDS)
        with storable():
            await self._templates.update_one({"_id": template.template_id}, change(content, now))

    async def get(self, template_id: str) -> Template:
        """One template that is not deleted. Raises NotFoundError."""
        return (await self.get_with_submission(template_id))[0]

    async def get_with_submission(self, template_id: str) -> tuple[Template, datetime | None]:
        """As `get`, with the moment at which it was last handed to Meta by us."""
        document = await self._templates.find_one({"_id": template_id})
        if document is None or document["status"] == DELETED:
            raise NotFoundError(_NOT_FOUND)
        return to_template(document), document["submitted_at"]

    async def find(self, template_id: str) -> Template | None:
        """One template, a DELETED one too."""
        document = await self._templates.find_one({"_id": template_id})
        return to_template(document) if document else None

    async def get_to_delete(self, template_id: str) -> tuple[Template, str]:
        """As `get`, with the place of its status among Meta's sayings (see `StatusAtMeta.order`).

        Raises ConflictError while it is being submitted: nobody knows then whether it has to be deleted at Meta.
        """
        document = await self._templates.find_one({"_id": template_id})
        if document is None or document["status"] == DELETED:
            raise NotFoundError(_NOT_FOUND)
        if "submission" in document:
            raise ConflictError("The template is being submitted; try again in a minute", code="being_submitted")
        return to_template(document), document["status_order"]

    async def list_by_ids(self, template_ids: Sequence[str]) -> tuple[Template, ...]:
        """Those that exist, DELETED ones too."""
        return await self._list({"_id": {"$in": list(template_ids)}}) if template_ids else ()

    async def mark_status(self, template_id: str, status: StatusAtMeta, now: datetime) -> bool:
        """Record a status unless a later one is known; True when the template is different now.

        Raises ConflictError when a deleted template would come back and its name has been taken since.
        """
        return await self._mark({"_id": template_id}, {}, status, now) is not None

    async def mark_status_from(self, update: TemplateUpdate, status: StatusAtMeta, now: datetime) -> str | None:
        """As `mark_status`, for the template that Meta's update names: our id when it is different now, else None.

        Meta's id decides; a template that was submitted, but whose id at Meta never reached us, is known by its name.
        """
        unanswered = {
            "name": update.name,
            "language": update.language,
            "deleted": False,
            "meta_template_id": None,
            "submitted_at": {"$ne": None},
        }
        which = {"waba_id": update.waba_id, "$or": [{"meta_template_id": update.meta_template_id}, unanswered]}
        return await self._mark(which, {"meta_template_id": update.meta_template_id}, status, now)

    async def mark_news(self, update: TemplateUpdate, now: datetime) -> str | None:
        """Keep the latest quality or category that Meta told: our id when the template is different now, else None."""
        if update.quality_score is not None:
            values: Document = {"quality_score": update.quality_score}
            latest = "quality_order"
        else:
            values = {"category": update.category, "correct_category": update.correct_category}
            latest = "category_order"
        order = f"{iso_millis(update.at)}|{'|'.join(str(value) for value in values.values())}"
        before = await self._templates.find_one_and_update(
            {
                "waba_id": update.waba_id,
                "meta_template_id": update.meta_template_id,
                "$or": [{latest: {"$exists": False}}, {latest: {"$lt": order}}],
            },
            change(values, now, unannounced={latest: order}),
            projection=dict.fromkeys(values, 1),
        )
        if before is None or all(before.get(name) == value for name, value in values.items()):
            return None
        return str(before["_id"])

    async def list_known(self, waba_id: str) -> list[KnownTemplate]:
        """Everything ever stored for a WABA, DELETED ones too."""
        documents = self._templates.find({"waba_id": waba_id})
        return [
            KnownTemplate(to_template(found), found["submitted_at"], found.get("edited", False))
            async for found in documents
        ]

    async def list_of_waba(self, waba_id: str, status: str | None) -> tuple[Template, ...]:
        """The templates with a status, or (None) all that are not DELETED; newest first."""
        wanted: Document = {"deleted": False} if status is None else {"status": status}
        return await self._list({"waba_id": waba_id, **wanted})

    async def version_of_waba(self, waba_id: str) -> str:
        """What is another text after every change of any template of a WABA; read from an index alone.

        Templates are never removed, and `updated_at` rises with each change of one: the sum of all rises, too, in
        whatever order clocks say that changes were made.
        """
        steps: list[Document] = [
            {"$match": {"waba_id": waba_id}},
            {"$group": {"_id": None, "count": {"$sum": 1}, "moments": {"$sum": {"$toLong": "$updated_at"}}}},
        ]
        totals = await (await self._templates.aggregate(steps)).to_list()
        return "|".join((waba_id, *(f"{each['count']}|{each['moments']}" for each in totals)))

    async def list_wanted(
        self, waba_id: str, wanted: TemplateFilter, *, offset: int, limit: int
    ) -> tuple[Template, ...]:
        """One page of what a filter lets through, newest first."""
        found = self._templates.find(_conditions(waba_id, wanted)).sort(_NEWEST_FIRST).skip(offset).limit(limit)
        return tuple(map(to_template, await found.max_time_ms(_SEARCH_MS).to_list()))

    async def count_wanted(self, waba_id: str, wanted: TemplateFilter) -> int:
        """How many a filter lets through."""
        return await self._templates.count_documents(_conditions(waba_id, wanted), maxTimeMS=_SEARCH_MS)

    async def list_names(self, waba_id: str, wanted: TemplateFilter) -> list[str]:
        """The names of what a filter lets through, each once."""
        return await self._templates.distinct("name", _conditions(waba_id, wanted), maxTimeMS=_SEARCH_MS)

    async def list_approved(self, waba_id: str, name: str) -> tuple[Template, ...]:
        """All approved languages of one name, newest first."""
        return await self._list({"waba_id": waba_id, "name": name, "deleted": False, "status": APPROVED})

    async def list_unannounced(self, template_ids: Sequence[str]) -> tuple[Template, ...]:
        """Those of the given templates whose change has not been announced."""
        return await self._list({"_id": {"$in": list(template_ids)}, "pending_event": True})

    async def list_left_unannounced(self, before: datetime, *, limit: int) -> tuple[Template, ...]:
        """Templates whose change was made before a moment and has still not been announced."""
        documents = self._templates.find({"pending_event": True, "updated_at": {"$lte": before}})
        return tuple([to_template(found) async for found in documents.sort("updated_at", 1).limit(limit)])

    async def mark_announced(self, templates: Sequence[Template]) -> None:
        """Forget the notes of announced changes; one that has changed again meanwhile keeps its note."""
        notes = [
            UpdateOne({"_id": one.template_id, "updated_at": one.updated_at}, {"$unset": {"pending_event": ""}})
            for one in templates
        ]
        if notes:
            await self._templates.bulk_write(notes, ordered=False)

    @property
    def _templates(self) -> AsyncCollection[Document]:
        return self.database["templates"]

    async def _list(self, wanted: Document) -> tuple[Template, ...]:
        return tuple(map(to_template, await self._templates.find(wanted).sort(_NEWEST_FIRST).to_list()))

    async def _mark(self, which: Document, also: Document, status: StatusAtMeta, now: datetime) -> str | None:
        values = {
            "status": status.status,
            "rejected_reason": status.rejected_reason,
            "status_reason": status.explanation,
        } | also
        bookkeeping = {"status_order": status.order, "deleted": status.status == DELETED}
        try:
            before = await self._templates.find_one_and_update(
                {**which, "status_order": {"$lt": status.order}},
                change(values, now, unannounced=bookkeeping),
                projection=dict.fromkeys(values, 1),
                sort=[("meta_template_id", -1)],  # a match by Meta's id comes before one by name
                return_document=ReturnDocument.BEFORE,
            )
        except DuplicateKeyError as error:
            raise ConflictError("another template has this name and language now") from error
        if before is None or all(before.get(name) == value for name, value in values.items()):
            return None
        return str(before["_id"])


def _conditions(waba_id: str, wanted: TemplateFilter) -> Document:
    conditions: Document = {"waba_id": {"$eq": waba_id}}
    if wanted.status is not None:
        conditions["status"] = {"$eq": wanted.status}
    if wanted.status is None or (wanted.name is not None and wanted.status != DELETED):
        conditions["deleted"] = False  # with a name it leads to the unique index
    if wanted.name is not None:
        conditions["name"] = {"$eq": wanted.name}
    elif wanted.search is not None:
        conditions["name"] = {"$regex": re.escape(wanted.search), "$options": "i"}
    if wanted.language is not None:
        conditions["language"] = {"$eq": wanted.language}
    return conditions
