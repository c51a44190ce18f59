"""Showing vendors what they may send."""

from dataclasses import dataclass

from services.templates.domain.discovery import TemplateFilter, discovered, nothing_called, stored_language
from services.templates.handlers.access import NumberLookup
from services.templates.repositories.templates import TemplateRepository
from shared.bus.port import Bus
from shared.contracts.templates import DiscoveredTemplates, DiscoverTemplates
from shared.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class DiscoveryHandlers:
    """Only reads."""

    templates: TemplateRepository
    numbers: NumberLookup
    bus: Bus

    def register(self) -> None:
        """Answer discovery."""
        self.bus.on(DiscoverTemplates, self.discover_templates)

    async def discover_templates(self, query: DiscoverTemplates) -> DiscoveredTemplates:
        """One page of what the number's WABA holds; a `name` without any match is an error that names others."""
        access, waba_id = await self.numbers.whatsapp_access(query.phone_number_id)
        if access.user_id != query.user_id:
            raise NotFoundError("Phone number not found")
        wanted = _filter(query)
        total = await self.templates.count_wanted(waba_id, wanted)
        if total == 0 and query.name is not None:
            raise await self._nothing_called(waba_id, query.name, query.status)
        page = await self.templates.list_wanted(waba_id, wanted, offset=query.offset, limit=query.limit)
        return DiscoveredTemplates(items=tuple(discovered(template) for template in page), total=total)

    async def _nothing_called(self, waba_id: str, name: str, status: str | None) -> NotFoundError:
        variants = await self.templates.list_wanted(waba_id, TemplateFilter(name=name), offset=0, limit=200)
        names = [] if variants else await self.templates.list_names(waba_id, TemplateFilter(status=status))
        return nothing_called(name, variants, names)


def _filter(query: DiscoverTemplates) -> TemplateFilter:
    language = stored_language(query.language) if query.language else None
    return TemplateFilter(status=query.status, language=language, search=query.search or None, name=query.name)
