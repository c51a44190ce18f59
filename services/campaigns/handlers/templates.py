"""Templates change: campaigns stop with theirs, and go on by themselves once it is approved again."""

from dataclasses import dataclass

import structlog

from services.campaigns.domain.error_classes import class_named
from services.campaigns.domain.states import FAILED, HOLDING, PAUSED, RUNNING
from services.campaigns.lifecycle import Lifecycle
from services.campaigns.repositories.campaigns import CampaignRepository
from shared.bus.port import Bus
from shared.contracts.templates import Template, TemplatesChanged
from shared.errors import ConflictError

log = structlog.get_logger()

_PAUSED_CODE = "template_paused"
_GONE = ("DISABLED", "DELETED")
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class TemplateHandlers:
    """Idempotent: a campaign that has stopped or gone on is not in the status any more from which it would."""

    bus: Bus
    campaigns: CampaignRepository
    lifecycle: Lifecycle

    def register(self) -> None:
        """Listen to what becomes of templates."""
        self.bus.on(TemplatesChanged, self.on_templates_changed)

    async def on_templates_changed(self, event: TemplatesChanged) -> None:
        """Each template by its status."""
        for template in event.items:
            try:
                await self._follow(template)
            except ConflictError as error:  # somebody changes the campaign right now: their word counts
                log.info("template_not_followed", template_id=template.template_id, error=error.message)

    async def _follow(self, template: Template) -> None:
        if template.status in _GONE:
            words = class_named("template_disabled")
            for campaign in await self.campaigns.list_by_template(template.template_id, HOLDING, _AT_ONCE):
                await self.lifecycle.abandon(campaign, FAILED, f"{words.meaning} {words.remedy}")
        elif template.status == "PAUSED":
            words = class_named(_PAUSED_CODE)
            for campaign in await self.campaigns.list_by_template(template.template_id, (RUNNING,), _AT_ONCE):
                await self.lifecycle.pause(campaign, _PAUSED_CODE, f"{words.meaning} {words.remedy}")
        elif template.status == "APPROVED":
            for campaign in await self.campaigns.list_by_template(template.template_id, (PAUSED,), _AT_ONCE):
                if campaign.paused_code == _PAUSED_CODE:
                    await self.lifecycle.resume(campaign)
