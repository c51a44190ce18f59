"""Web chat channels, described."""

from typing import Literal

from services.gateway.openapi import dashboard_models as models
from services.gateway.openapi.dashboard_parts import (
    CHANGED_BODY,
    IDEMPOTENCY,
    INVALID,
    LATE,
    UNKNOWN,
    USER,
    WITH_BODY,
    answers,
    dashboard_operation,
    in_path,
)
from services.gateway.openapi.operations import RequestBody
from services.gateway.openapi.shown import Shown, Time
from services.gateway.schemas.channels import ChangeWebchatChannelBody, CreateWebchatChannelBody

CHANNELS_TAG = "Web chat channels"

_ID = in_path("webchat_id", "The channel's id.", "webchat_3k9d")
_ONE = "/api/v1/webchat/channels/{webchat_id}"
_EXAMPLE = {"user_id": "usr_123", "prompt_id": "prompt_sales_bot_v1", "name": "Customer Support Chat"}


class EmbedShown(Shown):
    """How a channel gets onto a site."""

    webchat_id: str
    name: str
    embed_code: str
    """HTML to paste into the page."""
    config_url: str
    """Where its looks can be tried."""


class ChannelShown(EmbedShown):
    """A channel."""

    phone_number_id: str
    agent_id: str
    prompt_id: str
    """The one that its agent follows now."""
    created_at: Time


class NewChannel(ChannelShown):
    """A channel, and whose prompt it was given."""

    source_agent_id: str | None


class ThemeShown(Shown):
    """How the widget looks."""

    primary_color: str
    secondary_color: str
    mode: Literal["auto", "light", "dark"]
    position: Literal["right", "left"]


class ChangedChannel(NewChannel):
    """A channel with everything that can be changed."""

    allowed_origins: list[str]
    theme: ThemeShown
    greeting: str | None
    quick_replies: list[str]
    language: str | None
    daily_budget: int | None
    updated_at: Time


class ChannelsShown(Shown):
    """A user's channels."""

    channels: list[ChannelShown]
    count: int


class NewChannelAnswer(models.Answered):
    """201."""

    data: NewChannel


class ChannelsAnswer(models.Answered):
    """200, newest first."""

    data: ChannelsShown


class EmbedAnswer(models.Answered):
    """200."""

    data: EmbedShown


class ChangedChannelAnswer(models.Answered):
    """200."""

    data: ChangedChannel


CHANNEL_OPERATIONS = (
    dashboard_operation(
        CHANNELS_TAG,
        method="post",
        path="/api/v1/webchat/channels",
        name="createWebchatChannel",
        summary="Open a web chat channel",
        description="With an agent of its own, which follows a prompt or copies that of an agent.",
        parameters=(IDEMPOTENCY,),
        body=RequestBody.of(CreateWebchatChannelBody, _EXAMPLE),
        answers=answers(201, NewChannelAnswer, "The channel.", INVALID, UNKNOWN, WITH_BODY, LATE),
    ),
    dashboard_operation(
        CHANNELS_TAG,
        method="get",
        path="/api/v1/webchat/channels",
        name="listWebchatChannels",
        summary="List a user's web chat channels",
        description="Newest first; none for an unknown user.",
        parameters=(USER,),
        answers=answers(200, ChannelsAnswer, "The channels.", INVALID),
    ),
    dashboard_operation(
        CHANNELS_TAG,
        method="get",
        path=f"{_ONE}/embed",
        name="getWebchatEmbed",
        summary="Get the lines to embed a channel",
        description="In the colours of its theme.",
        parameters=(_ID,),
        answers=answers(200, EmbedAnswer, "The lines.", UNKNOWN),
    ),
    dashboard_operation(
        CHANNELS_TAG,
        method="patch",
        path=_ONE,
        name="changeWebchatChannel",
        summary="Change a web chat channel",
        description="Pages that are open see it when they are loaded again.",
        parameters=(_ID,),
        body=RequestBody.of(ChangeWebchatChannelBody, {"allowed_origins": ["https://shop.example.com"]}),
        answers=answers(200, ChangedChannelAnswer, "The channel.", INVALID, UNKNOWN, CHANGED_BODY, LATE),
    ),
    dashboard_operation(
        CHANNELS_TAG,
        method="delete",
        path=_ONE,
        name="deleteWebchatChannel",
        summary="Close a web chat channel",
        description="With its number and its agent; its conversations stay.",
        parameters=(_ID,),
        answers=answers(200, models.Done, "It is closed.", UNKNOWN, LATE),
    ),
)
