"""Telling the others what changed, surely: the note of a change lives in the template until the broker has it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from services.templates.repositories.templates import TemplateRepository
from shared.bus.port import Bus
from shared.clock import Clock
from shared.contracts.templates import Template, TemplatesChanged
from shared.errors import BusUnavailableError

_TEMPLATES_PER_EVENT = 50  # of at most a few kilobytes each
_LEFT_AFTER = timedelta(seconds=2)  # by then whoever made the change has announced it, or will not
_RELAY_BATCH = 200

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Announcements:
    """Publishes `TemplatesChanged`. A change may be announced twice, never not at all."""

    templates: TemplateRepository
    bus: Bus
    now: Clock

    async def announce(self, template_ids: Sequence[str]) -> None:
        """Announce these templates' changes now; what the broker does not take is left to `relay`."""
        try:
            await self._publish(await self.templates.list_unannounced(template_ids))
        except BusUnavailableError:
            log.info("announcement_deferred", templates=len(template_ids))

    async def relay(self) -> int:
        """Announce what a crash or an absent broker left behind; how many templates it was.

        Raises BusUnavailableError.
        """
        left = await self.templates.list_left_unannounced(self.now() - _LEFT_AFTER, limit=_RELAY_BATCH)
        await self._publish(left)
        return len(left)

    async def _publish(self, templates: Sequence[Template]) -> None:
        for start in range(0, len(templates), _TEMPLATES_PER_EVENT):
            group = templates[start : start + _TEMPLATES_PER_EVENT]
            await self.bus.publish(TemplatesChanged(items=tuple(group)))
            await self.templates.mark_announced(group)
