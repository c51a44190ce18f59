"""What vendors can be told, and listening to it without a URL while one develops."""

from dataclasses import dataclass

from services.webhooks.domain.catalogue import event_types
from services.webhooks.repositories.listeners import ListenerRepository
from shared.bus.port import Bus
from shared.clock import Clock
from shared.contracts.subscriptions import EventTypes, HeardEvents, HearEvents, ListEventTypes


@dataclass(frozen=True, slots=True)
class ListeningHandlers:
    """A listener asks again and again; the first time makes it one."""

    listeners: ListenerRepository
    bus: Bus
    now: Clock

    def register(self) -> None:
        """Take the messages of webhooks.commands.v1."""
        self.bus.on(ListEventTypes, self.list_event_types)
        self.bus.on(HearEvents, self.hear_events)

    async def list_event_types(self, _query: ListEventTypes) -> EventTypes:
        """The catalogue."""
        return EventTypes(items=event_types())

    async def hear_events(self, command: HearEvents) -> HeardEvents:
        """What a listener has not heard yet. Idempotent: asked again with the same `after`, the same again."""
        items = await self.listeners.ask(command.listener_id, command.user_id, command.after, command.limit, self.now())
        return HeardEvents(items=tuple(items))
