"""What the web chat's transport answers, for its document; the routes write plain JSON."""

from typing import Annotated, Literal

from pydantic import Field

from services.gateway.openapi.dashboard_models import Enveloped
from services.gateway.openapi.shown import Shown, Time, left_out


class ThemeShown(Shown):
    """How the widget looks."""

    primary_color: str
    secondary_color: str
    mode: Literal["auto", "light", "dark"]
    position: Literal["right", "left"]


class ChannelShown(Shown):
    """What a widget shows of its channel."""

    webchat_id: str
    name: str
    greeting: str | None
    quick_replies: list[str]
    language: str | None
    """Null: the visitor's."""
    theme: ThemeShown


class SessionShown(Shown):
    """A visitor's session."""

    session_id: str
    token: str
    """The credential of all further calls: signed, for this channel and this page's origin only."""
    expires_at: Time
    channel: ChannelShown


class ReceivedShown(Shown):
    """A visitor's message, stored."""

    message_id: str
    client_message_id: str
    position: Annotated[int, Field(ge=1)]
    """Where it stands in the transcript."""
    at: Time


class EntryShown(Shown):
    """A line of the transcript: a message, or a notice that a person (or the agent again) answers now."""

    position: Annotated[int, Field(ge=1)]
    """Rises with each line, not always by one."""
    kind: Literal["message", "notice"]
    message_id: str = Field(default_factory=left_out)
    client_message_id: str = Field(default_factory=left_out)
    """The visitor's own messages have it."""
    author: Literal["visitor", "agent", "human"] = Field(default_factory=left_out)
    text: str = Field(default_factory=left_out)
    handled_by: Literal["human", "agent"] = Field(default_factory=left_out)
    """Of a notice."""
    at: Time


class TranscriptShown(Shown):
    """A part of the transcript, oldest line first."""

    entries: list[EntryShown]
    last_position: int
    """Of the whole transcript: from here on a stream tells the rest."""
    handled_by: Literal["human", "agent"]
    has_more: bool
    """Whether there may be older lines."""


class NewsShown(Shown):
    """The lines after a position; none when nothing came in time."""

    entries: list[EntryShown]
    last_position: int
    """What to ask after next."""


class SessionAnswer(Enveloped):
    """201."""

    success: Literal[True]
    data: SessionShown


class ReceivedAnswer(Enveloped):
    """201."""

    success: Literal[True]
    data: ReceivedShown


class TranscriptAnswer(Enveloped):
    """200."""

    success: Literal[True]
    data: TranscriptShown


class NewsAnswer(Enveloped):
    """200 with `wait`; without it the answer is a stream."""

    success: Literal[True]
    data: NewsShown
