"""Sessions of web chat visitors."""

from dataclasses import dataclass

from services.agents.domain.visitors import ProvenVisitor, proven_session_id, proven_visitor, require_origin
from services.agents.repositories.channels import ChannelRepository
from services.agents.repositories.sessions import IdentityRule, SessionRepository, StoredSession
from shared.bus.port import Bus
from shared.contracts.agents import WebchatChannel
from shared.contracts.base import Done
from shared.contracts.webchat import (
    GetWebchatSession,
    OpenWebchatSession,
    SetWebchatIdentity,
    VisitorIdentity,
    WebchatSession,
)
from shared.errors import NotFoundError
from shared.sealing import KeyRing

IDENTITY_SECRET = "identity_secret"  # noqa: S105 - the field it is sealed for


@dataclass(frozen=True, slots=True)
class SessionHandlers:
    """A session is a record of who talks on which channel; whether a caller holds it is the gateway's token to say."""

    channels: ChannelRepository
    sessions: SessionRepository
    keys: KeyRing
    bus: Bus

    def register(self) -> None:
        """Take the messages about sessions."""
        self.bus.on(OpenWebchatSession, self.open_webchat_session)
        self.bus.on(GetWebchatSession, self.get_webchat_session)
        self.bus.on(SetWebchatIdentity, self.set_webchat_identity)

    async def open_webchat_session(self, command: OpenWebchatSession) -> WebchatSession:
        """Idempotent by the session's id: a repetition finds what the first time stored."""
        channel = await self.channels.get(command.webchat_id)
        require_origin(command.origin, channel.allowed_origins)
        known = await self.sessions.find(command.session_id, channel.webchat_id)
        already_proven = known is not None and known.external_id is not None
        visitor = await self._proven(channel.webchat_id, command.identity, already_proven=already_proven)
        session_id = proven_session_id(channel.webchat_id, visitor.external_id) if visitor else command.session_id
        return _reply(channel, await self.sessions.open(session_id, channel.webchat_id, visitor))

    async def get_webchat_session(self, query: GetWebchatSession) -> WebchatSession:
        """As it may be used now: a channel that was closed, or changed whom it lets in, acts at once."""
        channel = await self.channels.get(query.webchat_id)
        require_origin(query.origin, channel.allowed_origins)
        session = await self.sessions.find(query.session_id, channel.webchat_id)
        if session is None:
            raise NotFoundError("Webchat session not found")
        if session.external_id is None:
            await self._proven(channel.webchat_id, None, already_proven=False)
        return _reply(channel, session)

    async def set_webchat_identity(self, command: SetWebchatIdentity) -> Done:
        """Sets a value, so a repetition changes nothing."""
        channel = await self.channels.get(command.webchat_id)
        rule = IdentityRule(command.sealed_secret, required=command.required)
        await self.sessions.set_identity(channel.webchat_id, rule)
        return Done()

    async def _proven(
        self, webchat_id: str, identity: VisitorIdentity | None, *, already_proven: bool
    ) -> ProvenVisitor | None:
        rule = await self.sessions.identity_of(webchat_id)
        secret = (
            self.keys.open(rule.sealed_secret, owner_id=webchat_id, field=IDENTITY_SECRET)
            if rule.sealed_secret
            else None
        )
        return proven_visitor(identity, secret, required=rule.required and not already_proven)


def _reply(channel: WebchatChannel, session: StoredSession) -> WebchatSession:
    return WebchatSession(
        session_id=session.session_id,
        webchat_id=channel.webchat_id,
        user_id=channel.user_id,
        phone_number_id=channel.phone_number_id,
        agent_id=channel.agent_id,
        external_id=session.external_id,
        visitor=session.visitor,
        channel_name=channel.name,
        theme=channel.theme,
        greeting=channel.greeting,
        quick_replies=channel.quick_replies,
        language=channel.language,
        created_at=session.created_at,
    )
