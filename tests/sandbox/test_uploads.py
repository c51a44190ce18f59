"""The resumable upload of a header's sample."""

import pytest

from .conftest import WABA, Sandbox, error_of

APP = "/v23.0/634974688087057/uploads"
FILE = b"\xff\xd8\xff a picture"


async def opened(sandbox: Sandbox) -> str:
    status, session = await sandbox.call("POST", f"{APP}?file_name=a.jpg&file_length={len(FILE)}&file_type=image/jpeg")
    assert status == 200
    identifier: str = session["id"]
    return identifier


async def put(sandbox: Sandbox, session: str, content: bytes, offset: int = 0) -> tuple[int, dict[str, str]]:
    headers = {"Authorization": "OAuth EAAtest", "file_offset": str(offset)}
    async with sandbox.client.post(f"/v23.0/{session}", data=content, headers=headers) as answer:
        return answer.status, await answer.json()


async def test_a_handle_of_an_upload_is_a_sample_of_a_header(sandbox: Sandbox) -> None:
    session = await opened(sandbox)

    status, uploaded = await put(sandbox, session, FILE)

    header = {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": [uploaded["h"]]}}
    body = {"name": "promo", "language": "en", "category": "MARKETING"}
    parts = [header, {"type": "BODY", "text": "Look at this."}]
    assert status == 200
    assert (await sandbox.call("POST", f"/v23.0/{WABA}/message_templates", body | {"components": parts}))[0] == 200


async def test_an_upload_goes_on_where_it_stopped(sandbox: Sandbox) -> None:
    session = await opened(sandbox)

    assert (await put(sandbox, session, FILE[:4]))[0] == 400
    assert (await sandbox.get(f"/v23.0/{session}"))["file_offset"] == "4"
    assert (await put(sandbox, session, FILE[4:], offset=4))[0] == 200


@pytest.mark.parametrize("query", ["", "?file_length=0&file_type=image/png", "?file_length=5&file_type=text/html"])
async def test_meta_opens_no_upload_of_an_unknown_size_or_type(sandbox: Sandbox, query: str) -> None:
    answer = await sandbox.call("POST", f"{APP}{query}")

    assert (answer[0], error_of(answer)["code"]) == (400, 100)


@pytest.mark.parametrize("handle", ["https://shop.example.com/a.jpg", "1234567890"])
async def test_a_link_or_a_media_id_is_no_handle(sandbox: Sandbox, handle: str) -> None:
    header = {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": [handle]}}
    body = {"name": "promo", "language": "en", "category": "MARKETING"}
    parts = [header, {"type": "BODY", "text": "Look at this."}]

    answer = await sandbox.call("POST", f"/v23.0/{WABA}/message_templates", body | {"components": parts})

    assert (answer[0], error_of(answer)["error_subcode"]) == (400, 2388047)
