"""A clock, a bus and an owner of templates that do as a test tells them."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from shared.bus.memory import MemoryBus
from shared.contracts.base import Event, Reply, ReplyAddress
from shared.contracts.templates import FindTemplates, SyncResult, SyncTemplates, Template, Templates
from shared.errors import BusUnavailableError, WaapiError

NOON = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)


@dataclass
class ManualClock:
    """Shows what it is set to."""

    time: datetime = NOON

    def __call__(self) -> datetime:
        return self.time

    def pass_time(self, seconds: float) -> None:
        """Move on."""
        self.time += timedelta(seconds=seconds)


class StageBus(MemoryBus):
    """Keeps every answer that was given, and can lose the broker."""

    def __init__(self, now: ManualClock) -> None:
        super().__init__(now)
        self.answers: list[tuple[str, Reply]] = []  # with the id of who was answered
        self.is_away = False
        self.refused_publishes = 0
        self.replies_leave: asyncio.Event | None = None  # until when answers do not get away

    async def publish(self, *events: Event) -> None:
        if self.is_away:
            self.refused_publishes += 1
            raise BusUnavailableError("the broker did not take it")
        await super().publish(*events)

    async def reply(self, address: ReplyAddress, reply: Reply) -> None:
        if self.replies_leave is not None:
            await self.replies_leave.wait()
        self.answers.append((address.id, reply))
        await super().reply(address, reply)


@dataclass
class TemplatesStandIn:
    """Owns templates."""

    known: list[Template]
    error: WaapiError | None = None
    at_meta: list[Template] = field(default_factory=list)  # what a sync brings
    asked: list[str] = field(default_factory=list)
    answers: asyncio.Event | None = None  # until when every question is left open

    async def find_templates(self, query: FindTemplates) -> Templates:
        """The approved languages of a name."""
        self.asked.append(query.name)
        if self.answers is not None:
            await self.answers.wait()
        if self.error is not None:
            raise self.error
        return Templates(items=tuple(each for each in self.known if each.name == query.name))

    async def sync_templates(self, command: SyncTemplates) -> SyncResult:
        """Learn what Meta has."""
        self.asked.append("sync")
        self.known += self.at_meta
        return SyncResult(imported=(), updated=(), errors=())
