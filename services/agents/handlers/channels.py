"""Web chat channels: opened, shown, changed and closed."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.agents.linking import ChannelDoors
from services.agents.repositories.agents import AgentRepository
from services.agents.repositories.channels import ChannelRepository
from shared.bus.port import Bus
from shared.contracts.agents import (
    Agent,
    CreateWebchatChannel,
    DeleteWebchatChannel,
    GetWebchatChannel,
    ListWebchatChannels,
    UpdateWebchatChannel,
    WebchatChannel,
    WebchatChannels,
)
from shared.contracts.base import Done
from shared.errors import InvalidInputError, NotFoundError

_OF_THE_AGENT = {"daily_budget"}


@dataclass(frozen=True, slots=True)
class ChannelHandlers:
    """Opening is idempotent by the channel's id, changing sets values, closing ends in the same state."""

    bus: Bus
    channels: ChannelRepository
    agents: AgentRepository
    doors: ChannelDoors

    def register(self) -> None:
        """Own the channels."""
        self.bus.on(CreateWebchatChannel, self.create_webchat_channel)
        self.bus.on(ListWebchatChannels, self.list_webchat_channels)
        self.bus.on(GetWebchatChannel, self.get_webchat_channel)
        self.bus.on(UpdateWebchatChannel, self.update_webchat_channel)
        self.bus.on(DeleteWebchatChannel, self.delete_webchat_channel)

    async def create_webchat_channel(self, command: CreateWebchatChannel) -> WebchatChannel:
        """Open a channel with its number and its agent."""
        begun = await self.channels.find_begun(command.webchat_id)
        prompt_id = begun.prompt_id if begun else await self._prompt_of(command)
        channel = await self.channels.add_once(command, prompt_id)
        await self.doors.open(channel)
        return await self._shown(channel)

    async def list_webchat_channels(self, query: ListWebchatChannels) -> WebchatChannels:
        """A user's channels, newest first."""
        channels = await self.channels.list_by_user(query.user_id)
        agents = await self.agents.list_by_ids([channel.agent_id for channel in channels])
        return WebchatChannels(items=tuple(_with_agent(channel, agents) for channel in channels))

    async def get_webchat_channel(self, query: GetWebchatChannel) -> WebchatChannel:
        """One channel."""
        return await self._shown(await self.channels.get(query.webchat_id))

    async def update_webchat_channel(self, command: UpdateWebchatChannel) -> WebchatChannel:
        """Set what was given; open widgets see it when they are loaded again."""
        given = command.model_dump(exclude={"webchat_id", "cleared"}, exclude_none=True) | dict.fromkeys(
            command.cleared
        )
        given |= {f"theme.{name}": value for name, value in given.pop("theme", {}).items()}
        agents_own = {name: given.pop(name) for name in _OF_THE_AGENT & given.keys()}
        channel = await self.channels.change(command.webchat_id, given)
        if agents_own:
            await self.agents.change(channel.agent_id, agents_own)
        return await self._shown(channel)

    async def delete_webchat_channel(self, command: DeleteWebchatChannel) -> Done:
        """Close the channel; widgets that are open on pages are told so when they next ask."""
        await self.doors.close(await self.channels.mark_closing(command.webchat_id))
        return Done()

    async def _prompt_of(self, command: CreateWebchatChannel) -> str:
        if command.prompt_id is not None:
            return command.prompt_id
        if command.source_agent_id is None:
            raise InvalidInputError("Provide either prompt_id or agent_id")
        source = await self.agents.get(command.source_agent_id)
        if source.user_id != command.user_id:
            raise NotFoundError("Agent not found")
        return source.prompt_id

    async def _shown(self, channel: WebchatChannel) -> WebchatChannel:
        return _with_agent(channel, await self.agents.list_by_ids([channel.agent_id]))


def _with_agent(channel: WebchatChannel, agents: Mapping[str, Agent]) -> WebchatChannel:
    """The channel with what its agent knows better."""
    agent = agents.get(channel.agent_id)
    if agent is None:
        return channel
    return channel.model_copy(update={"prompt_id": agent.prompt_id, "daily_budget": agent.daily_budget})
