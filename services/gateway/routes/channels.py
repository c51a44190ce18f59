"""`/api/v1/webchat/channels`."""

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from services.gateway.domain.embed_code import config_url, embed_code
from services.gateway.repositories.users import UserRepository
from services.gateway.routes.asking import Asking
from services.gateway.routes.idempotent import Fixed, Idempotency
from services.gateway.routes.parameters import path_id, required_query_id
from services.gateway.schemas.channels import ChangeWebchatChannelBody, CreateWebchatChannelBody
from shared.clock import iso_millis
from shared.contracts.agents import (
    CreateWebchatChannel,
    DeleteWebchatChannel,
    GetWebchatChannel,
    ListWebchatChannels,
    UpdateWebchatChannel,
    WebchatChannel,
)
from shared.ids import new_id
from shared.web.body import parse_body
from shared.web.envelopes import success

_LOOKS = {"allowed_origins", "theme", "greeting", "quick_replies", "language", "daily_budget"}
_UNKNOWN = "Webchat channel not found"


@dataclass(frozen=True, slots=True)
class ChannelRoutes:
    """Channels belong to agents. Their ids stand in public pages, so nothing of the user is in them."""

    users: UserRepository
    asking: Asking
    idempotency: Idempotency
    public_base_url: str

    def table(self) -> list[web.RouteDef]:
        """What is served where."""
        one = "/api/v1/webchat/channels/{webchat_id}"
        return [
            web.post("/api/v1/webchat/channels", self.create_channel),
            web.get("/api/v1/webchat/channels", self.list_channels),
            web.get(f"{one}/embed", self.get_embed),
            web.patch(one, self.change_channel),
            web.delete(one, self.delete_channel),
        ]

    async def create_channel(self, request: web.Request) -> web.Response:
        """201 with the channel and the lines to embed it; 404 for an unknown user or agent."""
        body = await parse_body(request, CreateWebchatChannelBody)

        async def work(fixed: Fixed) -> web.Response:
            await self.users.get(body.user_id)
            command = CreateWebchatChannel(
                **fixed,
                user_id=body.user_id,
                name=body.name,
                prompt_id=body.prompt_id,
                source_agent_id=body.agent_id,
            )
            look_at = f"GET /api/v1/webchat/channels?user_id={body.user_id}"
            made = await self.asking.command(command, look_at=look_at)
            return success(request, self._with_source(made), status=201)

        return await self.idempotency.run(request, owner=body.user_id, fixed=_new_ids(), work=work)

    async def list_channels(self, request: web.Request) -> web.Response:
        """200 with a user's channels, newest first, and how many there are."""
        found = await self.asking.query(ListWebchatChannels(user_id=required_query_id(request, "user_id")))
        channels = [self._channel(channel) for channel in found.items]
        return success(request, {"channels": channels, "count": len(channels)})

    async def get_embed(self, request: web.Request) -> web.Response:
        """200 with the lines to paste into a site."""
        channel = await self.asking.query(GetWebchatChannel(webchat_id=_webchat_id(request)))
        return success(request, {"webchat_id": channel.webchat_id, "name": channel.name} | self._links(channel))

    async def change_channel(self, request: web.Request) -> web.Response:
        """200 with the channel as it is now."""
        webchat_id = _webchat_id(request)
        changes = (await parse_body(request, ChangeWebchatChannelBody)).changes()
        cleared = tuple(name for name, value in changes.items() if value is None)
        command = UpdateWebchatChannel.model_validate({"webchat_id": webchat_id, "cleared": cleared, **changes})
        changed = await self.asking.command(command, look_at=f"GET /api/v1/webchat/channels/{webchat_id}/embed")
        looks = changed.model_dump(include=_LOOKS, mode="json")
        return success(request, self._with_source(changed) | looks | {"updated_at": iso_millis(changed.updated_at)})

    async def delete_channel(self, request: web.Request) -> web.Response:
        """200; the widget says goodbye wherever it is embedded."""
        webchat_id = _webchat_id(request)
        look_at = f"GET /api/v1/webchat/channels/{webchat_id}/embed"
        await self.asking.command(DeleteWebchatChannel(webchat_id=webchat_id), look_at=look_at)
        return success(request, message=f"Webchat channel {webchat_id} deleted successfully", data_key=False)

    def _channel(self, channel: WebchatChannel, **source: Any) -> dict[str, Any]:
        return {
            "webchat_id": channel.webchat_id,
            "phone_number_id": channel.phone_number_id,
            "agent_id": channel.agent_id,
            "prompt_id": channel.prompt_id,
            **source,
            "name": channel.name,
            **self._links(channel),
            "created_at": iso_millis(channel.created_at),
        }

    def _with_source(self, channel: WebchatChannel) -> dict[str, Any]:
        return self._channel(channel, source_agent_id=channel.source_agent_id)

    def _links(self, channel: WebchatChannel) -> dict[str, Any]:
        colors = channel.theme.model_dump(include={"primary_color", "secondary_color"})
        return {
            "embed_code": embed_code(self.public_base_url, channel.webchat_id, channel.name, **colors),
            "config_url": config_url(self.public_base_url, channel.webchat_id),
        }


def _new_ids() -> Fixed:
    """Ids of a channel, its number and its agent. The first is public, so nothing of the others follows from it."""
    return {
        "webchat_id": new_id("webchat_"),
        "phone_number_id": new_id("pn_webchat_"),
        "agent_id": new_id("agent_webchat_"),
    }


def _webchat_id(request: web.Request) -> str:
    return path_id(request, "webchat_id", unknown=_UNKNOWN)
