"""AI agents, the prompts they follow, and the web chat channels they answer on."""

from typing import Any, ClassVar, Literal

from pydantic import AwareDatetime, Field

from shared.contracts.base import Command, Contract, Done, Identifier, Query, Reply


class AgentError(Contract):
    """Why an agent could not answer, in words for its operator, with the remedy."""

    code: str
    message: str
    at: AwareDatetime


class Agent(Reply):
    """An agent: who answers on one phone number, and how."""

    agent_id: Identifier
    user_id: Identifier
    phone_number_id: Identifier
    prompt_id: Identifier
    name: str
    webchat_id: Identifier | None = None  # the channel it belongs to; such an agent goes with its channel
    source_agent_id: Identifier | None = None  # whose prompt it was given at creation
    debounce_ms: int | None = None  # how long to gather messages before answering; None: as configured
    fallback_text: str | None = None  # what a customer is told when no answer can be given; None: as configured
    daily_budget: int | None = None  # answers a day (UTC); None: no limit
    last_error: AgentError | None = None  # gone with the next answer that works
    created_at: AwareDatetime
    updated_at: AwareDatetime


class Agents(Reply):
    """A user's agents, newest first."""

    items: tuple[Agent, ...]


class CreateAgent(Command[Agent]):
    """Let an agent answer on a phone number. Idempotent by `agent_id`.

    Raises NotFoundError (number unknown or another user's), ConflictError when the number has another agent.
    """

    message_type: ClassVar[str] = "agents.create_agent.v1"
    reply_type: ClassVar[type[Reply]] = Agent

    agent_id: Identifier
    user_id: Identifier
    phone_number_id: Identifier
    prompt_id: Identifier
    name: str


class ListAgents(Query[Agents]):
    """A user's agents, those of web chat channels among them; an unknown user has none."""

    message_type: ClassVar[str] = "agents.list_agents.v1"
    reply_type: ClassVar[type[Reply]] = Agents

    user_id: Identifier


class GetAgent(Query[Agent]):
    """One agent. Raises NotFoundError, also while it is being deleted."""

    message_type: ClassVar[str] = "agents.get_agent.v1"
    reply_type: ClassVar[type[Reply]] = Agent

    agent_id: Identifier


class UpdateAgent(Command[Agent]):
    """Change an agent; None leaves a field as it is, `cleared` names those that become None. Idempotent: it sets.

    Raises NotFoundError.
    """

    message_type: ClassVar[str] = "agents.update_agent.v1"
    reply_type: ClassVar[type[Reply]] = Agent

    agent_id: Identifier
    name: str | None = None
    prompt_id: Identifier | None = None
    debounce_ms: int | None = Field(default=None, ge=0, le=60_000)
    fallback_text: str | None = None
    daily_budget: int | None = Field(default=None, ge=0)
    cleared: tuple[Literal["debounce_ms", "fallback_text", "daily_budget"], ...] = ()


class DeleteAgent(Command[Done]):
    """Delete an agent and free its number for another.

    Raises NotFoundError, and ConflictError for the agent of a web chat channel, which goes with the channel.
    """

    message_type: ClassVar[str] = "agents.delete_agent.v1"
    reply_type: ClassVar[type[Reply]] = Done

    agent_id: Identifier


class Prompt(Reply):
    """What an agent is told to be: kept here, since the model's maker no longer keeps prompts."""

    user_id: Identifier
    prompt_id: Identifier
    instructions: str
    model: str | None = None  # None: the configured one
    variables: dict[str, str] = Field(default_factory=dict)  # `{{name}}` in the instructions
    tools: tuple[dict[str, Any], ...] = ()  # as the model's API takes them
    version: int  # 1, and one more with each change
    created_at: AwareDatetime
    updated_at: AwareDatetime


class Prompts(Reply):
    """A user's prompts, newest first."""

    items: tuple[Prompt, ...]


class CreatePrompt(Command[Prompt]):
    """Register a prompt. Idempotent by `work_id`. Raises ConflictError when the user has one with this id."""

    message_type: ClassVar[str] = "agents.create_prompt.v1"
    reply_type: ClassVar[type[Reply]] = Prompt

    work_id: Identifier  # the caller's, so that a redelivery is told from a second prompt
    user_id: Identifier
    prompt_id: Identifier
    instructions: str
    model: str | None = None
    variables: dict[str, str] = Field(default_factory=dict)
    tools: tuple[dict[str, Any], ...] = ()


class ListPrompts(Query[Prompts]):
    """A user's prompts; an unknown user has none."""

    message_type: ClassVar[str] = "agents.list_prompts.v1"
    reply_type: ClassVar[type[Reply]] = Prompts

    user_id: Identifier


class GetPrompt(Query[Prompt]):
    """One prompt of a user's. Raises NotFoundError."""

    message_type: ClassVar[str] = "agents.get_prompt.v1"
    reply_type: ClassVar[type[Reply]] = Prompt

    user_id: Identifier
    prompt_id: Identifier


class UpdatePrompt(Command[Prompt]):
    """Change a prompt; None leaves a field as it is. Idempotent by `work_id`. Raises NotFoundError."""

    message_type: ClassVar[str] = "agents.update_prompt.v1"
    reply_type: ClassVar[type[Reply]] = Prompt

    work_id: Identifier
    user_id: Identifier
    prompt_id: Identifier
    instructions: str | None = None
    model: str | None = None
    default_model: bool = False  # from now on the configured model
    variables: dict[str, str] | None = None
    tools: tuple[dict[str, Any], ...] | None = None


class DeletePrompt(Command[Done]):
    """Forget a prompt; agents that name it are from then on refused by the model's API. Raises NotFoundError."""

    message_type: ClassVar[str] = "agents.delete_prompt.v1"
    reply_type: ClassVar[type[Reply]] = Done

    user_id: Identifier
    prompt_id: Identifier


class WebchatTheme(Contract):
    """How the widget looks."""

    primary_color: str = "#3B82F6"
    secondary_color: str = "#EFF6FF"
    mode: Literal["auto", "light", "dark"] = "auto"
    position: Literal["right", "left"] = "right"


class ThemeChange(Contract):
    """What to change of a theme; None leaves it as it is."""

    primary_color: str | None = None
    secondary_color: str | None = None
    mode: Literal["auto", "light", "dark"] | None = None
    position: Literal["right", "left"] | None = None


class WebchatChannel(Reply):
    """A web chat on somebody's site. `prompt_id` and `daily_budget` are its agent's."""

    webchat_id: Identifier
    phone_number_id: Identifier
    agent_id: Identifier
    user_id: Identifier
    prompt_id: Identifier
    source_agent_id: Identifier | None = None
    name: str
    allowed_origins: tuple[str, ...] = ()  # none: any http(s) origin
    theme: WebchatTheme = WebchatTheme()
    greeting: str | None = None
    quick_replies: tuple[str, ...] = ()
    language: str | None = None  # None: the visitor's
    daily_budget: int | None = None
    created_at: AwareDatetime
    updated_at: AwareDatetime


class WebchatChannels(Reply):
    """A user's channels, newest first."""

    items: tuple[WebchatChannel, ...]


class CreateWebchatChannel(Command[WebchatChannel]):
    """Open a channel with a number and an agent of its own. Idempotent by `webchat_id`.

    The prompt is given, or copied once from `source_agent_id`. What a crash left half open is opened later.
    Raises NotFoundError when the source agent is unknown or another user's.
    """

    message_type: ClassVar[str] = "agents.create_webchat_channel.v1"
    reply_type: ClassVar[type[Reply]] = WebchatChannel

    webchat_id: Identifier
    phone_number_id: Identifier
    agent_id: Identifier
    user_id: Identifier
    name: str
    prompt_id: Identifier | None = None
    source_agent_id: Identifier | None = None


class ListWebchatChannels(Query[WebchatChannels]):
    """A user's channels; an unknown user has none."""

    message_type: ClassVar[str] = "agents.list_webchat_channels.v1"
    reply_type: ClassVar[type[Reply]] = WebchatChannels

    user_id: Identifier


class GetWebchatChannel(Query[WebchatChannel]):
    """One channel, by its own id or its agent's. Raises NotFoundError."""

    message_type: ClassVar[str] = "agents.get_webchat_channel.v1"
    reply_type: ClassVar[type[Reply]] = WebchatChannel

    webchat_id: Identifier


class UpdateWebchatChannel(Command[WebchatChannel]):
    """Change a channel; None leaves a field as it is, `cleared` names those that become None. Idempotent: it sets.

    Raises NotFoundError.
    """

    message_type: ClassVar[str] = "agents.update_webchat_channel.v1"
    reply_type: ClassVar[type[Reply]] = WebchatChannel

    webchat_id: Identifier
    name: str | None = None
    allowed_origins: tuple[str, ...] | None = None
    theme: ThemeChange | None = None
    greeting: str | None = None
    quick_replies: tuple[str, ...] | None = None
    language: str | None = None
    daily_budget: int | None = Field(default=None, ge=0)
    cleared: tuple[Literal["greeting", "language", "daily_budget"], ...] = ()


class DeleteWebchatChannel(Command[Done]):
    """Close a channel with its agent and its number; its history stays. Raises NotFoundError."""

    message_type: ClassVar[str] = "agents.delete_webchat_channel.v1"
    reply_type: ClassVar[type[Reply]] = Done

    webchat_id: Identifier
