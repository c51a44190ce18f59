"""Reading templates, and keeping them as Meta says they are."""

from dataclasses import dataclass

import structlog

from services.templates.domain.statuses import APPROVED, REJECTED, StatusAtMeta, reason_or_none, status_after
from services.templates.handlers.access import NumberLookup
from services.templates.handlers.announcements import Announcements
from services.templates.handlers.sync import SyncHandler
from services.templates.repositories.templates import TemplateRepository
from shared.bus.port import Bus
from shared.clock import Clock
from shared.contracts.templates import FindTemplates, ListTemplates, SyncTemplates, Templates
from shared.contracts.webhooks import TemplateUpdate, TemplateUpdatesReceived
from shared.errors import ConflictError

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class TemplateHandlers:
    """Everything that templates answers and listens to."""

    templates: TemplateRepository
    numbers: NumberLookup
    sync: SyncHandler
    announcements: Announcements
    bus: Bus
    now: Clock

    def register(self) -> None:
        """Tell the bus which message goes where."""
        self.bus.on(SyncTemplates, self.sync.sync_templates)
        self.bus.on(ListTemplates, self.list_templates)
        self.bus.on(FindTemplates, self.find_templates)
        self.bus.on(TemplateUpdatesReceived, self.on_template_updates)

    async def list_templates(self, query: ListTemplates) -> Templates:
        """The templates of the number's WABA: other numbers of the WABA share them."""
        _, waba_id = await self.numbers.whatsapp_access(query.phone_number_id)
        version = await self.templates.version_of_waba(waba_id)  # read first: at worst the list is newer than it says
        if version == query.known_version:
            return Templates(items=(), version=version)
        return Templates(items=await self.templates.list_of_waba(waba_id, query.status), version=version)

    async def find_templates(self, query: FindTemplates) -> Templates:
        """All approved languages of a name; empty when there is none."""
        return Templates(items=await self.templates.list_approved(query.waba_id, query.name))

    async def on_template_updates(self, event: TemplateUpdatesReceived) -> None:
        """Keep the latest status of each template. Idempotent in any order: see `StatusAtMeta.order`.

        An update of a template that is not stored changes nothing: a sync brings it over with its status of that day.
        """
        changed = [template_id for update in event.items if (template_id := await self._apply(update)) is not None]
        await self.announcements.announce(changed)

    async def _apply(self, update: TemplateUpdate) -> str | None:
        if update.quality_score is not None or update.category is not None:
            return await self.templates.mark_news(update, self.now())
        status = status_after(update.event)
        if status is None:
            log.info("template_event_without_status", template_event=update.event, waba_id=update.waba_id)
            return None
        reason = reason_or_none(update.reason) if status == REJECTED else None
        saying = StatusAtMeta(status, update.at, reason, update.explanation if status != APPROVED else None)
        try:
            return await self.templates.mark_status_from(update, saying, self.now())
        except ConflictError as error:  # one that was deleted here, and whose name another template has taken
            log.warning("template_update_ignored", meta_template_id=update.meta_template_id, reason=error.message)
            return None
