"""Media that customers sent: what is known of each file, and the bytes, of which equal ones are kept once."""

from dataclasses import dataclass
from typing import Any

from bson import Binary
from pymongo.errors import BulkWriteError

from services.messaging.domain.inbound import file_of
from shared.clock import Clock
from shared.contracts.threads import MediaInfo
from shared.mongo import Database, Document

PIECE_BYTES = 256 * 1024
_DUPLICATE_KEY = 11000


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A file that a message brought; `info` is there once the file is here."""

    media_id: str
    user_id: str
    phone_number_id: str
    file_id: str | None
    link: str | None
    mime_type: str | None
    filename: str | None
    info: MediaInfo | None


@dataclass(frozen=True, slots=True)
class MediaRepository:
    """The collections media (a document a file) and media_pieces (the bytes, by the file's hash)."""

    database: Database
    now: Clock

    @property
    def _media(self) -> Any:
        return self.database["media"]

    @property
    def _pieces(self) -> Any:
        return self.database["media_pieces"]

    async def ensure_indexes(self) -> None:
        """Equal files are looked for when one of them is erased."""
        await self._media.create_index("sha256")

    async def find(self, media_id: str) -> MediaFile | None:
        """One file, by our id; known by the message that brought it."""
        message = await self.database["inbound_messages"].find_one({"media_id": media_id})
        if message is None:
            return None
        content = message.get("content", {})
        file_id, link = file_of(message["channel"], content) or (None, None)
        return MediaFile(
            media_id=media_id,
            user_id=message["user_id"],
            phone_number_id=message["phone_number_id"],
            file_id=file_id,
            link=link,
            mime_type=content.get("mime_type"),
            filename=content.get("filename"),
            info=await self.find_info(media_id),
        )

    async def find_info(self, media_id: str) -> MediaInfo | None:
        """What is known of a file that is here."""
        document = await self._media.find_one({"_id": media_id})
        return _to_info(document) if document else None

    async def store(self, info: MediaInfo, data: bytes) -> None:
        """Keep a file: its bytes first, so that one which is known is here as a whole. Idempotent."""
        pieces = [
            {"_id": f"{info.sha256}:{offset}", "data": Binary(data[offset : offset + PIECE_BYTES])}
            for offset in range(0, len(data), PIECE_BYTES)
        ]
        try:
            if pieces:
                await self._pieces.insert_many(pieces, ordered=False)
        except BulkWriteError as error:  # the same bytes came before
            if any(entry["code"] != _DUPLICATE_KEY for entry in (error.details or {}).get("writeErrors", [])):
                raise
        document: Document = info.model_dump(exclude={"media_id"}) | {"stored_at": self.now()}
        await self._media.replace_one({"_id": info.media_id}, document, upsert=True)

    async def read(self, sha256: str, offset: int) -> bytes:
        """The piece in which the byte at `offset` is, from that byte on; empty after the end."""
        start = offset - offset % PIECE_BYTES
        piece = await self._pieces.find_one({"_id": f"{sha256}:{start}"})
        return bytes(piece["data"])[offset - start :] if piece else b""


def _to_info(document: Document) -> MediaInfo:
    return MediaInfo(
        media_id=document["_id"],
        user_id=document["user_id"],
        mime_type=document["mime_type"],
        size=document["size"],
        sha256=document["sha256"],
        filename=document["filename"],
    )
