"""Two tenants: with the other's ids, the one hears on every route what it would hear of ids that nobody has."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.gateway.routes.ownership import PATH_IDS
from shared.contracts import campaigns, contacts, template_drafts, threads, timeline
from shared.contracts.base import Reply
from shared.errors import NotFoundError
from shared.mongo import Database
from tests.contracts.samples.basics import TEMPLATE
from tests.gateway.conftest import NOON
from tests.gateway.joined import USER, Joined, joined_on
from tests.gateway.routes.test_proxy_mode import MINE, SECRET, THEIRS, identity, make_number

HEX_OF_THEIRS, HEX_OF_NOBODY = "a" * 24, "b" * 24
BODIES: dict[str, Any] = {"PATCH": {"name": "mine now"}, "PUT": {"variables": []}, "POST": {}}

# What the owners that are not here would answer for a thing of the other tenant's.
_FOREIGN: tuple[tuple[type[Any], str, Reply], ...] = (
    (
        template_drafts.GetTemplate,
        "template_id",
        template_drafts.TemplateDetails(
            template=TEMPLATE.model_copy(update={"user_id": THEIRS}), analytics=template_drafts.TemplateAnalytics()
        ),
    ),
    (
        campaigns.GetCampaign,
        "campaign_id",
        campaigns.Campaign(
            campaign_id="camp_theirs",
            user_id=THEIRS,
            phone_number_id="pn_1",
            template_id="tpl_1",
            name="x",
            status="RUNNING",
            counters=campaigns.Counters(),
            created_at=NOON,
        ),
    ),
    (
        contacts.GetContact,
        "contact_id",
        contacts.Contact(
            contact_id="contact_theirs", user_id=THEIRS, phone="+14155550123", created_at=NOON, updated_at=NOON
        ),
    ),
    (
        threads.GetConversation,
        "conversation_id",
        threads.Conversation(
            conversation_id=HEX_OF_THEIRS,
            user_id=THEIRS,
            phone_number_id="pn_1",
            channel="whatsapp",
            contact=threads.Person(contact_id="contact_theirs"),
            recipient="+14155550123",
            handled_by="agent",
            sequence=1,
            last_message_at=NOON,
            created_at=NOON,
        ),
    ),
    (
        timeline.GetMessageTimeline,
        "message_id",
        timeline.MessageTimeline(
            message_id=HEX_OF_THEIRS,
            wa_message_id=None,
            conversation_id=None,
            contact_id=None,
            user_id=THEIRS,
            phone_number_id="pn_1",
            to="+14155550123",
            type="text",
            source="dashboard",
            state="SENT",
            steps=(),
        ),
    ),
    (
        threads.FetchMedia,
        "media_id",
        threads.MediaInfo(media_id="media_theirs", user_id=THEIRS, mime_type="image/png", size=1, sha256="00"),
    ),
)


def _answering(field: str, reply: Reply) -> Any:
    """An owner who knows one thing: that of the other tenant."""

    async def answer(request: Any) -> Reply:
        if getattr(request, field) not in {HEX_OF_THEIRS, f"{field}.theirs"}:
            raise NotFoundError(PATH_IDS[field].unknown)
        return reply

    return answer


@pytest.fixture
async def tenants(joined_database: Database) -> AsyncIterator[tuple[Joined, dict[str, str]]]:
    """The gateway behind a proxy, and an id of each kind that is the other tenant's."""
    async with joined_on(joined_database, DASHBOARD_AUTH="proxy", DASHBOARD_IDENTITY_KEY=SECRET) as ready:
        for request, field, reply in _FOREIGN:
            ready.bus.on(request, _answering(field, reply))
        for user_id in (MINE, THEIRS):
            body = {"user_id": user_id, "email": f"{user_id}@example.com"}
            await ready.ask("POST", "/api/v1/users", body, **identity(user_id))
        number = await make_number(ready, THEIRS)
        agent = {"user_id": THEIRS, "phone_number_id": number, "prompt_id": "p", "name": "x"}
        channel = {"user_id": THEIRS, "prompt_id": "p", "name": "x"}
        _, made = await ready.ask("POST", "/api/v1/agents", agent, **identity(THEIRS))
        _, opened = await ready.ask("POST", "/api/v1/webchat/channels", channel, **identity(THEIRS))
        yield (
            ready,
            {
                "user_id": THEIRS,
                "phone_number_id": number,
                "agent_id": made["data"]["agent_id"],
                "webchat_id": opened["data"]["webchat_id"],
                "conversation_id": HEX_OF_THEIRS,
                "message_id": HEX_OF_THEIRS,
                **{name: f"{name}.theirs" for name in ("template_id", "campaign_id", "contact_id", "media_id")},
            },
        )


def routes_with_ids(gateway: Joined) -> list[tuple[str, str, str]]:
    """Method, path and the name of the id, for every route of the dashboard API that takes one."""
    found = []
    for route in gateway.private.app.router.routes():
        path = route.resource.canonical if route.resource else ""
        names = [name for name in PATH_IDS if f"{{{name}}}" in path]
        if path.startswith("/api/v1/") and names and route.method != "HEAD":
            found.append((route.method, path, names[0]))
    return found


async def test_every_route_answers_a_foreign_id_as_one_that_nobody_has(
    tenants: tuple[Joined, dict[str, str]],
) -> None:
    gateway, theirs = tenants
    walked = routes_with_ids(gateway)

    for method, path, name in walked:
        nobodys = HEX_OF_NOBODY if theirs[name] == HEX_OF_THEIRS else f"{name}.nobodys"
        foreign, unknown = [
            await ask(gateway, method, path.replace(f"{{{name}}}", value)) for value in (theirs[name], nobodys)
        ]
        assert foreign[0] == 404, (method, path, foreign)
        assert foreign == unknown, (method, path)

    assert len(walked) > 30


async def test_the_owner_itself_is_let_through_where_the_other_is_not(
    tenants: tuple[Joined, dict[str, str]],
) -> None:
    gateway, theirs = tenants

    for name in ("phone_number_id", "agent_id"):
        path = {"phone_number_id": "/api/v1/phone-numbers", "agent_id": "/api/v1/agents"}[name]
        status, _ = await gateway.ask("GET", f"{path}/{theirs[name]}", None, **identity(THEIRS))
        assert status == 200


async def ask(gateway: Joined, method: str, path: str) -> tuple[int, dict[str, Any]]:
    """What a person of the one tenant is told, without what differs each time."""
    status, answer = await gateway.ask(method, path, BODIES.get(method), **identity(MINE))
    return status, {name: value for name, value in answer.items() if name not in {"timestamp", "correlationId"}}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/agents", {"phone_number_id": "{number}", "prompt_id": "p", "name": "x"}),
        ("/api/v1/webchat/channels", {"agent_id": "{agent}", "name": "x"}),
        ("/admin/api-keys", {"phone_number_id": "{number}", "name": "x"}),
    ],
)
async def test_without_a_login_a_reference_to_a_foreign_thing_finds_nothing(
    joined: Joined, path: str, body: dict[str, str]
) -> None:
    await joined.make_user("usr_2")
    number = await joined.make_number()
    agent = await joined.make_agent((await joined.make_number(meta_phone_number_id="2"))["id"])
    ids = {"number": number["id"], "agent": agent["agent_id"]}

    told = []
    for filled in (ids, {"number": "pn_nobody", "agent": "agt_nobody"}):
        wanted = {name: value.format(**filled) for name, value in body.items()} | {"user_id": "usr_2"}
        status, answer = await joined.ask("POST", path, wanted)
        told.append((status, answer["error"], answer["message"]))

    assert told[0] == told[1]
    assert told[0][0] == 404


async def test_prompts_are_each_users_own(joined: Joined) -> None:
    await joined.make("/admin/prompts", {"user_id": USER, "prompt_id": "p", "instructions": "x"})

    for method, body in (("GET", None), ("PATCH", {"instructions": "y"}), ("DELETE", None)):
        status, answer = await joined.ask(method, "/admin/prompts/p?user_id=usr_2", body)
        assert (status, answer["message"]) == (404, "Prompt not found")
