"""Agents and the prompts that they follow, described."""

from typing import Any, Literal

from services.gateway.openapi import dashboard_models as models
from services.gateway.openapi.dashboard_parts import (
    CHANGED_BODY,
    CONFLICT,
    IDEMPOTENCY,
    INVALID,
    LATE,
    UNKNOWN,
    USER,
    WITH_BODY,
    answers,
    dashboard_operation,
    in_path,
    operators_operation,
)
from services.gateway.openapi.operations import RequestBody
from services.gateway.openapi.shown import Shown, Time
from services.gateway.schemas.agents import ChangeAgentBody, ChangePromptBody, CreateAgentBody, CreatePromptBody

AGENTS_TAG, PROMPTS_TAG = "Agents", "Prompts"

_AGENT_ID = in_path("agent_id", "The agent's id.", "agt_3k9d")
_PROMPT_ID = in_path("prompt_id", "The prompt's id.", "prompt_abc123")
_AGENT, _PROMPT = "/api/v1/agents/{agent_id}", "/admin/prompts/{prompt_id}"
_AGENT_EXAMPLE = {
    "user_id": "usr_123",
    "phone_number_id": "pn_3k9d",
    "prompt_id": "prompt_abc123",
    "name": "Customer Support Agent",
}
_PROMPT_EXAMPLE = {
    "user_id": "usr_123",
    "prompt_id": "prompt_abc123",
    "instructions": "You answer for {{company}}, briefly and kindly.",
    "variables": {"company": "Acme"},
}


class AgentShown(Shown):
    """An agent."""

    agent_id: str
    user_id: str
    phone_number_id: str
    prompt_id: str
    name: str
    created_at: Time
    updated_at: Time


class CalledNumber(Shown):
    """What an agent's number is called."""

    platform: Literal["whatsapp", "instagram", "webchat"]
    display_name: str | None


class ListedAgent(AgentShown):
    """An agent and what its number is called."""

    phone_number: CalledNumber | None


class ReachedNumber(CalledNumber):
    """An agent's number."""

    meta_phone_number_id: str
    """On web chat, the channel's id."""


class StatsShown(Shown):
    """How busy an agent is."""

    total_conversations: int
    active_conversations: int
    """With a message in the last 24 hours, and not handed to a human."""


class Behaviour(AgentShown):
    """An agent and how it answers."""

    debounce_ms: int | None
    """How long it waits for more messages before it answers; null, as configured."""
    fallback_text: str | None
    """What customers are told when it cannot answer; null, as configured."""
    daily_budget: int | None
    """How many answers it may give in a day (UTC); null, as many as it likes."""


class AgentProblem(Shown):
    """Why an agent could not answer."""

    code: str
    message: str
    """With what to do about it."""
    at: Time


class AgentDetails(Behaviour):
    """An agent, its number, how busy it is, and what was wrong last."""

    phone_number: ReachedNumber | None
    stats: StatsShown
    last_error: AgentProblem | None
    """Null once it answers again."""


class PromptShown(Shown):
    """A prompt as it is now."""

    user_id: str
    prompt_id: str
    instructions: str
    model: str | None
    """Null for the configured one."""
    variables: dict[str, str]
    tools: list[dict[str, Any]]
    version: int
    """1, and one more with each change."""
    created_at: Time
    updated_at: Time


class NewAgentAnswer(models.Answered):
    """201."""

    data: AgentShown


class AgentsAnswer(models.Answered):
    """200, newest first."""

    data: list[ListedAgent]


class AgentAnswer(models.Answered):
    """200."""

    data: AgentDetails


class ChangedAgentAnswer(models.Answered):
    """200."""

    data: Behaviour


class PromptAnswer(models.Answered):
    """200 or 201."""

    data: PromptShown


class PromptsAnswer(models.Answered):
    """200, newest first."""

    data: list[PromptShown]


AGENT_OPERATIONS = (
    dashboard_operation(
        AGENTS_TAG,
        method="get",
        path="/api/v1/agents",
        name="listAgents",
        summary="List a user's agents",
        description="Newest first, those of web chat channels among them; none for an unknown user.",
        parameters=(USER,),
        answers=answers(200, AgentsAnswer, "The agents.", INVALID),
    ),
    dashboard_operation(
        AGENTS_TAG,
        method="post",
        path="/api/v1/agents",
        name="createAgent",
        summary="Let an agent answer on a phone number",
        description="A number has one agent.",
        parameters=(IDEMPOTENCY,),
        body=RequestBody.of(CreateAgentBody, _AGENT_EXAMPLE),
        answers=answers(201, NewAgentAnswer, "The agent.", INVALID, UNKNOWN, WITH_BODY, LATE),
    ),
    dashboard_operation(
        AGENTS_TAG,
        method="get",
        path=_AGENT,
        name="getAgent",
        summary="Get an agent",
        description="With its number, how busy it is, and why it could not answer last.",
        parameters=(_AGENT_ID,),
        answers=answers(200, AgentAnswer, "The agent.", UNKNOWN),
    ),
    dashboard_operation(
        AGENTS_TAG,
        method="patch",
        path=_AGENT,
        name="changeAgent",
        summary="Change an agent",
        description="The next answer already follows it.",
        parameters=(_AGENT_ID,),
        body=RequestBody.of(ChangeAgentBody, {"name": "Sales Agent", "prompt_id": "prompt_new456"}),
        answers=answers(200, ChangedAgentAnswer, "The agent.", INVALID, UNKNOWN, CHANGED_BODY, LATE),
    ),
    dashboard_operation(
        AGENTS_TAG,
        method="delete",
        path=_AGENT,
        name="deleteAgent",
        summary="Delete an agent",
        description="Its number may have another one. The agent of a web chat channel is deleted with the channel.",
        parameters=(_AGENT_ID,),
        answers=answers(200, models.Done, "It is deleted.", UNKNOWN, CONFLICT, LATE),
    ),
)

PROMPT_OPERATIONS = (
    operators_operation(
        PROMPTS_TAG,
        method="post",
        path="/admin/prompts",
        name="createPrompt",
        summary="Register a prompt",
        description="Agents that name its id follow it; an id that is not registered is OpenAI's to know.",
        parameters=(IDEMPOTENCY,),
        body=RequestBody.of(CreatePromptBody, _PROMPT_EXAMPLE),
        answers=answers(201, PromptAnswer, "The prompt.", INVALID, UNKNOWN, WITH_BODY, LATE),
    ),
    operators_operation(
        PROMPTS_TAG,
        method="get",
        path="/admin/prompts",
        name="listPrompts",
        summary="List a user's prompts",
        description="Newest first; none for an unknown user.",
        parameters=(USER,),
        answers=answers(200, PromptsAnswer, "The prompts.", INVALID),
    ),
    operators_operation(
        PROMPTS_TAG,
        method="get",
        path=_PROMPT,
        name="getPrompt",
        summary="Get a prompt",
        description="As it is now.",
        parameters=(_PROMPT_ID, USER),
        answers=answers(200, PromptAnswer, "The prompt.", INVALID, UNKNOWN),
    ),
    operators_operation(
        PROMPTS_TAG,
        method="patch",
        path=_PROMPT,
        name="changePrompt",
        summary="Change a prompt",
        description="Makes its next version, which the next answer follows.",
        parameters=(_PROMPT_ID, USER),
        body=RequestBody.of(ChangePromptBody, {"instructions": "You answer in one sentence."}),
        answers=answers(200, PromptAnswer, "The prompt.", INVALID, UNKNOWN, CHANGED_BODY, LATE),
    ),
    operators_operation(
        PROMPTS_TAG,
        method="delete",
        path=_PROMPT,
        name="deletePrompt",
        summary="Forget a prompt",
        description="From then on the id is OpenAI's to know.",
        parameters=(_PROMPT_ID, USER),
        answers=answers(200, models.Done, "It is forgotten.", INVALID, UNKNOWN, LATE),
    ),
)
