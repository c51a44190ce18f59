"""The status in which each template was last heard of: what makes a change a change of status."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from pymongo import UpdateOne
from pymongo.asynchronous.collection import AsyncCollection

from services.webhooks.repositories.inserting import insert_new
from shared.contracts.templates import Template
from shared.mongo import Database


class TemplateStatusRepository:
    """The collection template_statuses."""

    def __init__(self, database: Database) -> None:
        self._statuses: AsyncCollection[dict[str, Any]] = database["template_statuses"]

    async def known(self, template_ids: Collection[str]) -> Mapping[str, tuple[str, datetime]]:
        """The last status of each template that was heard of before, and its time."""
        found = self._statuses.find({"_id": {"$in": list(template_ids)}})
        return {document["_id"]: (document["status"], document["updated_at"]) async for document in found}

    async def remember(self, templates: Collection[Template]) -> None:
        """Keep statuses, unless a later one is known already."""
        await insert_new(self._statuses, [_document(template) for template in templates])
        newer = [
            UpdateOne(
                {"_id": template.template_id, "updated_at": {"$lt": template.updated_at}},
                {"$set": {"status": template.status, "updated_at": template.updated_at}},
            )
            for template in templates
        ]
        await self._statuses.bulk_write(newer, ordered=False)


def _document(template: Template) -> dict[str, Any]:
    return {"_id": template.template_id, "status": template.status, "updated_at": template.updated_at}
