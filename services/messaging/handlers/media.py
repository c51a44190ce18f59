"""Media that customers sent, downloaded when somebody first asks for it."""

import base64
import hashlib
from dataclasses import dataclass

from services.messaging.clients.media import MediaClient
from services.messaging.repositories.media import MediaFile, MediaRepository
from services.messaging.repositories.numbers import NumberRepository
from shared.bus.port import Bus
from shared.contracts.threads import FetchMedia, MediaInfo, MediaPiece, ReadMedia
from shared.errors import NotFoundError
from shared.sealing import KeyRing

_UNKNOWN = "Media not found"
_ANY_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class MediaHandlers:
    """Idempotent: a file is kept under its message's media id, its bytes under their hash."""

    bus: Bus
    media: MediaRepository
    numbers: NumberRepository
    client: MediaClient
    keys: KeyRing

    def register(self) -> None:
        """Own the media."""
        self.bus.on(FetchMedia, self.fetch_media)
        self.bus.on(ReadMedia, self.read_media)

    async def fetch_media(self, command: FetchMedia) -> MediaInfo:
        """Have the file here. Raises NotFoundError and Meta's errors."""
        file = await self.media.find(command.media_id)
        if file is None:
            raise NotFoundError(_UNKNOWN)
        return file.info or await self._download(file)

    async def read_media(self, query: ReadMedia) -> MediaPiece:
        """Some of its bytes. Raises NotFoundError when the file is not here."""
        info = await self.media.find_info(query.media_id)
        if info is None:
            raise NotFoundError(_UNKNOWN)
        data = await self.media.read(info.sha256, query.offset)
        return MediaPiece(data=base64.b64encode(data).decode())

    async def _download(self, file: MediaFile) -> MediaInfo:
        access = await self.numbers.get_access(file.phone_number_id)
        token = self.keys.open(access.sealed_access_token, owner_id=access.phone_number_id, field="access_token")
        found = await self.client.download(f"Bearer {token}", file_id=file.file_id, link=file.link)
        info = MediaInfo(
            media_id=file.media_id,
            user_id=file.user_id,
            mime_type=file.mime_type or found.mime_type or _ANY_TYPE,
            size=len(found.data),
            sha256=hashlib.sha256(found.data).hexdigest(),
            filename=file.filename,
        )
        await self.media.store(info, found.data)
        return info
