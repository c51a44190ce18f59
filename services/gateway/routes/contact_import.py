"""Contacts from a CSV or NDJSON file, taken in piece by piece: memory stays flat however long the file is."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from services.gateway.domain.recipient_files import FileKind, RecipientFile
from services.gateway.routes.asking import Asking
from services.gateway.schemas.values import LONGEST_VALUE, MOST_VALUES, attribute_problem
from shared.contracts.campaigns import RefusedRow
from shared.contracts.contacts import ChangeConsent, ContactRow, RecipientRow, UpsertContacts
from shared.errors import PayloadTooLargeError, UnsupportedMediaTypeError
from shared.ids import derived_hex_id, new_id
from shared.phones import is_recipient, normalised

MOST_BYTES = 200 * 1024 * 1024

_ROWS = 1000
_REFUSED_SHOWN = 1000
_PIECE = 64 * 1024
_OPT_OUTS_AT_ONCE = 20
_KINDS: dict[str, FileKind] = {"text/csv": "csv", "application/x-ndjson": "ndjson"}
_TRUE = {"1", "true", "yes", "y", "x"}


@dataclass(slots=True)
class _Report:
    created: int = 0
    updated: int = 0
    opted_out: int = 0
    refused: int = 0
    refused_rows: list[dict[str, Any]] = field(default_factory=list)

    def refuse(self, row: int, phone: str, message: str) -> None:
        self.refused += 1
        if len(self.refused_rows) < _REFUSED_SHOWN:
            self.refused_rows.append({"row": row, "phone": phone[:64], "message": message})

    def shown(self) -> dict[str, Any]:
        return {
            "created": self.created,
            "updated": self.updated,
            "opted_out": self.opted_out,
            "refused": self.refused,
            "refused_rows": self.refused_rows,
        }


async def import_contacts(request: web.Request, user_id: str, asking: Asking, *, local: bool) -> dict[str, Any]:
    """Take a file in; returns the report. Columns but phone, name, email, company, tags, opted_out are attributes.

    Raises UnsupportedMediaTypeError, PayloadTooLargeError, and InvalidInputError for what is no such file.
    """
    report, chunk = _Report(), dict[str, tuple[ContactRow, bool]]()
    async for parsed in _parsed_rows(request):
        for row in parsed:
            accepted = _accept(row, report, local=local)
            if accepted is not None:
                chunk.setdefault(accepted[0].phone, accepted)
            if len(chunk) == _ROWS:
                await _store(user_id, list(chunk.values()), asking, report)
                chunk.clear()
    await _store(user_id, list(chunk.values()), asking, report)
    return report.shown()


async def _parsed_rows(request: web.Request) -> AsyncIterator[list[RecipientRow | RefusedRow]]:
    kind = _KINDS.get(request.content_type)
    if kind is None:
        raise UnsupportedMediaTypeError("The file must be sent as text/csv or application/x-ndjson")
    file, size = RecipientFile(kind), 0
    async for piece in request.content.iter_chunked(_PIECE):
        size += len(piece)
        if size > MOST_BYTES:
            raise PayloadTooLargeError("The file is larger than 200 MiB")
        yield file.feed(piece)
    yield file.finish()


def _accept(row: RecipientRow | RefusedRow, report: _Report, *, local: bool) -> tuple[ContactRow, bool] | None:
    if isinstance(row, RefusedRow):
        report.refuse(row.row, row.phone, row.reason)
        return None
    phone = normalised(row.phone)
    if phone is None or not is_recipient(phone, allow_unknown_codes=local):
        report.refuse(row.row, row.phone, "phone must be in E.164 format, e.g. +919876543210")
        return None
    others = dict(row.variables)
    tags = tuple(tag.strip()[:100] for tag in others.pop("tags", "").replace(";", ",").split(",") if tag.strip())
    opted_out = others.pop("opted_out", "").strip().lower() in _TRUE
    if (problem := _attributes_problem(others)) is not None:
        report.refuse(row.row, row.phone, problem)
        return None
    person = {"name": row.name, "email": row.email, "company": row.company}
    return ContactRow(phone=phone, attributes=others, tags=tags, **person), opted_out


def _attributes_problem(attributes: dict[str, str]) -> str | None:
    if len(attributes) > MOST_VALUES:
        return f"has more than {MOST_VALUES} attributes"
    for key, value in attributes.items():
        if (problem := attribute_problem(key)) is not None:
            return f"the column {key[:60]} {problem}"
        if len(value) > LONGEST_VALUE:
            return f"{key} must have at most {LONGEST_VALUE} characters"
    return None


async def _store(user_id: str, chunk: Sequence[tuple[ContactRow, bool]], asking: Asking, report: _Report) -> None:
    if not chunk:
        return
    command = UpsertContacts(user_id=user_id, contacts=tuple(row for row, _ in chunk))
    stored = await asking.command(command, look_at=f"GET /api/v1/contacts?user_id={user_id}")
    report.created += stored.created
    report.updated += stored.updated
    leaving = [id_ for id_, (_, opted_out) in zip(stored.contact_ids, chunk, strict=True) if opted_out]
    upload = new_id("import_")
    for start in range(0, len(leaving), _OPT_OUTS_AT_ONCE):
        await asyncio.gather(*(_opt_out(id_, upload, asking) for id_ in leaving[start : start + _OPT_OUTS_AT_ONCE]))
    report.opted_out += len(leaving)


async def _opt_out(contact_id: str, upload: str, asking: Asking) -> None:
    change_id = f"consent_{derived_hex_id(upload, contact_id)}"
    command = ChangeConsent(change_id=change_id, contact_id=contact_id, opted_out=True, proof="import", evidence=upload)
    await asking.command(command, look_at=f"GET /api/v1/contacts/{contact_id}")
