"""A process that dies after the n-th thing it does to the world, before it has heard that it was done.

That it dies before a thing is the same as dying after the one before.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, cast

from shared.bus.memory import MemoryBus
from shared.contracts.base import Event, ReplyT, Request
from shared.mongo import Database

_WRITES = frozenset(
    {"insert_one", "insert_many", "update_one", "update_many", "delete_one", "delete_many", "find_one_and_update"}
    | {"bulk_write"}
)


class Died(BaseException):
    """The process is gone: no handler of ordinary errors sees it."""


@dataclass
class Fate:
    """Counts what is done, each write and each message; dies after the one it was told, and never again."""

    at: int = 0  # 0: never
    passed: int = 0

    async def around(self, act: Callable[[], Awaitable[Any]]) -> Any:
        """One step: it is done, and perhaps nobody hears of it."""
        result = await act()
        self.passed += 1
        if self.passed == self.at:
            raise Died
        return result


@dataclass
class _Collection:
    real: Any
    fate: Fate

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.real, name)
        if name not in _WRITES:
            return method
        return lambda *given, **more: self.fate.around(lambda: method(*given, **more))


@dataclass
class DyingDatabase:
    """A database through which every write passes the fate."""

    real: Database
    fate: Fate

    def __getitem__(self, name: str) -> Any:
        return _Collection(self.real[name], self.fate)

    def get_collection(self, name: str, **options: Any) -> Any:
        """The same with options."""
        return _Collection(self.real.get_collection(name, **options), self.fate)

    @property
    def client(self) -> Any:
        """The connection, for sessions."""
        return self.real.client

    def as_database(self) -> Database:
        """As it is handed to repositories."""
        return cast("Database", self)


@dataclass
class DyingBus:
    """A bus of one process: what it sends passes the fate, what it is sent does not."""

    real: MemoryBus
    fate: Fate = field(default_factory=Fate)

    def on(self, message_type: Any, handler: Any) -> None:
        """Handlers are registered with the broker's end."""
        self.real.on(message_type, handler)

    def on_group(self, message_type: Any, handler: Any) -> None:
        """The same for groups."""
        self.real.on_group(message_type, handler)

    async def publish(self, *events: Event) -> None:
        """Announce."""
        await self.fate.around(lambda: self.real.publish(*events))

    async def send(self, command: Request[Any]) -> None:
        """Hand over."""
        await self.fate.around(lambda: self.real.send(command))

    async def request(self, request: Request[ReplyT], *, timeout_seconds: float) -> ReplyT:
        """Ask."""
        reply = await self.fate.around(lambda: self.real.request(request, timeout_seconds=timeout_seconds))
        return cast("ReplyT", reply)

    async def reply(self, address: Any, reply: Any) -> None:
        """Answer."""
        await self.real.reply(address, reply)
