"""What reaches the services through nginx, and what of theirs reaches the caller."""

from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.eventually import eventually
from tests.proxy.conftest import Site, StartNginx
from tests.proxy.upstream import Upstream

SEND = "/api/external/send-message/cG5fMQ"


@pytest.mark.parametrize(
    "path",
    [
        SEND,
        "/api/external/templates/cG5fMQ/invoice_ready?status=all",
        "/widget.js",
        "/widget-config.html?agent_id=webchat_1",
        "/widget-config.js",
        "/webchat/webchat_1/events",
        "/docs",
        "/docs/assets/page.css",
        "/openapi.json",
        "/healthz",
    ],
)
async def test_public_paths_go_to_the_public_listener(site: Site, path: str) -> None:
    async with site.call("GET", path) as answer:
        assert answer.status == 200

    assert [seen.target for seen in site.public.seen] == [path]
    assert site.webhooks.seen == []


async def test_metas_webhooks_go_to_the_webhooks_service(site: Site) -> None:
    async with site.call("POST", "/webhooks/meta", body=b"{}") as answer:
        assert answer.status == 200

    assert [(seen.method, seen.target, seen.body) for seen in site.webhooks.seen] == [("POST", "/webhooks/meta", b"{}")]
    assert site.public.seen == []


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api/v1/users",
        "/admin/api-keys",
        "/metrics",
        "/readyz",
        "/webhooks/meta/other",
        "/widget.js/other",
        "/api/external/../v1/users",
        "/api/external/%2e%2e/%2e%2e/admin",
    ],
)
async def test_nothing_else_is_served(site: Site, path: str) -> None:
    async with site.call("GET", path) as answer:
        status, kind, body = answer.status, answer.content_type, await answer.json()

    assert (status, kind, body["success"], body["error"]) == (404, "application/json", False, "Not Found")
    assert site.public.seen + site.webhooks.seen + site.private.seen == []


@pytest.mark.parametrize(
    "target",
    [
        "/api/external/send-message/cG5f%4D%51%3D%3D",
        "/api/external/templates/a%2Fb/c?search=%2B91+98&page=1&&x=%E2%82%B9",
        "/api/external//double/./dot",
        "/webchat/%C3%A9",
    ],
)
async def test_a_target_arrives_as_it_was_written(site: Site, target: str) -> None:
    async with site.call("GET", target):
        pass

    assert [seen.target for seen in site.public.seen] == [target]


async def test_headers_and_body_arrive_as_they_were_sent(site: Site) -> None:
    body = bytes(range(256)) * 17
    headers = {
        "Authorization": "Bearer wak_1",
        "Content-Type": "application/json; charset=utf-8",
        "Idempotency-Key": "a key",
        "X-Request-Id": "req-1",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "Accept-Encoding": "br",
        "User-Agent": "vendor/1",
    }

    async with site.call("POST", SEND, body=body, headers=headers):
        pass

    (seen,) = site.public.seen
    assert seen.body == body
    assert {name: seen.headers.get(name) for name in headers} == headers


async def test_the_services_learn_who_asked_and_for_which_host(site: Site) -> None:
    lies = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "gopher", "Forwarded": "for=203.0.113.9"}

    async with site.call("GET", "/docs", headers=lies | {"Host": "API.example.com:8443"}):
        pass

    headers = site.public.seen[0].headers
    assert headers["Host"] == headers["X-Forwarded-Host"] == "API.example.com:8443"
    assert (headers["X-Forwarded-For"], headers["X-Forwarded-Proto"]) == ("127.0.0.1", "https")
    assert "Forwarded" not in headers


@pytest.mark.parametrize("status", [200, 202, 204, 304, 400, 401, 404, 413, 429, 500, 502, 503, 504])
async def test_an_answer_comes_back_as_it_was_given(site: Site, status: int) -> None:
    body = b"" if status in {204, 304} else b'{"success":false,"error":"\xe2\x82\xb9"}'

    async def answer(_request: web.Request) -> web.StreamResponse:
        headers = {"Server": "waapi", "Retry-After": "7", "Location": "http://127.0.0.1:4001/x", "ETag": '"1"'}
        return web.Response(status=status, reason="In My Words", body=body, headers=headers)

    site.public.answer = answer

    async with site.call("POST", SEND, body=b"{}") as got:
        assert (got.status, await got.read()) == (status, body)
        assert got.headers["Server"] == "waapi"
        assert got.headers["Retry-After"] == "7"
        assert got.headers["Location"] == "http://127.0.0.1:4001/x"
        assert got.headers["ETag"] == '"1"'


async def test_an_event_reaches_the_visitor_before_the_next_one_is_written(site: Site) -> None:
    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"id: 1\ndata: Hello\n\n")
        await site.public.released.wait()
        await response.write(b"id: 2\ndata: world\n\n")
        return response

    site.public.answer = stream

    async with site.call("GET", "/webchat/webchat_1/events") as answer:
        first = await answer.content.readuntil(b"\n\n")
        site.public.released.set()
        second = await answer.content.readuntil(b"\n\n")

    assert (first, second) == (b"id: 1\ndata: Hello\n\n", b"id: 2\ndata: world\n\n")


async def test_a_request_whose_connection_breaks_is_not_sent_again(site: Site) -> None:
    async def hang_up(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with site.call("POST", SEND, body=b"{}") as answer:  # leaves an open connection to the service behind
        assert answer.status == 200
    site.public.answer = hang_up

    async with site.call("POST", SEND, body=b"{}") as answer:
        status, body = answer.status, await answer.json()

    assert (status, body["code"]) == (503, "service_unavailable")
    assert len(site.public.seen) == 2


async def test_a_service_that_is_away_is_a_503_in_json(nginx: StartNginx, http: aiohttp.ClientSession) -> None:
    async with Upstream.running() as gone:
        ports = dict.fromkeys((4000, 4001, 4002), gone.port)
    with nginx(ports) as running:
        async with http.post(running.https + SEND, data=b"{}", ssl=running.trust) as answer:
            status, retry_after, body = answer.status, answer.headers["Retry-After"], await answer.json()

    assert (status, retry_after, body["success"], body["code"]) == (503, "5", False, "service_unavailable")
    assert "Idempotency-Key" in body["error"]


async def test_a_service_that_is_late_is_a_504_in_json(nginx: StartNginx, http: aiohttp.ClientSession) -> None:
    async with Upstream.running() as slow:

        async def too_late(_request: web.Request) -> web.StreamResponse:
            await slow.released.wait()
            return web.Response()

        slow.answer = too_late
        ports = dict.fromkeys((4000, 4001, 4002), slow.port)
        with nginx(ports, {"proxy_read_timeout 75s;": "proxy_read_timeout 50ms;"}) as running:
            async with http.post(running.https + SEND, data=b"{}", ssl=running.trust) as answer:
                status, body = answer.status, await answer.json()

    assert (status, body["success"], body["code"]) == (504, False, "gateway_timeout")


async def test_an_unencrypted_request_is_refused_and_not_redirected(site: Site) -> None:
    async with site.http.post(site.nginx.http + SEND, data=b"{}", allow_redirects=False) as answer:
        status, body = answer.status, await answer.json()

    assert (status, body["code"]) == (403, "https_required")
    assert site.public.seen == []


async def test_no_log_holds_a_verify_token_or_a_key(nginx: StartNginx, http: aiohttp.ClientSession) -> None:
    shake = "/webhooks/meta?hub.mode=subscribe&hub.verify_token=canary-token&hub.challenge=1"
    headers = {"Authorization": "Bearer wak_canary"}
    async with Upstream.running() as gone:
        pass
    with nginx(dict.fromkeys((4000, 4001, 4002), gone.port)) as running:
        for path in (shake, SEND, "/api/external/templates/cG5fMQ?search=canary-search"):
            async with http.get(running.https + path, headers=headers, ssl=running.trust) as answer:
                assert answer.status == 503

        def logs_all_three() -> str:
            lines = (running.root / "waapi.log").read_text()
            assert lines.count(" 503 ") == 3
            return running.logs()

        logs = await eventually(logs_all_three)

    assert "canary-token" not in logs
    assert "wak_" not in logs


def test_every_line_of_the_readme_about_paths_is_in_the_configuration() -> None:
    folder = Path(__file__).parent.parent.parent / "deploy" / "proxy"
    rows = [line for line in (folder / "README.md").read_text().splitlines() if line.startswith("| `/")]
    configuration = (folder / "waapi.conf").read_text()

    paths = [path for row in rows for path in row.split("|")[1].replace("`", "").replace(",", " ").split()]

    assert len(paths) == 9
    assert [path for path in paths if f"{path} {{" not in configuration] == []
