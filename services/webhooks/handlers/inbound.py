"""What Meta posts: stored before it is answered, announced at once, and announced later if a crash came between."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import islice
from typing import TypeVar

import structlog

from services.webhooks.domain.meta_updates import MetaUpdates, parse_updates
from services.webhooks.metrics import META_UPDATES, META_WEBHOOKS
from services.webhooks.repositories.inbound import InboundEvent, InboundRepository
from shared.bus.port import Bus
from shared.clock import Clock
from shared.contracts.base import Event
from shared.contracts.inbound import MetaMessagesReceived, MetaNoticesReceived, MetaPreferencesReceived
from shared.contracts.webhooks import MetaStatusesReceived, TemplateUpdatesReceived
from shared.crashpoints import crash_point
from shared.gathering import Gathering

RELAY_AFTER = timedelta(seconds=3)  # longer than a healthy announcement takes, so that few are made twice

_STATUSES_EVERY_SECONDS = 0.05  # a message's statuses come apart; told together they cost a fraction of the writes
_STATUSES = b'"statuses":'  # a guess by the bytes decides only how soon a post is told
_STORE_LIMIT = 200  # posts in one insert
_GROUP_POSTS = 200
_GROUP_BYTES = 1024 * 1024  # parsing more than this at a stretch would keep everyone else waiting
_ITEMS_PER_EVENT = 500
_MESSAGES_PER_EVENT = 100  # larger than statuses, and each is more work
_MAX_WAITING_POSTS = 2000
_MAX_WAITING_BYTES = 32 * 1024 * 1024  # beyond either, posts wait in the database alone

log = structlog.get_logger()

ItemT = TypeVar("ItemT")


class MetaInbox:
    """Takes Meta's posts. Concurrent posts share an insert, and their updates share events."""

    def __init__(self, events: InboundRepository, bus: Bus, now: Clock) -> None:
        self._events = events
        self._bus = bus
        self._now = now
        self._storing = Gathering(self._store, limit=_STORE_LIMIT)
        self._announcing = Gathering(self._announce, limit=_GROUP_POSTS)  # customers wait for answers
        self._announcing_statuses = Gathering(self._announce, limit=_GROUP_POSTS, pause_seconds=_STATUSES_EVERY_SECONDS)
        self._in_hand: set[str] = set()  # posts that wait for their announcement here, not in the relay
        self._bytes_in_hand = 0

    async def take(self, raw: bytes) -> None:
        """Return once the bytes are stored, whether now or by an earlier delivery; announcing them follows.

        Raises ServiceUnavailableError when they could not be stored.
        """
        is_new = await self._storing.add(InboundEvent.of(raw, self._now()))
        META_WEBHOOKS.labels("stored" if is_new else "duplicate").inc()

    async def relay(self) -> None:
        """Announce what was stored a while ago and is not announced yet: after a crash, or when the bus was away."""
        group: list[InboundEvent] = []
        async for event in self._events.pending(received_before=self._now() - RELAY_AFTER):
            if event.id not in self._in_hand:
                group.append(event)
            if _is_full(group):
                await self._announce_group(group)
                group = []
        if group:
            await self._announce_group(group)

    async def drained(self) -> None:
        """Wait until what was taken has been announced, or has been left to the relay."""
        for gathering in (self._storing, self._announcing, self._announcing_statuses):
            await gathering.drained()

    async def _store(self, events: Sequence[InboundEvent]) -> Sequence[bool]:
        new = await self._events.add_once(events)
        crash_point("webhooks.stored")
        results = []
        for event in events:
            is_new = event.id in new
            new.discard(event.id)  # the same bytes twice in one group are new once
            results.append(is_new)
            if is_new:
                self._announce_soon(event)
        return results

    def _announce_soon(self, event: InboundEvent) -> None:
        if len(self._in_hand) < _MAX_WAITING_POSTS and self._bytes_in_hand < _MAX_WAITING_BYTES:
            self._in_hand.add(event.id)
            self._bytes_in_hand += len(event.raw)
            (self._announcing_statuses if _STATUSES in event.raw else self._announcing).submit(event)

    async def _announce(self, events: Sequence[InboundEvent]) -> Sequence[None]:
        try:
            for group in _groups(events):
                await self._announce_group(group)
        except Exception as error:  # they are stored: the relay announces them when the bus or database is back
            log.warning("announcement_left_to_relay", posts=len(events), error=f"{type(error).__name__}: {error}")
        finally:
            self._in_hand.difference_update(event.id for event in events)
            self._bytes_in_hand -= sum(len(event.raw) for event in events)
        return [None] * len(events)

    async def _announce_group(self, events: Sequence[InboundEvent]) -> None:
        parsed = {event.id: parse_updates(event.raw, event.received_at) for event in events}
        messages = list(_events_of(list(parsed.values())))
        if messages:
            await self._bus.publish(*messages)
        crash_point("webhooks.published")
        fully_told = {event_id for event_id, updates in parsed.items() if updates.is_fully_told}
        await self._events.mark_published(fully_told=fully_told, partly_told=parsed.keys() - fully_told)
        _count(parsed.values())


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
    for event in events:
        group.append(event)
        if _is_full(group):
            yield group
            group = []
    if group:
        yield group


def _is_full(group: Sequence[InboundEvent]) -> bool:
    return len(group) >= _GROUP_POSTS or sum(len(event.raw) for event in group) >= _GROUP_BYTES


def _count(parsed: Iterable[MetaUpdates]) -> None:
    for updates in parsed:
        for kind, number in updates.kinds.items():
            META_UPDATES.labels(kind).inc(number)
