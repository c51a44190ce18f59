"""What outdates or asks for an answer. Handlers only write it down; workers do the rest."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from services.agents.domain.turns import SILENT_TYPES, turn_id
from services.agents.repositories.agents import AgentRepository
from services.agents.repositories.turns import TurnRepository
from services.agents.runner import Runner
from shared.bus.port import Bus
from shared.contracts.agents import Agent
from shared.contracts.contacts import ConsentsChanged
from shared.contracts.conversations import ConversationHandlingChanged, MessagesReceived, ReceivedMessage
from shared.contracts.turns import GetTurn, TurnText
from shared.crashpoints import crash_point


@dataclass(frozen=True, slots=True)
class TurnHandlers:
    """Repetitions do nothing: a message's sequence is new only once, and a cancellation ends what was before it."""

    bus: Bus
    turns: TurnRepository
    agents: AgentRepository
    runner: Runner
    default_debounce: timedelta

    def register(self) -> None:
        """Listen to customers, to people who take over, and to who watches."""
        self.bus.on(MessagesReceived, self.on_messages_received)
        self.bus.on(ConversationHandlingChanged, self.on_conversation_handling_changed)
        self.bus.on(ConsentsChanged, self.on_consents_changed)
        self.bus.on(GetTurn, self.get_turn)

    async def on_messages_received(self, event: MessagesReceived) -> None:
        """Each message joins its conversation's turn; a model that did not know of it is stopped."""
        asking = [item for item in event.items if item.agent_id is not None and item.type not in SILENT_TYPES]
        agents = await self.agents.list_by_ids(list({item.agent_id for item in asking if item.agent_id is not None}))
        conversations: defaultdict[str, list[tuple[ReceivedMessage, Agent]]] = defaultdict(list)
        for message in asking:
            if (agent := agents.get(message.agent_id or "")) is not None:
                conversations[message.conversation_id].append((message, agent))
        await asyncio.gather(*map(self._receive_in_order, conversations.values()))

    async def on_conversation_handling_changed(self, event: ConversationHandlingChanged) -> None:
        """A person answers from now on: the agent stops. Handing back begins nothing; the next message does."""
        for change in event.items:
            if change.handled_by == "human":
                self._stop(await self.turns.cancel_of_conversation(change.conversation_id, change.at))

    async def on_consents_changed(self, event: ConsentsChanged) -> None:
        """Who opted out is not answered any more until they write again."""
        for change in event.items:
            if change.opted_out:
                for attempt in await self.turns.cancel_of_contact(change.contact_id, change.at):
                    self._stop(attempt)

    async def get_turn(self, query: GetTurn) -> TurnText:
        """What somebody who begins to watch has missed."""
        watched = await self.turns.find_watched(query.session_id)
        if watched is None:
            return TurnText()
        return TurnText(turn_id=turn_id(watched.conversation_id, watched.number), text=watched.text)

    async def _receive_in_order(self, messages: Sequence[tuple[ReceivedMessage, Agent]]) -> None:
        for message, agent in messages:
            await self._receive(message, agent)

    async def _receive(self, message: ReceivedMessage, agent: Agent) -> None:
        configured = agent.debounce_ms
        debounce = self.default_debounce if configured is None else timedelta(milliseconds=configured)
        joined = await self.turns.receive(message, debounce)
        if joined is None:
            return
        crash_point("agents.received")
        due, outdated = joined
        self._stop(outdated)
        self.runner.look_at(due)

    def _stop(self, attempt: str | None) -> None:
        if attempt is not None:
            self.runner.stop(attempt)
