"""`/api/v1/campaign/:id/recipients`: files of any size in, pages or a CSV out; in both directions piece by piece."""

import asyncio
import csv
import hashlib
import io
import tempfile
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import IO, Any, Final, get_args

from aiohttp import web

from services.gateway.domain.recipient_files import FileKind, Parsed, RecipientFile
from services.gateway.routes.asking import Asking
from services.gateway.routes.campaigns import CHUNK, TOLD_AT_MOST, campaign_id, refused_shown
from services.gateway.routes.idempotent import Fixed, Idempotency
from services.gateway.routes.parameters import ROW_CURSOR, query_choice, query_cursor, query_number
from shared.clock import iso_millis
from shared.contracts.base import Command, ReplyT
from shared.contracts.campaigns import (
    AbortUpload,
    BeginUpload,
    Campaign,
    FinishUpload,
    GetCampaign,
    ListRecipients,
    Recipient,
    RecipientState,
    RefusedRow,
    StagedRecipients,
    StageRecipients,
)
from shared.contracts.contacts import RecipientRow
from shared.errors import InvalidInputError, PayloadTooLargeError, UnsupportedMediaTypeError, WaapiError
from shared.ids import new_id
from shared.web.answers import answer_headers
from shared.web.envelopes import success

MOST_BYTES: Final = 200 * 1024 * 1024
MOST_ROWS: Final = 1_000_000

_KINDS: Final[dict[str, FileKind]] = {"text/csv": "csv", "application/x-ndjson": "ndjson"}
_PIECE = 16 * 1024  # read in one go while others wait
_AT_ONCE = 4  # chunks of a file that are being stored
_PIECE_SECONDS = 30.0  # a file that drips in slower holds a connection for nothing
_LEASE_SECONDS = 900  # of an Idempotency-Key, while its file is worked on
_STATES: tuple[RecipientState, ...] = get_args(RecipientState)
_COLUMNS = ("recipient_id", "row", "phone", "state", "message_id", "error_code", "error_class", "reason", "updated_at")


@dataclass(frozen=True, slots=True)
class CampaignRecipientRoutes:
    """Memory stays flat: the next chunk is read while a few before it are being stored."""

    asking: Asking
    idempotency: Idempotency

    def table(self) -> list[web.RouteDef]:
        """What is served where."""
        path = "/api/v1/campaign/{campaign_id}/recipients"
        return [web.get(path, self.list_recipients), web.post(path, self.add_recipients)]

    async def list_recipients(self, request: web.Request) -> web.StreamResponse:
        """200 with a page; with `Accept: text/csv`, all of them as a file."""
        wanted = query_choice(request, "state", _STATES)
        state = next((state for state in _STATES if state == wanted), None)
        limit = query_number(request, "limit", default=50, most=200)
        query = ListRecipients(
            campaign_id=campaign_id(request), state=state, limit=limit, cursor=query_cursor(request, ROW_CURSOR)
        )
        if request.headers.get("Accept", "").split(";")[0].strip() == "text/csv":
            return await self._export(request, query.model_copy(update={"limit": CHUNK}))
        page = await self.asking.query(query)
        pagination = {"limit": limit, "next_cursor": page.next_cursor}
        return success(request, {"recipients": list(map(_shown, page.items)), "pagination": pagination})

    async def add_recipients(self, request: web.Request) -> web.Response:
        """200 with what became of the file's rows; a file that breaks off leaves nothing."""
        kind = _kind_of(request)
        id_ = campaign_id(request)
        campaign = await self.asking.query(GetCampaign(campaign_id=id_))

        async def work(fixed: Fixed) -> web.Response:
            upload = _Upload(self.asking, id_, fixed["upload_id"], RecipientFile(kind))
            return success(request, upload.report(await upload.take(pieces)))

        fixed = {"upload_id": new_id("upl_")}
        if "Idempotency-Key" not in request.headers:
            pieces = _pieces(request)
            return await work(fixed)
        with tempfile.TemporaryFile() as kept:  # its key must know the whole file before anything is done
            digest = await _spool(request, kept)
            pieces = _pieces_of(kept)
            return await self.idempotency.run(
                request,
                owner=campaign.user_id,
                fixed=fixed,
                work=work,
                lease_seconds=_LEASE_SECONDS,
                body_hash=digest,
            )

    async def _export(self, request: web.Request, query: ListRecipients) -> web.StreamResponse:
        page = await self.asking.query(query)  # an error is still an ordinary answer here
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/csv; charset=utf-8",
                "Content-Disposition": f'attachment; filename="{query.campaign_id}.csv"',
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
                **answer_headers(request),
            }
        )
        await response.prepare(request)
        await response.write((",".join(_COLUMNS) + "\r\n").encode())
        while True:
            await response.write(_csv_lines(page.items))
            if page.next_cursor is None:
                return response
            page = await self.asking.query(query.model_copy(update={"cursor": page.next_cursor}))


@dataclass(slots=True)
class _Upload:
    """One file on its way into a campaign."""

    asking: Asking
    campaign_id: str
    upload_id: str
    file: RecipientFile
    rows: int = 0
    accepted: int = 0
    duplicates: int = 0
    opted_out: int = 0
    refused_count: int = 0
    refused: list[RefusedRow] = field(default_factory=list)
    _storing: deque[asyncio.Task[StagedRecipients]] = field(default_factory=deque)

    async def take(self, pieces: AsyncIterator[bytes]) -> Campaign:
        """Stage every row, then let them count; whatever goes wrong undoes all of it."""
        await self._ask(BeginUpload(campaign_id=self.campaign_id, upload_id=self.upload_id))
        try:
            waiting: list[Parsed] = []
            async for piece in pieces:
                waiting += self.file.feed(piece)
                while len(waiting) >= CHUNK:
                    await self._stage(waiting[:CHUNK])
                    del waiting[:CHUNK]
            waiting += self.file.finish()
            for start in range(0, len(waiting), CHUNK):
                await self._stage(waiting[start : start + CHUNK])
            await self._stored(leaving=0)
            return await self._ask(
                FinishUpload(campaign_id=self.campaign_id, upload_id=self.upload_id, duplicates=self.duplicates)
            )
        except BaseException:
            await self._abort()
            raise

    def report(self, campaign: Campaign) -> dict[str, Any]:
        """What became of the rows."""
        return {
            "campaign_id": self.campaign_id,
            "total_recipients": campaign.counters.total,
            "rows": self.rows,
            "accepted": self.accepted,
            "duplicates_removed": self.duplicates,
            "skipped": self.opted_out,
            "refused": {"count": self.refused_count, "rows": refused_shown(self.refused, first_line=1)},
        }

    async def _stage(self, parsed: list[Parsed]) -> None:
        """Wait until few enough chunks are being stored, then store this one while the file is read on."""
        self.rows += len(parsed)
        if self.rows > MOST_ROWS:
            raise PayloadTooLargeError(f"A file may have at most {MOST_ROWS:,} rows", code="too_many_rows")
        await self._stored(leaving=_AT_ONCE - 1)
        rows = tuple(each for each in parsed if isinstance(each, RecipientRow))
        unreadable = tuple(each for each in parsed if isinstance(each, RefusedRow))
        self._note(unreadable)
        chunk = StageRecipients(
            campaign_id=self.campaign_id, upload_id=self.upload_id, rows=rows, unreadable=unreadable
        )
        self._storing.append(asyncio.create_task(self._ask(chunk)))

    async def _stored(self, *, leaving: int) -> None:
        """In the file's order, so that of its refused rows the first are told."""
        while len(self._storing) > leaving:
            staged = await self._storing[0]
            self._storing.popleft()
            self.accepted += staged.accepted
            self.duplicates += staged.duplicates
            self.opted_out += staged.opted_out
            self._note(staged.refused)

    def _note(self, refused: tuple[RefusedRow, ...]) -> None:
        self.refused_count += len(refused)
        self.refused += refused[: TOLD_AT_MOST - len(self.refused)]

    async def _ask(self, command: Command[ReplyT]) -> ReplyT:
        return await self.asking.command(command, look_at=f"GET /api/v1/campaign/{self.campaign_id}", long=True)

    async def _abort(self) -> None:
        """Nothing is lost if this does not get away: an upload that nobody renews is undone two minutes later."""
        await asyncio.gather(*self._storing, return_exceptions=True)
        try:
            await self.asking.bus.send(AbortUpload(campaign_id=self.campaign_id, upload_id=self.upload_id))
        except WaapiError:
            return


def _kind_of(request: web.Request) -> FileKind:
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if request.content_type not in _KINDS or encoding != "identity":
        raise UnsupportedMediaTypeError(
            "Recipients are sent with Content-Type: text/csv or application/x-ndjson, uncompressed"
        )
    if (request.content_length or 0) > MOST_BYTES:
        raise _too_large()
    return _KINDS[request.content_type]


async def _pieces(request: web.Request) -> AsyncIterator[bytes]:
    """The body as it arrives. Raises PayloadTooLargeError, InvalidInputError when it breaks off, 408 when it drips."""
    total = 0
    while True:
        try:
            async with asyncio.timeout(_PIECE_SECONDS):
                piece = await request.content.read(_PIECE)
        except TimeoutError:
            raise web.HTTPRequestTimeout from None
        except (web.RequestPayloadError, ConnectionError) as error:
            raise InvalidInputError("The file broke off; nothing of it was kept", code="broken_upload") from error
        if not piece:
            return
        total += len(piece)
        if total > MOST_BYTES:
            raise _too_large()
        yield piece


async def _spool(request: web.Request, kept: IO[bytes]) -> str:
    digest = hashlib.sha256()
    async for piece in _pieces(request):
        digest.update(piece)
        await asyncio.to_thread(kept.write, piece)
    kept.seek(0)
    return digest.hexdigest()


async def _pieces_of(kept: IO[bytes]) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(kept.read, _PIECE):
        yield piece


def _too_large() -> PayloadTooLargeError:
    return PayloadTooLargeError(f"A file may have at most {MOST_BYTES // 1024 // 1024} MiB")


def _shown(recipient: Recipient) -> dict[str, Any]:
    return {
        "recipient_id": recipient.recipient_id,
        "row": recipient.row,
        "phone": recipient.phone,
        "state": recipient.state,
        "message_id": recipient.message_id,
        "round": recipient.round,
        "error_code": recipient.error_code,
        "error_class": recipient.error_class,
        "reason": recipient.reason,
        "due_at": iso_millis(recipient.due_at) if recipient.due_at else None,
        "updated_at": iso_millis(recipient.updated_at) if recipient.updated_at else None,
    }


def _csv_lines(recipients: tuple[Recipient, ...]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    for recipient in recipients:
        shown = _shown(recipient)
        writer.writerow([_harmless(shown[name]) for name in _COLUMNS])
    return text.getvalue().encode()


def _harmless(value: Any) -> Any:
    """A spreadsheet would take these beginnings for a formula; phones keep their plus."""
    if isinstance(value, str) and value[:1] in {"=", "-", "@", "\t", "\r"}:
        return f"'{value}"
    return value
