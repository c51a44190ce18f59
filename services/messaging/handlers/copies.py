"""What messaging keeps of others' data and tells of its own accounts: template copies and credits."""

from dataclasses import dataclass

from services.messaging.repositories.credits import CreditRepository
from services.messaging.repositories.templates import TemplateCopyRepository
from shared.bus.port import Bus
from shared.contracts.messaging import Credits, GetCredits
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


@dataclass(frozen=True, slots=True)
class CreditHandlers:
    """Reads balances; the first look opens the account."""

    bus: Bus
    credits: CreditRepository

    def register(self) -> None:
        """Own the credits."""
        self.bus.on(GetCredits, self.get_credits)

    async def get_credits(self, query: GetCredits) -> Credits:
        """A user's balance."""
        return await self.credits.get(query.user_id)
