"""Media that customers sent: a link of five minutes from the dashboard API, and the file behind it."""

import base64
import re
from dataclasses import dataclass
from urllib.parse import quote

from aiohttp import web

from services.gateway.domain.media_links import MediaLinks
from services.gateway.routes.asking import Asking
from services.gateway.routes.parameters import path_id
from shared.clock import Clock
from shared.contracts.threads import FetchMedia, MediaInfo, ReadMedia
from shared.errors import PermissionDeniedError
from shared.web.answers import answer_headers

_UNKNOWN = "Media not found"
_TYPE = re.compile(r"[a-z]+/[A-Za-z0-9.+-]{1,80}")


@dataclass(frozen=True, slots=True)
class MediaRoutes:
    """The file itself is read from messaging piece by piece, so that no gateway holds one as a whole."""

    asking: Asking
    links: MediaLinks
    now: Clock

    def table(self) -> list[web.RouteDef]:
        """What the dashboard API serves."""
        return [web.get("/api/v1/media/{media_id}", self.show_link)]

    def files(self) -> list[web.RouteDef]:
        """What whoever has a link may read."""
        return [web.get("/media/{media_id}", self.read)]

    async def show_link(self, request: web.Request) -> web.Response:
        """302 to the file, which Meta is asked for if it is not here yet. 404, or 502 when Meta has it no more."""
        media_id = path_id(request, "media_id", unknown=_UNKNOWN)
        await self.asking.command(FetchMedia(media_id=media_id), look_at=f"GET /api/v1/media/{media_id}")
        headers = {"Location": self.links.link(media_id, self.now()), "Cache-Control": "no-store"}
        return web.Response(status=302, headers=headers)

    async def read(self, request: web.Request) -> web.StreamResponse:
        """200 with the file. Raises PermissionDeniedError for a link that is not ours or too old."""
        media_id = path_id(request, "media_id", unknown=_UNKNOWN)
        expires, signature = request.query.get("expires", ""), request.query.get("signature", "")
        if not self.links.is_valid(media_id, expires, signature, self.now()):
            raise PermissionDeniedError("This link is not valid any more; ask for a new one")
        info = await self.asking.command(FetchMedia(media_id=media_id), look_at="this link")
        response = web.StreamResponse(headers=_headers(info) | answer_headers(request))
        response.content_length = info.size
        await response.prepare(request)
        offset = 0
        while offset < info.size:
            piece = base64.b64decode((await self.asking.query(ReadMedia(media_id=media_id, offset=offset))).data)
            if not piece:
                break
            await response.write(piece)
            offset += len(piece)
        await response.write_eof()
        return response


def _headers(info: MediaInfo) -> dict[str, str]:
    """What came from a stranger is never shown as a page of ours."""
    name = quote(info.filename or info.media_id, safe="")
    kind = info.mime_type.split(";")[0].strip()
    return {
        "Content-Type": kind if _TYPE.fullmatch(kind) else "application/octet-stream",
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, max-age=300",
        "ETag": f'"{info.sha256}"',
    }
