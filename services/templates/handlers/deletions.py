"""Deleting templates, here and at Meta."""

from dataclasses import dataclass
from typing import Protocol

import structlog

from services.templates.domain.statuses import DELETED, decided
from services.templates.handlers.access import NumberLookup
from services.templates.handlers.announcements import Announcements
from services.templates.repositories.templates import TemplateRepository
from shared.bus.port import Bus
from shared.clock import Clock
from shared.contracts.base import Done
from shared.contracts.campaigns import TemplateInUse
from shared.contracts.template_drafts import DeleteTemplate
from shared.contracts.templates import Template
from shared.crashpoints import crash_point
from shared.errors import ConflictError, ReplyTimeoutError, ServiceUnavailableError
from shared.sealing import KeyRing

_ASK_SECONDS = 5.0

log = structlog.get_logger()


class TemplateEraser(Protocol):
    """Meta, or a stand-in for it."""

    async def delete_template(self, waba_id: str, access_token: str, meta_template_id: str, name: str) -> None:
        """Delete one language of a name; done as well when it is gone."""


@dataclass(frozen=True, slots=True)
class DeletionHandlers:
    """Handles `DeleteTemplate`."""

    templates: TemplateRepository
    numbers: NumberLookup
    meta: TemplateEraser
    announcements: Announcements
    bus: Bus
    keys: KeyRing
    now: Clock

    def register(self) -> None:
        """Tell the bus which message goes where."""
        self.bus.on(DeleteTemplate, self.delete_template)

    async def delete_template(self, command: DeleteTemplate) -> Done:
        """First at Meta, then here. A repetition after a crash between the two finds it gone at Meta, and goes on."""
        template, order = await self.templates.get_to_delete(command.template_id)
        await self._require_unused(template)
        if template.meta_template_id is not None:
            await self._delete_at_meta(template, template.meta_template_id)
        crash_point("templates.deleted")
        await self.templates.mark_status(template.template_id, decided(DELETED, self.now(), order), self.now())
        await self.announcements.announce([template.template_id])
        log.info("template_deleted", template_id=template.template_id)
        return Done()

    async def _require_unused(self, template: Template) -> None:
        query = TemplateInUse(template_id=template.template_id)
        try:
            use = await self.bus.request(query, timeout_seconds=_ASK_SECONDS)
        except ReplyTimeoutError as error:
            raise ServiceUnavailableError(
                "Whether a campaign uses this template cannot be told right now; nothing was deleted"
            ) from error
        if use.in_use:
            raise ConflictError(
                "Cannot delete a template that a campaign uses. Finish or cancel the campaign first.",
                code="template_in_use",
                details=[
                    {"field": "campaign_id", "message": f"campaign {campaign_id} uses it"}
                    for campaign_id in use.campaign_ids
                ],
            )

    async def _delete_at_meta(self, template: Template, meta_template_id: str) -> None:
        access, waba_id = await self.numbers.whatsapp_access(template.phone_number_id)
        token = self.keys.open(access.sealed_access_token, owner_id=access.phone_number_id, field="access_token")
        await self.meta.delete_template(waba_id, token, meta_template_id, template.name)
