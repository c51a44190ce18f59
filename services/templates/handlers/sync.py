"""Bringing over what exists at Meta."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import structlog

from services.templates.domain.meta_templates import FIELDS, MetaTemplate, read_listing
from services.templates.domain.statuses import StatusAtMeta
from services.templates.domain.sync import SyncPlan, absence, imported, listed_status, plan_sync, refreshed
from services.templates.handlers.access import NumberLookup
from services.templates.handlers.announcements import Announcements
from services.templates.repositories.templates import TemplateRepository
from shared.clock import Clock
from shared.contracts.messaging import NumberAccess
from shared.contracts.templates import SyncedTemplate, SyncError, SyncResult, SyncTemplates, Template
from shared.crashpoints import crash_point
from shared.errors import ConflictError, InvalidInputError, NotFoundError
from shared.sealing import KeyRing

_WRITES_AT_A_TIME = 16  # the database commits concurrent writes together; more than this gains nothing

log = structlog.get_logger()


class TemplateSource(Protocol):
    """Meta, or a stand-in for it."""

    async def list_templates(self, waba_id: str, access_token: str, fields: tuple[str, ...]) -> list[object]:
        """Every template of a WABA, as Meta writes them."""


@dataclass(slots=True)
class _Outcome:
    imported: list[SyncedTemplate] = field(default_factory=list)
    updated: list[SyncedTemplate] = field(default_factory=list)
    errors: list[SyncError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SyncHandler:
    """Handles `SyncTemplates`."""

    templates: TemplateRepository
    numbers: NumberLookup
    meta: TemplateSource
    announcements: Announcements
    keys: KeyRing
    now: Clock
    new_id: Callable[[str], str]

    async def sync_templates(self, command: SyncTemplates) -> SyncResult:
        """Import and refresh. Idempotent: only differences are written, each by a conditional update of its own."""
        access, waba_id = await self.numbers.whatsapp_access(command.phone_number_id)
        if access.user_id != command.user_id:
            raise NotFoundError("Phone number not found")
        token = self.keys.open(access.sealed_access_token, owner_id=access.phone_number_id, field="access_token")

        known = await self.templates.list_known(waba_id)  # before Meta is asked: what comes up later is not missed
        asked_at = self.now()
        listed, unreadable = read_listing(await self.meta.list_templates(waba_id, token, FIELDS))
        plan = plan_sync(known, listed, asked_at)
        outcome = await self._carry_out(plan, access, asked_at)
        crash_point("templates.synced")

        await self.announcements.announce([one.template_id for one in (*outcome.imported, *outcome.updated)])
        result = SyncResult(
            imported=tuple(outcome.imported),
            updated=tuple(outcome.updated),
            errors=(*unreadable, *outcome.errors),
        )
        log.info(
            "templates_synced",
            waba_id=waba_id,
            listed=len(listed),
            imported=len(result.imported),
            updated=len(result.updated),
            errors=len(result.errors),
        )
        return result

    async def _carry_out(self, plan: SyncPlan, access: NumberAccess, asked_at: datetime) -> _Outcome:
        outcome = _Outcome(errors=list(plan.errors))
        # What is gone goes first: a name may have been given to another template since.
        await _together(self._delete(template, absence(asked_at), outcome) for template in plan.vanished)
        await _together(self._refresh(template, entry, asked_at, outcome) for template, entry in plan.refreshes)
        await _together(self._import(entry, access, asked_at, outcome) for entry in plan.imports)
        return outcome

    async def _delete(self, template: Template, status: StatusAtMeta, outcome: _Outcome) -> None:
        if await self.templates.mark_status(template.template_id, status, self.now()):
            outcome.updated.append(_synced(template))

    async def _refresh(self, template: Template, entry: MetaTemplate, asked_at: datetime, outcome: _Outcome) -> None:
        try:
            present = refreshed(template, entry, new_id=self.new_id)
            changed = present != template
            if changed:
                await self.templates.save_content(present, self.now())
            if (entry.status, entry.rejected_reason) != (template.status, template.rejected_reason):
                status = listed_status(entry, asked_at)
                changed |= await self.templates.mark_status(template.template_id, status, self.now())
            if changed:
                outcome.updated.append(_synced(template))
        except (InvalidInputError, ConflictError) as error:
            outcome.errors.append(SyncError(name=entry.name, language=entry.language, error=error.message))

    async def _import(self, entry: MetaTemplate, access: NumberAccess, asked_at: datetime, outcome: _Outcome) -> None:
        try:
            template = imported(entry, access, self.now(), new_id=self.new_id)
            if await self.templates.add_once(template, listed_status(entry, asked_at)):
                outcome.imported.append(_synced(template))
        except InvalidInputError as error:
            outcome.errors.append(SyncError(name=entry.name, language=entry.language, error=error.message))


async def _together(work: Iterable[Awaitable[None]]) -> None:
    limit = asyncio.Semaphore(_WRITES_AT_A_TIME)

    async def one(step: Awaitable[None]) -> None:
        async with limit:
            await step

    try:
        async with asyncio.TaskGroup() as tasks:
            for step in work:
                tasks.create_task(one(step))
    except ExceptionGroup as group:
        raise group.exceptions[0] from group  # the bus judges an error by its class


def _synced(template: Template) -> SyncedTemplate:
    return SyncedTemplate(template_id=template.template_id, name=template.name)
