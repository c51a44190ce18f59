"""What a worker remembers of the groups it has in hand: which of their messages still need the group's document."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from services.messaging.domain.messages import OutboundMessage
from services.messaging.domain.states import Timing
from services.messaging.repositories.groups import GroupRepository
from shared.gathering import Gathering
from shared.insist import insist
from shared.mongo import TRANSIENT_ERRORS

log = structlog.get_logger()

_TOGETHER = 100  # groups forgotten in one write
_FORGOTTEN_EVERY_SECONDS = 0.5


@dataclass(eq=False, slots=True)
class Group:
    """Messages under one attempt id, which is the group's own."""

    id: str
    needing: set[str]  # the messages that have no state or `wake_at` of their own yet, or are not announced
    forget: Callable[[str], object]
    intended_at: datetime | None = None

    def keep(self, message_ids: Collection[str]) -> None:
        """Only these need the group any longer: the others are somebody else's, or were given back."""
        self.needing.intersection_update(message_ids)
        self._forget_if_done()

    def done(self, message_id: str) -> None:
        """This one's outcome is recorded, and announced or due to be."""
        self.needing.discard(message_id)
        self._forget_if_done()

    def _forget_if_done(self) -> None:
        if not self.needing:
            self.forget(self.id)


@dataclass(frozen=True, slots=True)
class Groups:
    """Begins groups, stores their intents, and forgets them."""

    repository: GroupRepository
    worker: str
    _forgetting: Gathering[str, None] = field(init=False)

    def __post_init__(self) -> None:
        forgetting = Gathering(self._forget, limit=_TOGETHER, pause_seconds=_FORGOTTEN_EVERY_SECONDS)
        object.__setattr__(self, "_forgetting", forgetting)

    async def begin(self, group_id: str, messages: Sequence[OutboundMessage], timing: Timing) -> Group:
        """Store a new group; its messages may be stored from now on."""
        await insist(lambda: self.repository.begin(group_id, messages, timing, self.worker))
        return Group(group_id, {message.id for message in messages}, self._forgetting.submit)

    async def intend(self, group: Group) -> bool:
        """Store the intent for all that is GROUPED in it; False if that is not ours to do any more."""
        group.intended_at = await insist(lambda: self.repository.intend(group.id))
        return group.intended_at is not None

    async def drained(self) -> None:
        """Wait until what is done with is forgotten."""
        await self._forgetting.drained()

    async def _forget(self, group_ids: Sequence[str]) -> list[None]:
        try:
            await self.repository.forget(group_ids)
        except TRANSIENT_ERRORS as error:  # the sweeper finds them, announces their messages once more and forgets them
            log.warning("groups_not_forgotten", groups=len(group_ids), error=f"{type(error).__name__}: {error}")
        return [None] * len(group_ids)
