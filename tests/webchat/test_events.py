"""The stream over HTTP: what comes, in which order, and where it is taken up again."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from services.gateway.domain.answer_text import AnswerText, GapError, Piece
from shared.bus.stream import MemoryStream
from shared.mongo import Database
from tests.webchat.stage import WEBCHAT_ID, Conversation, Site, serving_site

ORIGIN = "https://shop.example"
Event = tuple[str, int | None, Any]


class Listener:
    """A widget without a browser."""

    def __init__(self, http: aiohttp.ClientSession, site: Site) -> None:
        self.http, self.site = http, site
        self.headers = {"Origin": ORIGIN}
        self.url = f"{site.url}/webchat/{WEBCHAT_ID}"

    async def begin(self) -> Conversation:
        """Open a session; its conversation."""
        async with self.http.post(f"{self.url}/sessions", json={}, headers=self.headers) as answer:
            data = (await answer.json())["data"]
        self.headers["Authorization"] = f"Bearer {data['token']}"
        return self.site.desk.of(data["session_id"])

    @asynccontextmanager
    async def listening(self, **headers: str) -> AsyncIterator[AsyncIterator[Event]]:
        """The events of a stream, as they come."""
        async with self.http.get(f"{self.url}/events", headers=self.headers | headers) as answer:
            assert answer.content_type == "text/event-stream"
            assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
            yield events_of(answer)

    async def get(self, query: str) -> tuple[int, Any]:
        """One answer in JSON."""
        async with self.http.get(f"{self.url}/events?{query}", headers=self.headers) as answer:
            return answer.status, await answer.json()


async def events_of(answer: aiohttp.ClientResponse) -> AsyncIterator[Event]:
    """Parsed; pings count as events of that name."""
    while (block := await answer.content.readuntil(b"\n\n")).endswith(b"\n\n"):
        lines = dict(line.split(": ", 1) for line in block.decode().strip().split("\n") if not line.startswith(":"))
        if "event" not in lines:
            yield "ping", None, None
            continue
        yield lines["event"], int(lines["id"]) if "id" in lines else None, json.loads(lines["data"])


@pytest.fixture
async def listener(site: Site) -> AsyncIterator[Listener]:
    """Somebody with a session."""
    async with aiohttp.ClientSession() as http:
        yield Listener(http, site)


async def take(events: AsyncIterator[Event], number: int) -> list[tuple[Any, ...]]:
    """The next events: name, id, and the text that they carry."""
    found = [await anext(events) for _ in range(number)]
    return [(name, id_, (data or {}).get("text")) for name, id_, data in found]


async def test_a_stream_tells_the_past_then_that_it_is_ready_then_what_comes(listener: Listener) -> None:
    conversation = await listener.begin()
    await conversation.add(author="visitor", text="Hello")
    await conversation.answer("Hi")

    async with listener.listening() as events:
        past = await take(events, 3)
        await conversation.say("How ")
        await conversation.say("are you?")
        await conversation.answer("How are you?")
        news = await take(events, 3)

    assert past == [("entry", 1, "Hello"), ("entry", 2, "Hi"), ("ready", None, None)]
    assert news == [("delta", None, "How "), ("delta", None, "are you?"), ("entry", 3, "How are you?")]


async def test_a_stream_resumes_after_the_last_event_that_was_heard(listener: Listener) -> None:
    conversation = await listener.begin()
    for text in ("1", "2", "3"):
        await conversation.answer(text)

    async with listener.listening(**{"Last-Event-ID": "2"}) as events:
        assert await take(events, 2) == [("entry", 3, "3"), ("ready", None, None)]


async def test_who_joins_late_gets_the_answer_so_far(listener: Listener) -> None:
    conversation = await listener.begin()
    await conversation.say("😀 So far")

    async with listener.listening() as events:
        first = await anext(events)
        await anext(events)
        await conversation.say(", so good")
        second = await anext(events)

    assert first == ("delta", None, {"turn_id": "turn_1", "offset": 0, "text": "😀 So far"})
    assert second == ("delta", None, {"turn_id": "turn_1", "offset": 9, "text": ", so good"})  # UTF-16 units


async def test_a_delta_that_was_lost_is_made_good(listener: Listener) -> None:
    conversation = await listener.begin()
    async with listener.listening() as events:
        await anext(events)
        await conversation.say("One ")
        await anext(events)
        conversation.turn = conversation.turn.model_copy(update={"text": "One two "})  # the delta of this got lost
        await conversation.say("three")

        assert await take(events, 1) == [("delta", None, "One two three")]


async def test_a_hint_that_was_lost_is_made_good_by_the_next_ping(database: Database) -> None:
    async with serving_site(database, WEBCHAT_PING_SECONDS="0.2") as site, aiohttp.ClientSession() as http:
        listener = Listener(http, site)
        conversation = await listener.begin()
        async with listener.listening() as events:
            await anext(events)
            quiet = Conversation(conversation.session_id, MemoryStream(), conversation.entries)
            await quiet.answer("Nobody was told")

            heard = await take(events, 2)

    assert heard == [("ping", None, None), ("entry", 1, "Nobody was told")]


async def test_a_notice_is_told_as_such(listener: Listener) -> None:
    conversation = await listener.begin()
    async with listener.listening() as events:
        await anext(events)
        await conversation.hand_over("human")
        name, position, data = await anext(events)

    assert (name, position) == ("entry", 1)
    assert {key: data[key] for key in ("kind", "handled_by")} == {"kind": "notice", "handled_by": "human"}
    assert "text" not in data


async def test_what_the_business_sends_is_shown_as_a_person_s(listener: Listener) -> None:
    conversation = await listener.begin()
    await conversation.answer("From the dashboard", author="business")

    async with listener.listening() as events:
        _, _, data = await anext(events)

    assert data["author"] == "human"


async def test_another_session_s_words_never_come(listener: Listener, site: Site) -> None:
    other = Listener(listener.http, site)
    mine, theirs = await listener.begin(), await other.begin()

    async with listener.listening() as events:
        await anext(events)
        await theirs.say("Secret")
        await theirs.answer("Secret")
        await mine.answer("Mine")

        assert await take(events, 1) == [("entry", 1, "Mine")]


async def test_a_process_that_stops_ends_its_streams(listener: Listener, site: Site) -> None:
    await listener.begin()
    async with listener.listening() as events:
        await anext(events)
        await site.app.shutdown()

        assert [event async for event in events] == []


async def test_a_long_poll_answers_with_what_is_there_or_comes(listener: Listener) -> None:
    conversation = await listener.begin()
    await conversation.answer("1")

    _, there = await listener.get("wait=25")
    _, nothing = await listener.get("wait=1&after=1")
    await conversation.answer("2")
    _, news = await listener.get("wait=25&after=1")

    assert [entry["text"] for entry in there["data"]["entries"]] == ["1"]
    assert nothing["data"] == {"entries": [], "last_position": 1}
    assert [entry["text"] for entry in news["data"]["entries"]] == ["2"]


@pytest.mark.parametrize("query", ["after=x", "after=-1", "wait=0", "wait=26", "wait=x", "after=1e5"])
async def test_a_wrong_question_is_refused(listener: Listener, query: str) -> None:
    await listener.begin()

    assert (await listener.get(query))[0] == 400


def test_pieces_that_overlap_or_repeat_are_told_once() -> None:
    answer = AnswerText()

    told = [answer.take("t", 0, "Hello "), answer.take("t", 0, "Hello "), answer.take("t", 3, "lo wor")]

    assert told == [Piece("t", 0, "Hello "), None, Piece("t", 3, "lo wor")]
    assert answer.text == "Hello wor"


def test_a_gap_is_noticed_and_another_turn_begins_anew() -> None:
    answer = AnswerText("t", "Hello")

    with pytest.raises(GapError):
        answer.take("t", 6, "world")
    assert answer.take("u", 0, "Other") == Piece("u", 0, "Other")
