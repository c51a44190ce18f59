"""Phone numbers as the send path sees them: looked up once for all that is sent within a moment."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from services.messaging.repositories.numbers import NumberRepository, SendingNumber

FRESH_SECONDS = 0.5


@dataclass(slots=True)
class RecentNumbers:
    """What was read of a number is used for half a second.

    So a change reaches the messages of other processes half a second later at most; who changes a number here says so.
    """

    numbers: NumberRepository
    monotonic: Callable[[], float] = time.monotonic
    _seen: dict[str, tuple[float, SendingNumber]] = field(default_factory=dict)
    _changes: int = 0

    async def list_sending(self, phone_number_ids: Iterable[str]) -> dict[str, SendingNumber]:
        """The numbers by id; unknown and deleted ones are left out."""
        now, wanted, changes = self.monotonic(), set(phone_number_ids), self._changes
        fresh = {id_: seen[1] for id_ in wanted if (seen := self._seen.get(id_)) and now - seen[0] < FRESH_SECONDS}
        if fresh.keys() == wanted:
            return fresh
        read = await self.numbers.list_sending(wanted - fresh.keys())
        if changes == self._changes:  # else what was read may be older than a change that we were told of
            self._seen.update({id_: (now, number) for id_, number in read.items()})
        return fresh | read

    async def mark_refused(self, phone_number_id: str, sealed_access_token: str) -> bool:
        """Meta takes this token no more; returns whether that is news."""
        is_news = await self.numbers.mark_refused(phone_number_id, sealed_access_token)
        self.forget(phone_number_id)
        return is_news

    def forget(self, phone_number_id: str) -> None:
        """It has changed."""
        self._changes += 1
        self._seen.pop(phone_number_id, None)
