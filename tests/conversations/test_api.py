"""Conversations over HTTP: the gateway before messaging itself, the bus between them in memory."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from services.gateway.main import build_apps, ensure_indexes
from services.gateway.settings import GatewaySettings
from shared.bus.stream import MemoryStream
from shared.mongo import Client, Database
from shared.web.ops import Readiness
from tests.conversations.stage import PHONE, Stage, meta_message
from tests.gateway.conftest import ENVIRONMENT
from tests.messaging.meta import refuse
from tests.messaging.stage import META_ID, NUMBER, USER
from tests.servers import fresh_name

Web = TestClient[web.Request, web.Application]


@pytest.fixture(scope="module")
async def gateway_database(mongodb_client: Client) -> AsyncIterator[Database]:
    """The gateway's own."""
    name = fresh_name()
    await ensure_indexes(mongodb_client[name])
    yield mongodb_client[name]
    await mongodb_client.drop_database(name)


@pytest.fixture
async def api(stage: Stage, gateway_database: Database) -> AsyncIterator[Web]:
    """The private listener."""
    settings = GatewaySettings.from_env(ENVIRONMENT)
    private, _ = build_apps(settings, gateway_database, stage.bus, Readiness({}), MemoryStream())
    async with TestClient(TestServer(private)) as client:
        yield client


async def conversation_id(api: Web) -> str:
    body = await (await api.get("/api/v1/conversations", params={"user_id": USER})).json()
    return str(body["data"][0]["conversation_id"])


async def post(api: Web, action: str, body: Any = None, **headers: str) -> ClientResponse:
    options: dict[str, Any] = {} if body is None else {"json": body}
    return await api.post(f"/api/v1/conversations/{await conversation_id(api)}/{action}", headers=headers, **options)


async def test_a_conversation_is_listed_with_its_customer_and_its_newest_message(api: Web, stage: Stage) -> None:
    await stage.hear(meta_message(1))

    answer = await api.get("/api/v1/conversations", params={"user_id": USER})

    body = await answer.json()
    (shown,) = body["data"]
    thread = await stage.thread()
    assert (answer.status, body["success"], body["pagination"]) == (200, True, {"limit": 50, "next_cursor": None})
    assert {key: shown[key] for key in ("conversation_id", "channel", "handled_by", "window_expires_at")} == {
        "conversation_id": f"conv_{thread['_id']}",
        "channel": "whatsapp",
        "handled_by": "agent",
        "window_expires_at": "2026-03-06T12:00:00.000Z",
    }
    assert (shown["contact"]["phone"], shown["contact"]["name"]) == (PHONE, "Asha")
    assert (shown["last_message"]["direction"], shown["last_message"]["text"]) == ("inbound", "question 1")


async def test_pages_of_conversations_leave_none_out_and_show_none_twice(api: Web, stage: Stage) -> None:
    await stage.hear(*(meta_message(number, sender=f"91987654{number:04d}") for number in range(1, 6)))

    seen: list[str] = []
    cursor = ""
    for _ in range(3):
        params = {"user_id": USER, "limit": "2"} | ({"cursor": cursor} if cursor else {})
        body = await (await api.get("/api/v1/conversations", params=params)).json()
        seen += [each["conversation_id"] for each in body["data"]]
        cursor = body["pagination"]["next_cursor"] or ""

    assert (len(seen), len(set(seen)), cursor) == (5, 5, "")


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, 1),
        ({"channel": "whatsapp"}, 1),
        ({"channel": "instagram"}, 0),
        ({"handled_by": "human"}, 0),
        ({"phone_number_id": NUMBER}, 1),
        ({"phone_number_id": "pn_2"}, 0),
        ({"user_id": "usr_2"}, 0),
    ],
)
async def test_conversations_are_listed_by_what_is_asked(
    api: Web, stage: Stage, filters: dict[str, str], found: int
) -> None:
    await stage.hear(meta_message(1))

    body = await (await api.get("/api/v1/conversations", params={"user_id": USER} | filters)).json()

    assert len(body["data"]) == found


async def test_both_sides_of_a_conversation_are_read_newest_first_page_by_page(api: Web, stage: Stage) -> None:
    for number in (1, 2):
        await stage.hear(meta_message(number, at=stage.clock()))
        stage.clock.pass_time(1)
        await post(api, "messages", {"type": "text", "text": f"answer {number}"})
        stage.clock.pass_time(1)
    path = f"/api/v1/conversations/{await conversation_id(api)}/messages"

    first = await (await api.get(path, params={"limit": "3"})).json()
    rest = await (await api.get(path, params={"limit": "3", "cursor": first["pagination"]["next_cursor"]})).json()

    read = [(each["direction"], each["author"], each["text"]) for each in (*first["data"], *rest["data"])]
    assert read == [
        ("outbound", "human", "answer 2"),
        ("inbound", "customer", "question 2"),
        ("outbound", "human", "answer 1"),
        ("inbound", "customer", "question 1"),
    ]
    assert [each["status"] for each in first["data"]] == ["sent", "received", "sent"]
    assert rest["pagination"]["next_cursor"] is None


async def test_a_reply_is_sent_to_the_customer_and_takes_the_conversation_over(api: Web, stage: Stage) -> None:
    await stage.hear(meta_message(1))

    answer = await post(api, "messages", {"type": "text", "text": "On its way", "colour": "red"})

    body, (call,) = await answer.json(), stage.whole.meta.calls
    assert (answer.status, body["data"]["status"], body["data"]["wa_message_id"]) == (200, "sent", "wamid.1")
    assert body["data"]["warnings"] == ["ignored_field: colour"]
    assert (call.body["to"], call.body["text"]["body"]) == (PHONE, "On its way")
    assert (await stage.thread())["handled_by"] == "human"


async def test_a_reply_with_a_key_is_sent_once(api: Web, stage: Stage) -> None:
    await stage.hear(meta_message(1))
    body = {"type": "text", "text": "On its way"}

    first = await post(api, "messages", body, **{"Idempotency-Key": "a"})
    again = await post(api, "messages", body, **{"Idempotency-Key": "a"})

    assert (await first.json())["data"] == (await again.json())["data"]
    assert len(stage.whole.meta.calls) == 1


async def test_a_reply_that_meta_refuses_is_502_in_metas_words(api: Web, stage: Stage) -> None:
    await stage.hear(meta_message(1))
    stage.whole.meta.will(refuse(131047, message="Re-engagement message"))

    answer = await post(api, "messages", {"type": "text", "text": "Hello?"})

    body = await answer.json()
    assert (answer.status, body["error"], body["data"]["status"]) == (502, "Bad Gateway", "failed")
    assert "Re-engagement message" in body["message"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"type": "text"}, "text"),
        ({"type": "text", "text": ""}, "text"),
        ({"type": "smoke", "text": "x"}, "type"),
        ({"type": "text", "text": "x", "to": "+14155550000"}, "to"),
        ({"type": "image", "media": {"url": "ftp://x"}}, "media.url"),
    ],
)
async def test_a_wrong_reply_is_400_and_names_the_field(
    api: Web, stage: Stage, body: dict[str, Any], field: str
) -> None:
    await stage.hear(meta_message(1))

    answer = await post(api, "messages", body)

    assert answer.status == 400
    assert [each["field"] for each in (await answer.json())["details"]] == [field]
    assert stage.whole.meta.calls == []
    assert (await stage.thread())["handled_by"] == "agent"


async def test_handing_over_and_back_shows_who_answers(api: Web, stage: Stage) -> None:
    await stage.hear(meta_message(1))

    over = await post(api, "handover", {"note": "Asks for a refund"})
    back = await post(api, "handback")

    assert [(await answer.json())["data"]["handled_by"] for answer in (over, back)] == ["human", "agent"]
    assert [(change.handled_by, change.by, change.note) for change in stage.handling()] == [
        ("human", "api", "Asks for a refund"),
        ("agent", "api", None),
    ]


async def test_reading_marks_the_newest_message_at_meta_and_shows_that_somebody_writes(api: Web, stage: Stage) -> None:
    await stage.hear(meta_message(1), meta_message(2))

    answer = await post(api, "read", {"typing": True})

    (call,) = stage.whole.meta.calls
    assert answer.status == 200
    assert (call.meta_phone_number_id, call.body) == (
        META_ID,
        {
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": call.body["message_id"],
            "typing_indicator": {"type": "text"},
        },
    )
    assert call.body["message_id"] in {"wamid.in.1", "wamid.in.2"}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("identifier", ["conv_65f0c0de65f0c0de65f0c0de", "65f0c0de65f0c0de65f0c0de", "conv_x", "$ne"])
async def test_a_conversation_that_is_not_there_is_404(api: Web, method: str, identifier: str) -> None:
    path = f"/api/v1/conversations/{identifier}/messages"
    options: dict[str, Any] = {"json": {"type": "text", "text": "x"}} if method == "POST" else {}

    answer = await api.request(method, path, **options)

    assert (answer.status, (await answer.json())["message"]) == (404, "Conversation not found")


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"user_id": USER, "limit": "0"},
        {"user_id": USER, "limit": "201"},
        {"user_id": USER, "cursor": "x{}"},
        {"user_id": USER, "cursor": "12-zz"},
        {"user_id": USER, "channel": "sms"},
        {"user_id": USER, "handled_by": "cat"},
    ],
)
async def test_a_wrong_question_is_400(api: Web, query: dict[str, str]) -> None:
    assert (await api.get("/api/v1/conversations", params=query)).status == 400
