"""What became of messages with templates, counted."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.templates.domain.milestones import Outcomes, progress_of
from services.templates.repositories.counters import CounterRepository
from shared.bus.port import Bus, Received
from shared.clock import Clock
from shared.contracts.messaging import MessagesFailed, MessagesSent, MessageStatusesChanged
from shared.crashpoints import crash_point


@dataclass(frozen=True, slots=True)
class OutcomeHandlers:
    """Idempotent: each message reaches each milestone once."""

    counters: CounterRepository
    bus: Bus
    now: Clock

    def register(self) -> None:
        """Listen to messaging."""
        self.bus.on_group(MessagesSent, self.on_outcomes)
        self.bus.on_group(MessagesFailed, self.on_outcomes)
        self.bus.on_group(MessageStatusesChanged, self.on_outcomes)

    async def on_outcomes(self, group: Sequence[Received[Outcomes]]) -> None:
        """Count what is new in all that came in together."""
        await self.counters.count(progress_of(received.message for received in group), self.now())
        crash_point("templates.counted")
