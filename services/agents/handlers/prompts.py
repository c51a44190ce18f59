"""Prompts: registered, changed in versions, forgotten."""

from dataclasses import dataclass

from services.agents.repositories.prompts import PromptRepository
from shared.bus.port import Bus
from shared.contracts.agents import (
    CreatePrompt,
    DeletePrompt,
    GetPrompt,
    ListPrompts,
    Prompt,
    Prompts,
    UpdatePrompt,
)
from shared.contracts.base import Done


@dataclass(frozen=True, slots=True)
class PromptHandlers:
    """Creating and changing are idempotent by the work's id."""

    bus: Bus
    prompts: PromptRepository

    def register(self) -> None:
        """Own the prompts."""
        self.bus.on(CreatePrompt, self.create_prompt)
        self.bus.on(ListPrompts, self.list_prompts)
        self.bus.on(GetPrompt, self.get_prompt)
        self.bus.on(UpdatePrompt, self.update_prompt)
        self.bus.on(DeletePrompt, self.delete_prompt)

    async def create_prompt(self, command: CreatePrompt) -> Prompt:
        """Version 1."""
        return await self.prompts.add_once(command)

    async def list_prompts(self, query: ListPrompts) -> Prompts:
        """A user's prompts, newest first."""
        return Prompts(items=await self.prompts.list_by_user(query.user_id))

    async def get_prompt(self, query: GetPrompt) -> Prompt:
        """One prompt as it is now."""
        return await self.prompts.get(query.user_id, query.prompt_id)

    async def update_prompt(self, command: UpdatePrompt) -> Prompt:
        """The next version; answers that are being written keep to the one they began with."""
        return await self.prompts.change(command)

    async def delete_prompt(self, command: DeletePrompt) -> Done:
        """From now on the id means what the model's API makes of it."""
        await self.prompts.delete(command.user_id, command.prompt_id)
        return Done()
