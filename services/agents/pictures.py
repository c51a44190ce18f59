"""Pictures that customers sent, as a model takes them. One that cannot be had is left out, its message stays."""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import structlog

from services.agents.domain.dialogue import Said
from shared.bus.port import Bus
from shared.contracts.threads import FetchMedia, ReadMedia
from shared.errors import WaapiError

log = structlog.get_logger()

MOST_PICTURES = 4  # the newest ones
LARGEST_BYTES = 4 * 1024 * 1024
TYPES = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})
_FETCH_SECONDS = 15
_READ_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Pictures:
    """Asks messaging, which keeps media."""

    bus: Bus

    async def of(self, said: Iterable[Said]) -> Mapping[str, str]:
        """Data URLs by media id."""
        wanted = [each.picture for each in said if each.picture is not None][-MOST_PICTURES:]
        found = {media_id: await self._data_url(media_id) for media_id in wanted}
        return {media_id: url for media_id, url in found.items() if url is not None}

    async def _data_url(self, media_id: str) -> str | None:
        try:
            info = await self.bus.request(FetchMedia(media_id=media_id), timeout_seconds=_FETCH_SECONDS)
            if info.mime_type not in TYPES or info.size > LARGEST_BYTES:
                return None
            content = bytearray()
            while len(content) < info.size:
                request = ReadMedia(media_id=media_id, offset=len(content))
                piece = await self.bus.request(request, timeout_seconds=_READ_SECONDS)
                if not piece.data:
                    return None
                content += base64.b64decode(piece.data)
        except WaapiError as error:
            log.info("picture_left_out", media_id=media_id, reason=error.code)
            return None
        return f"data:{info.mime_type};base64,{base64.b64encode(content).decode()}"
