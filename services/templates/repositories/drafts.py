"""Drafts and submissions in the collection `templates`: what may be changed, by whom, and when.

A submission is claimed by one worker for the length of a lease: `submission` holds its id and its end, `uncalled` as
long as Meta was not called for it or for one before it, and `free` once Meta was asked and does not list the template:
then it may be submitted again before it is given up. `submitted_at` says that Meta may know the template even if its
answer never reached us; `edited` that a rejected one says something else here than at Meta, until it is submitted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

from services.templates.domain.statuses import DELETED, DRAFT, REJECTED, StatusAtMeta
from services.templates.domain.sync import KnownTemplate
from services.templates.repositories.documents import change, storable, to_template
from shared.contracts.templates import Template
from shared.errors import ConflictError
from shared.mongo import Database, Document

CHANGEABLE: Final = (DRAFT, REJECTED)
NAME_TAKEN: Final = "A template with this name and language already exists on this account"

_DRAFT_FIELDS = {"name", "language", "category", "parameter_format", "components", "variables"}


@dataclass(frozen=True, slots=True)
class Submission:
    """A template that one worker is submitting. `submitted_at` is of an earlier submission."""

    attempt_id: str
    template: Template
    status_order: str
    submitted_at: datetime | None
    claimed_at: datetime
    was_lost: bool  # Meta was called for an earlier submission, which came to no end

    @property
    def may_be_at_meta(self) -> bool:
        """Whether Meta may have taken an earlier submission, though its answer never reached us."""
        return self.was_lost or KnownTemplate(self.template, self.submitted_at).waits_for_meta_id


@dataclass(frozen=True, slots=True)
class DraftRepository:
    """Changes that people make, each conditional on the state that allows it."""

    database: Database

    async def ensure_indexes(self) -> None:
        """Create what the look for lost submissions relies on."""
        await self._templates.create_index(
            [("submission.until", 1)],
            name="submissions",
            partialFilterExpression={"submission.until": {"$exists": True}},
        )

    async def save_draft(self, template: Template, now: datetime) -> Template | None:
        """Store what a draft is to say; None when it may not be changed (any more).

        Raises ConflictError for a name that is taken, InvalidInputError for what cannot be stored.
        """
        values = template.model_dump(mode="python", include=_DRAFT_FIELDS)
        which = {"_id": template.template_id, **_open_for_change(now)}
        return await self._save(which, values, now, bookkeeping={"edited": True})

    async def save_variables(self, template: Template, now: datetime) -> Template | None:
        """Store what the variables are; None when the template has changed since it was read.

        Raises InvalidInputError for what cannot be stored.
        """
        values = template.model_dump(mode="python", include={"variables"})
        which = {"_id": template.template_id, "updated_at": template.updated_at, "deleted": False}
        return await self._save(which, values, now)

    async def find_submitted_at(self, template_id: str) -> datetime | None:
        """When a template was last handed to Meta by us."""
        document = await self._templates.find_one({"_id": template_id}, {"submitted_at": 1})
        return document["submitted_at"] if document else None

    async def claim(self, template_id: str, attempt_id: str, now: datetime, until: datetime) -> Submission | None:
        """Begin a submission; None when the state does not allow it, or another worker is at it."""
        return await self._claim({"_id": template_id, **_open_for_submission(now)}, attempt_id, now, until)

    async def begin_call(self, submission: Submission, until: datetime) -> bool:
        """Note that Meta is called now, until then at the latest; False when another worker has the submission."""
        result = await self._templates.update_one(
            {"_id": submission.template.template_id, "submission.id": submission.attempt_id},
            {"$set": {"submission.until": until}, "$unset": {"submission.uncalled": ""}},
        )
        return result.matched_count == 1

    async def find_lease_end(self, template_id: str) -> datetime | None:
        """Until when a submission is somebody's; None when there is none."""
        document = await self._templates.find_one({"_id": template_id}, {"submission.until": 1})
        return document["submission"]["until"] if document and "submission" in document else None

    async def claim_lost(self, attempt_id: str, now: datetime, until: datetime) -> Submission | None:
        """Take over one submission whose worker never came to an end."""
        return await self._claim({"submission.until": {"$lte": now}}, attempt_id, now, until)

    async def mark_submitted(
        self, submission: Submission, meta_id: str, category: str, status: StatusAtMeta, now: datetime
    ) -> Template | None:
        """Record what Meta answered; None when the submission is no longer ours.

        Its status counts unless Meta's news of a later one was quicker than its answer. Raises ConflictError when
        another template has this id at Meta.
        """
        known = {"meta_template_id": meta_id, "category": category, "submitted_at": submission.claimed_at}
        bookkeeping = {"status_order": status.order, "deleted": status.status == DELETED, "edited": False}
        news = {"status": status.status, "rejected_reason": status.rejected_reason, "status_reason": None}
        mine = {"_id": submission.template.template_id, "submission.id": submission.attempt_id}
        as_claimed = {**mine, "status_order": submission.status_order}
        return await self._end(as_claimed, {**known, **news}, now, bookkeeping) or await self._end(mine, known, now)

    async def mark_not_submitted(self, submission: Submission, reason: str | None, now: datetime) -> None:
        """Record that Meta did not take the template, and why: it is what it was before."""
        values = {"submitted_at": submission.submitted_at, "status_reason": reason}
        if submission.template.meta_template_id is None:
            values["submitted_at"] = None
        mine = {"_id": submission.template.template_id, "submission.id": submission.attempt_id}
        await self._end(mine, values, now)

    async def mark_unknown(self, submission: Submission, look_at: datetime, *, free: bool = False) -> None:
        """Record that only Meta knows whether it took the template; it is looked up later.

        With `free` it may be submitted again before that.
        """
        await self._templates.update_one(
            {"_id": submission.template.template_id, "submission.id": submission.attempt_id},
            {
                "$set": {
                    "submission.until": look_at,
                    "submission.free": free,
                    "submitted_at": submission.submitted_at or submission.claimed_at,
                }
            },
        )

    @property
    def _templates(self) -> AsyncCollection[Document]:
        return self.database["templates"]

    async def _save(
        self, which: Document, values: Mapping[str, Any], now: datetime, bookkeeping: Mapping[str, Any] | None = None
    ) -> Template | None:
        update = change(values, now, unannounced=bookkeeping)
        try:
            with storable():
                document = await self._templates.find_one_and_update(
                    which, update, return_document=ReturnDocument.AFTER
                )
        except DuplicateKeyError as error:
            raise ConflictError(NAME_TAKEN) from error
        return to_template(document) if document else None

    async def _claim(self, which: Document, attempt_id: str, now: datetime, until: datetime) -> Submission | None:
        document = await self._templates.find_one_and_update(
            which,
            [{"$set": {"submission": _new_claim(attempt_id, until), "submitted_at": now}}],
            return_document=ReturnDocument.BEFORE,
        )
        if document is None:
            return None
        return Submission(
            attempt_id=attempt_id,
            template=to_template(document),
            status_order=document["status_order"],
            submitted_at=document.get("submitted_at"),
            claimed_at=now,
            was_lost="submission" in document and not document["submission"].get("uncalled"),
        )

    async def _end(
        self, which: Document, values: Mapping[str, Any], now: datetime, bookkeeping: Mapping[str, Any] | None = None
    ) -> Template | None:
        update = [*change(values, now, unannounced=bookkeeping), {"$unset": "submission"}]
        try:
            document = await self._templates.find_one_and_update(which, update, return_document=ReturnDocument.AFTER)
        except DuplicateKeyError as error:
            raise ConflictError("another template has this id at Meta") from error
        return to_template(document) if document else None


def _new_claim(attempt_id: str, until: datetime) -> Document:
    """As an expression: what was called before remains so."""
    never_called = {"$in": [{"$ifNull": ["$submission.uncalled", {"$type": "$submission"}]}, [True, "missing"]]}
    return {"id": attempt_id, "until": until, "free": False, "uncalled": never_called}


def _open_for_submission(now: datetime) -> Document:
    """As for a change; and those that Meta does not list, though it was called: it takes no name twice."""
    which = _open_for_change(now)
    return which | {"$or": [*which["$or"], {"submission.free": True}]}


def _open_for_change(now: datetime) -> Document:
    """Which templates may be changed or submitted: drafts and rejected ones that nobody is submitting."""
    free = [{"submission": {"$exists": False}}, {"submission.until": {"$lte": now}}]
    return {"status": {"$in": list(CHANGEABLE)}, "$or": free}
