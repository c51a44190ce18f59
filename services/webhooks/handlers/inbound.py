"""What Meta posts: stored before it is answered, announced at once, and announced later if a crash came between."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import filterfalse, islice
from typing import TypeVar

import structlog

from services.webhooks.domain.meta_updates import MetaUpdates, parse_updates
from services.webhooks.metrics import META_UPDATES, META_WEBHOOKS
from services.webhooks.repositories.inbound import Batch, InboundEvent, InboundRepository
from shared.bus.port import Bus
from shared.clock import Clock
from shared.contracts.base import Event
from shared.contracts.inbound import MetaMessagesReceived, MetaNoticesReceived, MetaPreferencesReceived
from shared.contracts.webhooks import MetaStatusesReceived, TemplateUpdatesReceived
from shared.crashpoints import crash_point
from shared.gathering import Gathering

RELAY_AFTER = timedelta(seconds=3)  # longer than a healthy announcement takes, so that few are made twice

_STATUSES_EVERY_SECONDS = 0.25  # a message's statuses come apart; told together they cost a fraction of the writes
_STATUSES = b'"statuses":'  # a guess by the bytes decides only how soon a post is told
_STORE_LIMIT = 200  # posts in one insert
_BATCHES = 100  # announced together; each came in one insert
_GROUP_POSTS = 500
_GROUP_BYTES = 1024 * 1024  # parsing more than this at a stretch would keep everyone else waiting
_ITEMS_PER_EVENT = 500
_MESSAGES_PER_EVENT = 100  # larger than statuses, and each is more work
_MAX_WAITING_POSTS = 5000
_MAX_WAITING_BYTES = 32 * 1024 * 1024  # beyond either, posts wait in the database alone

_STORED = META_WEBHOOKS.labels("stored")
_DUPLICATES = META_WEBHOOKS.labels("duplicate")

log = structlog.get_logger()

ItemT = TypeVar("ItemT")


class MetaInbox:
    """Takes Meta's posts. Concurrent posts share an insert, and their updates share events."""

    def __init__(self, events: InboundRepository, bus: Bus, now: Clock) -> None:
        self._events = events
        self._bus = bus
        self._now = now
        self._storing = Gathering(self._store, limit=_STORE_LIMIT)
        self._announcing = Gathering(self._announce, limit=_BATCHES)  # customers wait for answers
        self._announcing_statuses = Gathering(self._announce, limit=_BATCHES, pause_seconds=_STATUSES_EVERY_SECONDS)
        self._in_hand: set[str] = set()  # batches that wait for their announcement here, not in the relay
        self._posts_in_hand = 0
        self._bytes_in_hand = 0

    async def take(self, raw: bytes) -> None:
        """Return once the bytes are stored, whether now or by an earlier delivery; announcing them follows.

        Raises ServiceUnavailableError when they could not be stored.
        """
        await self._storing.add(InboundEvent.of(raw, self._now()))

    async def relay(self) -> None:
        """Announce what was stored a while ago and is not announced yet: after a crash, or when the bus was away."""
        group: dict[str, tuple[str, ...]] = {}
        for batch in await self._events.list_left(stored_before=self._now() - RELAY_AFTER):
            if batch.id not in self._in_hand:
                group[batch.id] = batch.event_ids
            if sum(map(len, group.values())) >= _GROUP_POSTS:
                await self._announce_left(group)
                group = {}
        if group:
            await self._announce_left(group)

    async def drained(self) -> None:
        """Wait until what was taken has been announced, or has been left to the relay."""
        for gathering in (self._storing, self._announcing, self._announcing_statuses):
            await gathering.drained()

    async def _store(self, events: Sequence[InboundEvent]) -> Sequence[None]:
        statuses, others = Batch.of(filter(_is_of_statuses, events)), Batch.of(filterfalse(_is_of_statuses, events))
        new = await self._events.add_once((statuses, others))
        crash_point("webhooks.stored")
        self._announce_soon(others, new, self._announcing)
        self._announce_soon(statuses, new, self._announcing_statuses)
        stored = len(new & {event.id for event in events})
        _STORED.inc(stored)
        _DUPLICATES.inc(len(events) - stored)
        return [None] * len(events)

    def _announce_soon(self, batch: Batch, new: Collection[str], announcing: Gathering[Batch, None]) -> None:
        """Hand the new ones of a batch over, each once; what there is no room for stays with the relay."""
        if batch.events and self._posts_in_hand < _MAX_WAITING_POSTS and self._bytes_in_hand < _MAX_WAITING_BYTES:
            fresh = Batch(batch.id, tuple({event.id: event for event in batch.events if event.id in new}.values()))
            self._hold(fresh)
            announcing.submit(fresh)

    def _hold(self, batch: Batch) -> None:
        self._in_hand.add(batch.id)
        self._posts_in_hand += len(batch.events)
        self._bytes_in_hand += _size(batch)

    def _let_go(self, batch: Batch) -> None:
        self._in_hand.discard(batch.id)
        self._posts_in_hand -= len(batch.events)
        self._bytes_in_hand -= _size(batch)

    async def _announce(self, batches: Sequence[Batch]) -> Sequence[None]:
        try:
            partly_told: set[str] = set()
            for group in _groups(event for batch in batches for event in batch.events):
                partly_told |= await self._publish(group)
            crash_point("webhooks.published")
            await self._events.finish([batch.id for batch in batches], partly_told=partly_told)
        except Exception as error:  # they are stored: the relay announces them when the bus or database is back
            log.warning("announcement_left_to_relay", batches=len(batches), error=f"{type(error).__name__}: {error}")
        finally:
            for batch in batches:
                self._let_go(batch)
        return [None] * len(batches)

    async def _announce_left(self, batches: Mapping[str, Sequence[str]]) -> None:
        partly_told: set[str] = set()
        async for group in self._events.read([id_ for ids in batches.values() for id_ in ids], _GROUP_BYTES):
            partly_told |= await self._publish(group)
        crash_point("webhooks.published")
        await self._events.finish(batches, partly_told=partly_told)

    async def _publish(self, events: Sequence[InboundEvent]) -> set[str]:
        """Announce what posts say; returns the ids of those that say more than the events."""
        parsed = {event.id: parse_updates(event.raw, event.received_at) for event in events}
        messages = list(_events_of(list(parsed.values())))
        if messages:
            await self._bus.publish(*messages)
        _count(parsed.values())
        return {event_id for event_id, updates in parsed.items() if not updates.is_fully_told}


def _events_of(parsed: Collection[MetaUpdates]) -> Iterator[Event]:
    """The updates of many posts as few events."""
    for statuses in _portions((status for updates in parsed for status in updates.statuses), _ITEMS_PER_EVENT):
        yield MetaStatusesReceived(items=statuses)
    for templates in _portions((template for updates in parsed for template in updates.templates), _ITEMS_PER_EVENT):
        yield TemplateUpdatesReceived(items=templates)
    for messages in _portions((message for updates in parsed for message in updates.messages), _MESSAGES_PER_EVENT):
        yield MetaMessagesReceived(items=messages)
    for preferences in _portions((each for updates in parsed for each in updates.preferences), _ITEMS_PER_EVENT):
        yield MetaPreferencesReceived(items=preferences)
    for notices in _portions((notice for updates in parsed for notice in updates.notices), _ITEMS_PER_EVENT):
        yield MetaNoticesReceived(items=notices)


def _portions(items: Iterable[ItemT], size: int) -> Iterator[tuple[ItemT, ...]]:
    remaining = iter(items)
    while portion := tuple(islice(remaining, size)):
        yield portion


def _groups(events: Iterable[InboundEvent]) -> Iterator[list[InboundEvent]]:
    group: list[InboundEvent] = []
    size = 0
    for event in events:
        group.append(event)
        size += len(event.raw)
        if len(group) >= _GROUP_POSTS or size >= _GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _is_of_statuses(event: InboundEvent) -> bool:
    return _STATUSES in event.raw


def _size(batch: Batch) -> int:
    return sum(len(event.raw) for event in batch.events)


def _count(parsed: Iterable[MetaUpdates]) -> None:
    for updates in parsed:
        for kind, number in updates.kinds.items():
            META_UPDATES.labels(kind).inc(number)
