"""A body has one meaning or it is refused, with the place named."""

import asyncio
import gzip
import io

import pytest

from tests.shared.web.conftest import Client

JSON = {"Content-Type": "application/json"}
SURROGATE = b'"\\ud800"'


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "A JSON body is required"),
        (b"{", "The body is not valid JSON (line 1, column 2: Expecting property name enclosed in double quotes)"),
        (b"\xff{}", "The body is not UTF-8 at byte 0"),
        (b'{"name":"a","name":"b"}', "name is given twice"),
        (b'{"tags":[{"a":1,"b":2,"b":3}]}', "tags[0].b is given twice"),
        (b'{"count":NaN}', "count is not a finite number"),
        (b'{"count":-Infinity}', "count is not a finite number"),
        (b'{"count":1e999}', "count is not a finite number"),
        (b'{"count":' + b"9" * 5000 + b"}", "The body holds a number that is too long"),
        (b'{"tags":["ok","\\u0000"]}', "tags[1] contains a NUL character or half of a surrogate pair"),
        (b'{"name":' + SURROGATE + b"}", "name contains a NUL character or half of a surrogate pair"),
        (b"{" + SURROGATE + b":1}", "? has a name with a NUL character or half of a surrogate pair"),
        (b'{"tags":' + b"[" * 20 + b"]" * 20 + b"}", "tags" + "[0]" * 19 + " is nested deeper than 20 levels"),
        (b"[" * 100_000, "The body is nested deeper than 20 levels"),
        (b"[]", "The body must be an object"),
        (b"null", "The body is required"),
        (b"{}", "name is required"),
        (b'{"name":null}', "name is required"),
        (b'{"name":""}', "name must not be empty"),
        (b'{"name":"abcdef"}', "name must have at most 5 characters"),
        (b'{"name":7}', "name must be a string"),
        (b'{"name":"a","count":"x"}', "count must be an integer"),
        (b'{"name":"a","tags":"x"}', "tags must be an array"),
        (b'{"name":"a","tags":["x",3]}', "tags[1] must be a string"),
    ],
)
async def test_a_wrong_body_is_refused_naming_the_place(client: Client, raw: bytes, message: str) -> None:
    response = await client.post("/api/v1/orders", data=raw, headers=JSON)
    body = await response.json()

    assert (response.status, body["message"]) == (400, message)


async def test_all_wrong_fields_are_listed(client: Client) -> None:
    response = await client.post("/api/v1/orders", json={"count": "x"})

    assert (await response.json())["details"] == [
        {"field": "name", "message": "name is required"},
        {"field": "count", "message": "count must be an integer"},
    ]


async def test_nineteen_levels_below_the_body_are_accepted(client: Client) -> None:
    deep: object = "x"
    for _ in range(19):
        deep = [deep]

    response = await client.post("/api/v1/orders", json={"name": "a", "more": deep})

    assert response.status == 200


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/json; charset=utf-16"],
)
async def test_a_body_of_another_type_is_refused(client: Client, content_type: str) -> None:
    response = await client.post("/api/v1/orders", data=b'{"name":"a"}', headers={"Content-Type": content_type})

    assert (response.status, (await response.json())["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("path", ["/api/v1/orders", "/api/external/orders"])
async def test_a_body_above_one_mebibyte_is_refused(client: Client, path: str) -> None:
    response = await client.post(path, data=io.BytesIO(b'"' + b"a" * 1024 * 1024 + b'"'), headers=JSON)

    assert (response.status, (await response.json())["code"]) == (413, "payload_too_large")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "nonsense"])
async def test_a_compressed_body_is_refused(client: Client, encoding: str) -> None:
    raw = gzip.compress(b'{"name":"a"}')

    response = await client.post("/api/v1/orders", data=raw, headers=JSON | {"Content-Encoding": encoding})

    assert response.status == 415


async def test_a_body_in_a_broken_encoding_is_a_400(client: Client) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    head = b"POST /api/v1/orders HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"

    writer.write(head + b"Transfer-Encoding: chunked\r\n\r\nnot-a-length\r\n")
    answer = await reader.read()
    writer.close()

    assert answer.split()[1] == b"400"
