"""What messaging keeps of others' data: copies of templates."""

from dataclasses import dataclass

from services.messaging.repositories.templates import TemplateCopyRepository
from shared.bus.port import Bus
from shared.contracts.templates import TemplatesChanged


@dataclass(frozen=True, slots=True)
class TemplateCopyHandlers:
    """Idempotent: the newest state of a template wins, in whatever order states arrive."""

    bus: Bus
    copies: TemplateCopyRepository

    def register(self) -> None:
        """Listen to templates."""
        self.bus.on(TemplatesChanged, self.on_templates_changed)

    async def on_templates_changed(self, event: TemplatesChanged) -> None:
        """Take over the present state."""
        await self.copies.store(event.items)
