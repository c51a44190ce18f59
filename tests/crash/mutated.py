"""`python -m tests.crash.mutated <mutant> messaging`: the service with one method replaced by a wrong one.

The product has no switches for its own bugs; what is wrong here is put in from outside, before the service starts.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from services.__main__ import main
from services.messaging.clients.meta import MetaClient
from services.messaging.domain.results import Lost, Observation
from services.messaging.domain.states import DISPATCHING, QUEUED, SENT
from services.messaging.handlers.sends import SendHandlers
from services.messaging.repositories.groups import GroupRepository
from services.messaging.repositories.messages import MessageRepository
from services.messaging.repositories.sweeping import SweepRepository
from shared.bus.port import Received
from shared.contracts.messaging import SendMessage
from shared.mongo import Document

_HESITATION_SECONDS = 0.3  # an in-process queue is never quite empty under load

_in_hand: set[asyncio.Task[None]] = set()


def _ack_before_write() -> None:
    right = SendHandlers.send_messages

    async def later(self: SendHandlers, group: Sequence[Received[SendMessage]]) -> None:
        await asyncio.sleep(_HESITATION_SECONDS)
        await right(self, group)

    async def send_messages(self: SendHandlers, group: Sequence[Received[SendMessage]]) -> None:
        task = asyncio.create_task(later(self, group))
        _in_hand.add(task)
        task.add_done_callback(_in_hand.discard)

    _replace(SendHandlers, "send_messages", send_messages)


def _blind_retry() -> None:
    right = MetaClient.send

    async def send(self: MetaClient, *call: Any, **options: Any) -> Observation:
        seen = await right(self, *call, **options)
        return await right(self, *call, **options) if isinstance(seen, Lost) else seen

    _replace(MetaClient, "send", send)


def _requeue_dispatching() -> None:
    async def give_up_leases(self: SweepRepository, ids: Sequence[str]) -> None:
        now = self.now()
        await self._messages.update_many(
            {"_id": {"$in": list(ids)}, "state": DISPATCHING, "wake_at": {"$lte": now}},
            {"$set": {"state": QUEUED, "wake_at": now}},
        )

    _replace(SweepRepository, "give_up_leases", give_up_leases)


def _event_outside_document() -> None:
    right = MessageRepository.record_accepted

    async def record_accepted(self: MessageRepository, wa_message_ids: Mapping[str, str], *rest: Any) -> datetime:
        recorded = await right(self, wa_message_ids, *rest)
        await self._messages.update_many(
            {"_id": {"$in": list(wa_message_ids)}, "state": SENT}, {"$unset": {"wake_at": ""}}
        )
        return recorded

    async def wake_none(self: GroupRepository, group: Document) -> None:
        pass

    _replace(MessageRepository, "record_accepted", record_accepted)
    _replace(GroupRepository, "_wake_unannounced", wake_none)


def _replace(owner: type, name: str, method: Callable[..., Any]) -> None:
    assert callable(getattr(owner, name)), "a mutant of a method that is not there changes nothing"
    setattr(owner, name, method)


BUGS: dict[str, Callable[[], None]] = {
    "ack_before_write": _ack_before_write,
    "blind_retry": _blind_retry,
    "requeue_dispatching": _requeue_dispatching,
    "event_outside_document": _event_outside_document,
}

if __name__ == "__main__":
    BUGS[sys.argv[1]]()
    sys.exit(main(sys.argv[2:]))
