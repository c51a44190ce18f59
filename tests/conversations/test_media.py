"""Files that customers send: downloaded when first asked for, kept once, read in pieces."""

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from services.messaging.clients.media import MediaClient
from services.messaging.handlers.media import MediaHandlers
from services.messaging.repositories.media import PIECE_BYTES
from shared.contracts.threads import FetchMedia, MediaInfo, ReadMedia
from shared.errors import NotFoundError, UpstreamRejectedError, UpstreamUnavailableError
from tests.conversations.stage import Stage, inbound_id, meta_message
from tests.messaging.stage import TOKEN

MOST_BYTES = 600_000
PLAN = bytes(range(256)) * 2000  # 512,000 bytes: two pieces


@dataclass
class MetaFiles:
    """Meta's side: nodes that name links, and the files behind them, for whoever shows the token."""

    files: dict[str, bytes] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)  # instead of our own
    asked: list[str] = field(default_factory=list)
    base: str = ""

    async def node(self, request: web.Request) -> web.Response:
        """`GET /{media-id}`."""
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        file_id = request.match_info["id"]
        self.asked.append(file_id)
        if file_id not in self.files and file_id not in self.links:
            error = {"message": "Unsupported get request", "code": 100, "error_subcode": 33}
            return web.json_response({"error": error}, status=400)
        return web.json_response({"url": self.links.get(file_id, f"{self.base}/file/{file_id}")})

    async def file(self, request: web.Request) -> web.StreamResponse:
        """The bytes, without a length, as a stranger might send them."""
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        response = web.StreamResponse(headers={"Content-Type": "application/pdf"})
        await response.prepare(request)
        await response.write(self.files[request.match_info["id"]])
        return response


@pytest.fixture
async def meta() -> AsyncIterator[MetaFiles]:
    """Meta's files, on a port of their own."""
    files = MetaFiles()
    app = web.Application()
    app.add_routes([web.get("/v25.0/{id}", files.node), web.get("/file/{id}", files.file)])
    async with TestServer(app) as server:
        files.base = str(server.make_url("")).rstrip("/")
        yield files


@pytest.fixture
async def media(stage: Stage, meta: MetaFiles) -> AsyncIterator[MediaHandlers]:
    """The handlers, asking that Meta."""
    known = stage.conversing.media
    async with ClientSession() as session:
        client = MediaClient(session, f"{meta.base}/v25.0", MOST_BYTES)
        yield MediaHandlers(known.bus, known.media, known.numbers, client, known.keys)


async def sent_file(stage: Stage, number: int = 1, file_id: str = "77", **content: Any) -> str:
    """A document of the customer's; our id of it."""
    part = {"id": file_id, "mime_type": "application/pdf", "filename": "plan.pdf"} | content
    await stage.hear(meta_message(number, type="document", text=None, content=part))
    return f"media_{inbound_id(number)}"


async def fetched(media: MediaHandlers, media_id: str) -> MediaInfo:
    return await media.fetch_media(FetchMedia(media_id=media_id))


async def read(media: MediaHandlers, media_id: str) -> bytes:
    """All pieces."""
    found, piece = b"", b"start"
    while piece:
        piece = base64.b64decode((await media.read_media(ReadMedia(media_id=media_id, offset=len(found)))).data)
        found += piece
    return found


async def test_a_file_is_downloaded_when_it_is_first_asked_for(
    stage: Stage, media: MediaHandlers, meta: MetaFiles
) -> None:
    meta.files["77"] = PLAN
    media_id = await sent_file(stage)
    asked_before = list(meta.asked)

    first, again = await fetched(media, media_id), await fetched(media, media_id)

    assert (asked_before, meta.asked) == ([], ["77"])
    assert first == again
    assert (first.size, first.filename, first.mime_type) == (len(PLAN), "plan.pdf", "application/pdf")
    assert await read(media, media_id) == PLAN


async def test_equal_files_are_kept_once(stage: Stage, media: MediaHandlers, meta: MetaFiles) -> None:
    meta.files |= {"77": PLAN, "78": PLAN}
    ids = [await sent_file(stage, 1, "77"), await sent_file(stage, 2, "78")]

    shas = {(await fetched(media, media_id)).sha256 for media_id in ids}

    assert len(shas) == 1
    assert await stage.database["media_pieces"].count_documents({}) == -(-len(PLAN) // PIECE_BYTES)
    assert await read(media, ids[1]) == PLAN


async def test_a_file_that_is_too_large_is_refused_and_not_kept(
    stage: Stage, media: MediaHandlers, meta: MetaFiles
) -> None:
    meta.files["77"] = b"x" * (MOST_BYTES + 1)

    with pytest.raises(UpstreamRejectedError) as refused:
        await fetched(media, await sent_file(stage))

    assert refused.value.code == "media_too_large"
    assert await stage.database["media_pieces"].count_documents({}) == 0


async def test_a_file_that_meta_has_no_more_is_refused_with_its_words(
    stage: Stage, media: MediaHandlers, meta: MetaFiles
) -> None:
    with pytest.raises(UpstreamRejectedError, match="Unsupported get request") as refused:
        await fetched(media, await sent_file(stage, 1, "gone"))

    assert refused.value.code == "media_gone"


@pytest.mark.parametrize(
    "link",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1:1/",
        "https://lookaside.fbsbx.com.evil.example/a",
        "http://lookaside.fbsbx.com/a",
        "https://lookaside.fbsbx.com:8443/a",
        "https://user@evil.example/.fbsbx.com",
        "file:///etc/passwd",
        "",
    ],
)
async def test_the_token_is_shown_to_nobody_but_meta(
    stage: Stage, media: MediaHandlers, meta: MetaFiles, link: str
) -> None:
    meta.links["77"] = link

    with pytest.raises(UpstreamRejectedError) as refused:
        await fetched(media, await sent_file(stage))

    assert refused.value.code == "media_gone"


async def test_meta_that_does_not_answer_is_told_apart(stage: Stage, media: MediaHandlers) -> None:
    media_id = await sent_file(stage)
    async with ClientSession() as session:
        away = MediaClient(session, "http://127.0.0.1:1/v25.0", MOST_BYTES)
        handlers = MediaHandlers(media.bus, media.media, media.numbers, away, media.keys)

        with pytest.raises(UpstreamUnavailableError):
            await fetched(handlers, media_id)


async def test_a_file_of_nobody_is_not_found(media: MediaHandlers) -> None:
    with pytest.raises(NotFoundError):
        await fetched(media, "media_65f0c0ffee65f0c0ffee65f8")
    with pytest.raises(NotFoundError):
        await media.read_media(ReadMedia(media_id="media_65f0c0ffee65f0c0ffee65f8", offset=0))


async def test_erasing_a_person_takes_their_files_but_not_anybody_elses(
    stage: Stage, media: MediaHandlers, meta: MetaFiles
) -> None:
    meta.files |= {"77": PLAN, "78": PLAN, "79": b"mine alone"}
    hidden = {"sender": None, "sender_user_id": "IN.134912"}
    part = {"mime_type": "application/pdf"}
    await stage.hear(
        meta_message(1, type="document", content=part | {"id": "77"}, **hidden),
        meta_message(2, type="document", content=part | {"id": "79"}, **hidden),
        meta_message(3, type="document", content=part | {"id": "78"}),
    )
    ids = [f"media_{inbound_id(number)}" for number in (1, 2, 3)]
    for media_id in ids:
        await fetched(media, media_id)
    contact = await stage.database["contacts"].find_one({"phone": {"$exists": False}}) or {}

    await stage.whole.messaging.contacts.erasure.erase(contact["_id"])

    for media_id in ids[:2]:
        with pytest.raises(NotFoundError):
            await fetched(media, media_id)
    assert await read(media, ids[2]) == PLAN
    assert await stage.database["media_pieces"].count_documents({}) == -(-len(PLAN) // PIECE_BYTES)
    erased = await stage.database["inbound_messages"].find_one({"_id": inbound_id(1)}) or {}
    assert ("content" in erased, "profile_name" in erased, erased["sender"]) == (False, False, "erased")
