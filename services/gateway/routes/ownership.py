"""Whose things a request is about, for proxies that say for whom it may speak.

Routes know things by id alone, and services answer whoever asks. Here each id is traced to its user first. What names
nobody is refused, so a new kind of id is not let through by mistake; a test walks all routes.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from services.gateway.domain.identities import Identity
from services.gateway.routes.asking import Asking
from shared.contracts.agents import GetAgent, GetWebchatChannel
from shared.contracts.base import Query, Reply
from shared.contracts.campaigns import GetCampaign
from shared.contracts.contacts import GetContact
from shared.contracts.messaging import GetPhoneNumber
from shared.contracts.template_drafts import GetTemplate
from shared.contracts.threads import FetchMedia, GetConversation
from shared.contracts.timeline import GetMessageTimeline
from shared.errors import InvalidInputError, NotFoundError, PermissionDeniedError
from shared.web.body import read_json

# Nobody's in particular.
SHARED_ROUTES = frozenset({"/api/v1/event-types"})

Trace = Callable[[Asking, str], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Traced:
    """How an id in a path leads to its user, and how the route says that there is no such thing."""

    trace: Trace
    unknown: str


@dataclass(frozen=True, slots=True)
class Ownership:
    """Traces ids in path, query and body."""

    asking: Asking

    async def require(self, request: web.Request, identity: Identity) -> None:
        """Raise unless everything that the request names belongs to users that the identity may act for.

        NotFoundError in the route's own words for a foreign thing, PermissionDeniedError for a foreign user, and for
        a request that names nobody.
        """
        resource = request.match_info.route.resource
        if resource is None or resource.canonical in SHARED_ROUTES:
            return
        named = [await self._require_path(request, identity), await self._require_given(request.query, identity)]
        if not any(named):
            named.append(await self._require_given(await _body(request), identity))
        if not any(named):
            raise PermissionDeniedError("The request does not say whose this is: give user_id or phone_number_id")

    async def _require_path(self, request: web.Request, identity: Identity) -> bool:
        for name, value in request.match_info.items():
            traced = PATH_IDS.get(name)
            if traced is not None:
                await self._require_one(traced, value, identity)
                return True
        return False

    async def _require_given(self, values: Mapping[str, Any], identity: Identity) -> bool:
        user_id, number_id = values.get("user_id"), values.get("phone_number_id")
        if isinstance(user_id, str) and not identity.may_act_for(user_id):
            raise PermissionDeniedError("This identity may not act for this user", code="user_not_allowed")
        if isinstance(number_id, str):
            await self._require_one(PATH_IDS["phone_number_id"], number_id, identity)
        return isinstance(user_id, str) or isinstance(number_id, str)

    async def _require_one(self, traced: Traced, value: str, identity: Identity) -> None:
        try:
            owner = await traced.trace(self.asking, value)
        except ValueError:  # an id of a form that none has
            raise NotFoundError(traced.unknown) from None
        if not identity.may_act_for(owner):
            raise NotFoundError(traced.unknown)


async def _body(request: web.Request) -> Mapping[str, Any]:
    """The members of a JSON body; what cannot be read is left to the route, which says what is wrong with it."""
    try:
        value = await read_json(request)
    except InvalidInputError:
        return {}
    return value if isinstance(value, dict) else {}


def _of(query: Callable[[str], Query[Any]]) -> Trace:
    async def trace(asking: Asking, value: str) -> str:
        return _user_of(await asking.query(query(value)))

    return trace


def _user_of(reply: Reply) -> str:
    owner: str = reply.user_id  # type: ignore[attr-defined]  # each of the queries below is answered with one
    return owner


async def _the_user(_asking: Asking, value: str) -> str:
    return value


async def _template(asking: Asking, value: str) -> str:
    return (await asking.query(GetTemplate(template_id=value))).template.user_id


async def _media(asking: Asking, value: str) -> str:
    return (await asking.command(FetchMedia(media_id=value), look_at="GET /api/v1/media/:id")).user_id


PATH_IDS: Mapping[str, Traced] = {
    "user_id": Traced(_the_user, "User not found"),
    "phone_number_id": Traced(_of(lambda value: GetPhoneNumber(phone_number_id=value)), "Phone number not found"),
    "agent_id": Traced(_of(lambda value: GetAgent(agent_id=value)), "Agent not found"),
    "webchat_id": Traced(_of(lambda value: GetWebchatChannel(webchat_id=value)), "Webchat channel not found"),
    "template_id": Traced(_template, "Template not found"),
    "campaign_id": Traced(_of(lambda value: GetCampaign(campaign_id=value)), "Campaign not found"),
    "contact_id": Traced(_of(lambda value: GetContact(contact_id=value)), "Contact not found"),
    "conversation_id": Traced(
        _of(lambda value: GetConversation(conversation_id=value.removeprefix("conv_"))), "Conversation not found"
    ),
    "message_id": Traced(_of(lambda value: GetMessageTimeline(message_id=value)), "Message not found"),
    "media_id": Traced(_media, "Media not found"),
}
