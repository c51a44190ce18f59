"""Single messages with every moment that their documents keep."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.messaging.domain.messages import StoredMessage
from services.messaging.repositories.documents import to_stored
from shared.errors import NotFoundError
from shared.mongo import Database

_OURS = re.compile(r"[0-9a-f]{24}")
_MOMENTS = ("created_at", "intended_at", "unknown_at")


@dataclass(frozen=True, slots=True)
class TimelineRepository:
    """The messages collection, for whoever asks what became of one."""

    database: Database

    @property
    def _messages(self) -> Any:
        return self.database["messages"]

    async def get(self, message_id: str) -> tuple[StoredMessage, dict[str, datetime], str | None]:
        """A message by our id or Meta's, its moments by name, and Meta's id of its number. Raises NotFoundError."""
        by = {"_id": message_id} if _OURS.fullmatch(message_id) else {"wamid": message_id}
        document = await self._messages.find_one(by)
        if document is None:
            raise NotFoundError("Message not found")
        moments = {name: document[name] for name in _MOMENTS if document.get(name) is not None}
        moments |= {f"status_{name}": at for name, at in document.get("status_at", {}).items()}
        number = await self.database["phone_numbers"].find_one({"_id": document["phone_number_id"]})
        return to_stored(document), moments, number["meta_phone_number_id"] if number else None
