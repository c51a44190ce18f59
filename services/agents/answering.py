"""Thinks of a turn's answer: what was said, whom to ask, what may be told. Sends nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from services.agents.clients.openai import OpenAIClient
from services.agents.domain.dialogue import ModelRequest, instructions_of, is_owed_an_answer, told, tools_of
from services.agents.domain.failures import ChainGoneError, FailureCode, ModelError, agent_error
from services.agents.domain.judging import ModelReply, Verdict, judge
from services.agents.domain.turns import Answer, Head, Turn
from services.agents.pictures import Pictures
from services.agents.repositories.agents import AgentRepository
from services.agents.repositories.budgets import BudgetRepository
from services.agents.repositories.prompts import PromptRepository
from services.agents.repositories.turns import TurnRepository
from services.agents.watching import Watching
from shared.bus.port import Bus
from shared.clock import Clock
from shared.contracts.agents import Agent
from shared.contracts.conversations import ConversationContext, GetConversationContext
from shared.errors import NotFoundError
from shared.ids import derived_hex_id

log = structlog.get_logger()

ResultT = TypeVar("ResultT")

CONTEXT_SECONDS = 5
MOST_REQUESTS = 3  # to the model in one turn, the first included


class OutdatedError(Exception):
    """The turn is no longer this worker's: outdated, cancelled, or taken by another."""


@dataclass(frozen=True, slots=True)
class Defaults:
    """What an agent or prompt that says nothing of its own gets."""

    model: str | None
    fallback_text: str


@dataclass(frozen=True, slots=True)
class Answering:
    """From a claimed turn to a stored answer."""

    turns: TurnRepository
    agents: AgentRepository
    prompts: PromptRepository
    budgets: BudgetRepository
    model: OpenAIClient
    pictures: Pictures
    watching: Watching
    bus: Bus
    now: Clock
    defaults: Defaults
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def answer(self, turn: Turn, lost: asyncio.Event) -> Answer | None:
        """The turn's answer, stored; None when nobody is owed one any longer.

        A model that fails leaves a visible error at the agent, and the customer gets the fallback text. Raises
        OutdatedError, and stops the model, once `lost` is set.
        """
        agent, context = await asyncio.gather(self.agents.find(turn.agent_id), self._context(turn))
        seen = turn.head.seen if turn.head else frozenset()
        if agent is None or context is None or context.handled_by == "human":
            return None
        if not is_owed_an_answer(context.messages, seen):
            return None
        if context.sequence > turn.sequence and not await self.turns.look_at(turn, context.sequence):
            raise OutdatedError
        answer = await self._thought(turn, agent, context, lost)
        if not await self.turns.store_answer(turn, answer):
            raise OutdatedError
        return answer

    async def give_up(self, turn: Turn) -> Answer | None:
        """The answer of a turn that failed again and again for reasons of ours: the fallback text."""
        agent = await self.agents.find(turn.agent_id)
        if agent is None:
            return None
        await self._show(agent, "internal_error", None)
        answer = self._fallback(turn, agent, turn.sequence)
        if not await self.turns.store_answer(turn, answer):
            raise OutdatedError
        return answer

    async def _context(self, turn: Turn) -> ConversationContext | None:
        try:
            return await self.bus.request(
                GetConversationContext(conversation_id=turn.conversation_id), timeout_seconds=CONTEXT_SECONDS
            )
        except NotFoundError:  # erased meanwhile
            return None

    async def _thought(self, turn: Turn, agent: Agent, context: ConversationContext, lost: asyncio.Event) -> Answer:
        try:
            reply, verdict = await self._asked(turn, agent, context, lost)
        except ModelError as error:
            log.warning("agent_gave_no_answer", agent_id=agent.agent_id, turn_id=turn.turn_id, code=error.code)
            await self._show(agent, error.code, error.detail)
            return self._fallback(turn, agent, context.sequence)
        return Answer(
            parts=verdict.parts,
            # A chain that ends in a function call can only go on with its result: the next answer begins before it.
            response_id=None if reply.calls else reply.response_id,
            sequence=context.sequence,
            seen=tuple(message.message_id for message in context.messages),
            hand_over=verdict.hand_over,
            at=self.now(),
        )

    async def _asked(
        self, turn: Turn, agent: Agent, context: ConversationContext, lost: asyncio.Event
    ) -> tuple[ModelReply, Verdict]:
        if not await self.budgets.take(agent.agent_id, agent.daily_budget):
            raise ModelError("budget_exhausted")
        request = await self._request(turn, agent, context, turn.head)
        pictures = await self.pictures.of(request.said)
        try:
            reply = await _unless(lost, self._insisted(turn, request, pictures))
        except ChainGoneError:
            log.info("response_chain_rebuilt", conversation_id=turn.conversation_id)
            await self.turns.forget_chain(turn)
            request = await self._request(turn, agent, context, None)
            pictures = await self.pictures.of(request.said)
            reply = await _unless(lost, self._insisted(turn, request, pictures))
        return reply, judge(reply)

    async def _request(self, turn: Turn, agent: Agent, context: ConversationContext, head: Head | None) -> ModelRequest:
        """What to ask: only what is new when the chain goes on, all that is known when it begins."""
        prompt = await self.prompts.find(agent.user_id, agent.prompt_id)
        model = (prompt.model or self.defaults.model) if prompt else None
        if prompt is not None and model is None:
            raise ModelError("no_model")
        return ModelRequest(
            model=model,
            instructions=instructions_of(prompt) if prompt else None,
            prompt_id=None if prompt else agent.prompt_id,
            tools=tools_of(prompt) if prompt else (),
            said=told(context.messages, head.seen if head else frozenset(), with_pictures=True),
            previous_response_id=head.response_id if head else None,
            customer=derived_hex_id("customer", turn.user_id, turn.contact_id),
        )

    async def _insisted(self, turn: Turn, request: ModelRequest, pictures: Mapping[str, str]) -> ModelReply:
        """Ask, and ask again after a fault that may pass."""
        for left in reversed(range(MOST_REQUESTS)):
            try:
                async with self.watching.written(turn) as on_text:
                    return await self.model.ask(request, pictures, on_text)
            except ChainGoneError:
                if request.previous_response_id is None:
                    raise ModelError("request_refused") from None
                raise
            except ModelError as error:
                if error.retry_after_seconds is None or not left:
                    raise
                await self.pause(error.retry_after_seconds)
        raise AssertionError("the last request returns or raises")

    def _fallback(self, turn: Turn, agent: Agent, sequence: int) -> Answer:
        text = agent.fallback_text or self.defaults.fallback_text
        return Answer((text,), None, sequence, (), None, self.now())

    async def _show(self, agent: Agent, code: FailureCode, detail: str | None) -> None:
        await self.agents.record_error(agent.agent_id, agent_error(code, self.now(), detail))


async def _unless(lost: asyncio.Event, asking: Coroutine[Any, Any, ResultT]) -> ResultT:
    """What the model says, unless the claim is lost first: then the model is stopped. Raises OutdatedError."""
    model, watcher = asyncio.create_task(asking), asyncio.create_task(lost.wait())
    try:
        await asyncio.wait({model, watcher}, return_when=asyncio.FIRST_COMPLETED)
        if not model.done():
            raise OutdatedError
        return model.result()
    finally:
        for task in (model, watcher):
            task.cancel()
        await asyncio.wait({model, watcher})
