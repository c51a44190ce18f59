"""Sessions over HTTP: whose token opens what, from which pages, and how often."""

import base64
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from services.agents.domain.visitors import proof_of
from services.agents.handlers.sessions import IDENTITY_SECRET
from services.gateway.domain.visitor_tokens import VisitorToken, read_visitor_token
from shared.clock import utc_now
from shared.contracts.agents import CreateWebchatChannel
from shared.contracts.webchat import SetWebchatIdentity
from shared.errors import UnauthenticatedError
from shared.mongo import Database
from shared.sealing import KeyRing
from tests.gateway.conftest import ENVIRONMENT
from tests.webchat.page import ORIGIN, Page
from tests.webchat.stage import AGENT_ID, WEBCHAT_ID, Site, serving_site

OTHER_ORIGIN = "https://evil.example"
OTHER_CHANNEL = "webchat_2222222222222222222222"
KEYS = KeyRing.parse(ENVIRONMENT["MASTER_KEYS"])
MASTER_KEY = next(iter(KEYS.keys.values()))
SECRET = "the site's own secret"
MESSAGE = {"client_message_id": "c_1", "text": "Hello"}


async def test_a_session_tells_what_the_widget_shows(page: Page) -> None:
    status, answer = await page.open()

    assert status == 201
    assert answer["data"]["channel"] == {
        "webchat_id": WEBCHAT_ID,
        "name": "Acme Support",
        "greeting": "Hello! How can **we** help?",
        "quick_replies": ["Where is my order?", "Opening hours"],
        "language": None,
        "theme": {"primary_color": "#3B82F6", "secondary_color": "#EFF6FF", "mode": "auto", "position": "right"},
    }
    assert page.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "Origin" in page.headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in page.headers
    assert "Set-Cookie" not in page.headers


async def test_a_message_sent_again_with_its_id_is_stored_once(page: Page, site: Site) -> None:
    await page.open()

    first = await page.call("POST", "messages", json=MESSAGE)
    second = await page.call("POST", "messages", json=MESSAGE | {"text": "Another text"})

    assert first[0] == 201
    assert second[1]["data"] == first[1]["data"]
    assert site.desk.texts == ["Hello"]


async def test_a_good_token_keeps_the_session_and_a_bad_one_begins_another(page: Page) -> None:
    _, first = await page.open()
    _, kept = await page.open()
    page.token = "wvt_nonsense.x"
    _, other = await page.open()

    assert kept["data"]["session_id"] == first["data"]["session_id"]
    assert other["data"]["session_id"] != first["data"]["session_id"]


async def test_the_agent_s_id_stands_for_the_channel(page: Page) -> None:
    status, answer = await page.open(AGENT_ID)

    assert (status, answer["data"]["channel"]["webchat_id"]) == (201, WEBCHAT_ID)
    assert (await page.call("POST", "messages", AGENT_ID, json=MESSAGE))[0] == 201


async def test_a_token_opens_nothing_but_its_own_session(page: Page, site: Site) -> None:
    await page.open()
    await page.call("POST", "messages", json=MESSAGE)
    stranger = Page(page.http, site)
    await stranger.open()

    _, mine = await page.call("GET", "messages")
    _, theirs = await stranger.call("GET", "messages")

    assert [entry["text"] for entry in mine["data"]["entries"]] == ["Hello"]
    assert theirs["data"]["entries"] == []


def altered(token: str) -> str:
    """The same claims but for another session, with the old signature."""
    payload, _, signature = token.removeprefix("wvt_").partition(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    claims[0] = "session_of_somebody_else"
    return f"wvt_{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.{signature}"


@pytest.mark.parametrize("path", ["messages", "events"])
async def test_forged_and_expired_tokens_are_refused(page: Page, path: str) -> None:
    _, answer = await page.open()
    session_id, good = answer["data"]["session_id"], answer["data"]["token"]
    late = VisitorToken(session_id, WEBCHAT_ID, ORIGIN, utc_now() - timedelta(seconds=1)).signed(MASTER_KEY)
    foreign = VisitorToken(session_id, WEBCHAT_ID, ORIGIN, utc_now() + timedelta(hours=1)).signed(b"1" * 32)

    answers = [
        await page.call("GET", path, token=token)
        for token in (None, "x", "wvt_", "wvt_e30.x", altered(good), good[:-1], late, foreign)
    ]

    assert [status for status, _ in answers] == [401] * 8
    assert answers[6][1]["code"] == "session_expired"
    assert page.headers["Access-Control-Allow-Origin"] == ORIGIN  # so that the widget can read why


async def test_a_token_is_good_on_its_own_channel_and_page_only(page: Page, site: Site) -> None:
    await open_second_channel(site)
    await page.open()

    elsewhere, _ = await page.call("GET", "messages", OTHER_CHANNEL)
    foreign, answer = await page.call("GET", "messages", origin=OTHER_ORIGIN)

    assert (elsewhere, foreign) == (401, 403)
    assert answer["code"] == "origin_not_allowed"
    assert "Access-Control-Allow-Origin" not in page.headers


async def open_second_channel(site: Site) -> None:
    """Another user's."""
    await site.channels.add_once(
        CreateWebchatChannel(
            webchat_id=OTHER_CHANNEL,
            phone_number_id="pn_webchat_2",
            agent_id="agent_webchat_2",
            user_id="usr_2",
            name="Other",
            prompt_id="prompt_2",
        ),
        "prompt_2",
    )
    await site.channels.mark_open(OTHER_CHANNEL)


@pytest.mark.parametrize("origin", [None, "null", "file://", "shop.example", "https://a b", "https://u@shop.example"])
async def test_a_call_without_a_page_s_origin_is_refused(page: Page, origin: str | None) -> None:
    status, answer = await page.call("POST", "sessions", json={}, origin=origin)

    assert (status, answer["code"]) == (403, "origin_not_allowed")


async def test_a_channel_that_lists_origins_answers_no_others_from_then_on(page: Page, site: Site) -> None:
    await page.open()
    await site.change(allowed_origins=[OTHER_ORIGIN + "/"])

    opened, _ = await page.open()
    used, answer = await page.call("POST", "messages", json=MESSAGE)
    listed, _ = await page.call("POST", "sessions", json={}, origin=OTHER_ORIGIN, token=None)

    assert (opened, used, listed) == (403, 403, 201)
    assert answer["code"] == "origin_not_allowed"
    assert site.desk.texts == []


async def test_a_closed_channel_is_gone_at_once(page: Page, site: Site) -> None:
    await page.open()
    await site.channels.mark_closing(WEBCHAT_ID)

    statuses = [(await page.open())[0], (await page.call("POST", "messages", json=MESSAGE))[0]]

    assert statuses == [404, 404]


async def test_a_browser_s_preflight_is_answered(page: Page) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}

    status, _ = await page.call("OPTIONS", "messages", headers=asked)

    assert status == 204
    assert page.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "Last-Event-ID" in page.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in page.headers


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": "Hello"}, "client_message_id"),
        ({"client_message_id": "c 1", "text": "Hello"}, "client_message_id"),
        ({"client_message_id": "c_1"}, "text"),
        ({"client_message_id": "c_1", "text": " \n"}, "text"),
        ({"client_message_id": "c_1", "text": "x" * 4001}, "text"),
        ({"client_message_id": "c_1", "text": 7}, "text"),
    ],
)
async def test_a_wrong_message_names_its_field(page: Page, site: Site, body: dict[str, Any], field: str) -> None:
    await page.open()

    status, answer = await page.call("POST", "messages", json=body)

    assert (status, answer["details"][0]["field"]) == (400, field)
    assert site.desk.texts == []


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "before=x"])
async def test_a_wrong_question_is_refused(page: Page, query: str) -> None:
    await page.open()

    assert (await page.call("GET", f"messages?{query}"))[0] == 400


async def test_history_is_read_in_pages(page: Page) -> None:
    await page.open()
    for number in range(5):
        await page.call("POST", "messages", json={"client_message_id": f"c_{number}", "text": str(number)})

    _, newest = await page.call("GET", "messages?limit=2")
    _, older = await page.call("GET", f"messages?limit=3&before={newest['data']['entries'][0]['position']}")

    assert [entry["text"] for entry in newest["data"]["entries"]] == ["3", "4"]
    assert [entry["text"] for entry in older["data"]["entries"]] == ["0", "1", "2"]


async def prove(site: Site, *, required: bool = False) -> None:
    """Give the channel an identity secret."""
    sealed = KEYS.seal(SECRET, owner_id=WEBCHAT_ID, field=IDENTITY_SECRET)
    command = SetWebchatIdentity(webchat_id=WEBCHAT_ID, sealed_secret=sealed, required=required)
    await site.bus.request(command, timeout_seconds=30)


async def test_a_proven_visitor_has_one_session_everywhere(page: Page, site: Site) -> None:
    await prove(site)
    identity = {"external_id": "customer-17", "proof": proof_of("customer-17", SECRET), "name": "Ravi"}

    _, phone = await page.open(identity=identity)
    await page.call("POST", "messages", json=MESSAGE)
    laptop = Page(page.http, site)
    _, same = await laptop.open(identity=identity)
    _, said = await laptop.call("GET", "messages")

    assert phone["data"]["session_id"] == same["data"]["session_id"]
    assert [entry["text"] for entry in said["data"]["entries"]] == ["Hello"]
    visitor = site.desk.received[0].visitor
    assert visitor is not None
    assert visitor.name == "Ravi"


@pytest.mark.parametrize("proof", ["0" * 64, proof_of("customer-18", SECRET)])
async def test_a_wrong_proof_is_refused_and_not_ignored(page: Page, site: Site, proof: str) -> None:
    await prove(site)

    status, answer = await page.open(identity={"external_id": "customer-17", "proof": proof})

    assert (status, answer["code"]) == (403, "identity_wrong")


async def test_an_identity_without_a_secret_to_prove_it_is_refused(page: Page) -> None:
    status, answer = await page.open(identity={"external_id": "customer-17", "proof": "0" * 64})

    assert (status, answer["code"]) == (403, "identity_off")


async def test_a_channel_may_turn_unknown_visitors_away_at_once(page: Page, site: Site) -> None:
    await page.open()
    await prove(site, required=True)

    opened, answer = await page.open()
    used, _ = await page.call("POST", "messages", json=MESSAGE)

    assert (opened, used) == (403, 403)
    assert answer["code"] == "identity_needed"


@pytest.fixture
async def strict(database: Database) -> AsyncIterator[Site]:
    """As in production, with its limits."""
    async with serving_site(database, ENVIRONMENT="production", TRUSTED_PROXIES="127.0.0.0/8") as served:
        yield served


async def test_an_eleventh_message_in_a_minute_is_too_many(http: aiohttp.ClientSession, strict: Site) -> None:
    page = Page(http, strict)
    await page.open()
    calls = [{"client_message_id": f"c_{number}", "text": "Hello"} for number in range(11)]

    statuses = [(await page.call("POST", "messages", json=body))[0] for body in calls]

    assert statuses == [201] * 10 + [429]
    assert 0 < int(page.headers["Retry-After"]) <= 6
    assert "Retry-After" in page.headers["Access-Control-Expose-Headers"]


async def test_an_address_opens_twenty_sessions_an_hour(http: aiohttp.ClientSession, strict: Site) -> None:
    statuses = [(await Page(http, strict).open())[0] for _ in range(21)]
    page = Page(http, strict)
    elsewhere, _ = await page.call("POST", "sessions", json={}, headers={"X-Forwarded-For": "203.0.113.9"})

    assert statuses == [201] * 20 + [429]
    assert elsewhere == 201


async def test_an_address_that_has_used_its_messages_up_has_none_in_another_session(
    http: aiohttp.ClientSession, strict: Site, database: Database
) -> None:
    first, second = Page(http, strict), Page(http, strict)
    await first.open()
    await second.open()
    assert (await first.call("POST", "messages", json=MESSAGE))[0] == 201
    address = {"_id": "webchat.address|127.0.0.1"}
    used_up = await database.key_rates.update_one(address, {"$set": {"level": -1000.0}})
    assert used_up.matched_count == 1

    status, _ = await second.call("POST", "messages", json=MESSAGE)

    assert status == 429


def test_a_token_survives_a_rotation_of_master_keys() -> None:
    token = VisitorToken("session_1", WEBCHAT_ID, ORIGIN, utc_now() + timedelta(hours=1)).signed(b"0" * 32)

    assert read_visitor_token(token, [b"1" * 32, b"0" * 32], utc_now()).session_id == "session_1"
    with pytest.raises(UnauthenticatedError):
        read_visitor_token(token, [b"1" * 32], utc_now())
