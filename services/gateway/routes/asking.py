"""Asking the owner of something over the bus, with the time limits of the API."""

from dataclasses import dataclass

from shared.bus.port import Bus
from shared.contracts.base import Command, Query, ReplyT
from shared.errors import ReplyTimeoutError, ServiceUnavailableError

QUERY_SECONDS = 5.0
COMMAND_SECONDS = 20.0
LONG_COMMAND_SECONDS = 60.0  # what has to wait for Meta, page by page


@dataclass(frozen=True, slots=True)
class Asking:
    """The bus, as routes use it."""

    bus: Bus
    query_seconds: float = QUERY_SECONDS
    command_seconds: float = COMMAND_SECONDS
    long_command_seconds: float = LONG_COMMAND_SECONDS

    async def query(self, query: Query[ReplyT], *, asks_meta: bool = False) -> ReplyT:
        """The reply. Raises ServiceUnavailableError when none comes in time: nothing was changed, ask again."""
        seconds = self.command_seconds if asks_meta else self.query_seconds
        try:
            return await self.bus.request(query, timeout_seconds=seconds)
        except ReplyTimeoutError as error:
            raise ServiceUnavailableError("The service that knows this does not answer right now; try again") from error

    async def command(self, command: Command[ReplyT], *, look_at: str, long: bool = False) -> ReplyT:
        """The reply. Raises ReplyTimeoutError when none comes in time: the work goes on, and `look_at` shows it."""
        seconds = self.long_command_seconds if long else self.command_seconds
        try:
            return await self.bus.request(command, timeout_seconds=seconds)
        except ReplyTimeoutError as error:
            raise ReplyTimeoutError(f"This takes longer than usual and goes on; {look_at} shows the result") from error
