"""Posting to receivers that misbehave in every way, and to addresses that must never be reached."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network

import pytest
from aiohttp import web
from aiohttp.abc import ResolveResult

from services.webhooks.clients.vendor import MAX_RESPONSE_BYTES, VendorClient
from services.webhooks.domain.deliveries import ATTEMPT_SECONDS, Answer
from shared.outbound.addresses import AddressPolicy
from shared.outbound.guard import NameResolver, UrlGuard
from tests.webhooks.receiver import Post, Receiver, answering
from tests.webhooks.stage import LOCAL

PRODUCTION = AddressPolicy()


class RebindingResolver(NameResolver):
    """Every name leads to the address that a test says."""

    def __init__(self, *addresses: str) -> None:
        super().__init__()
        self.addresses = addresses
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.asked += 1
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self.addresses
        ]


@asynccontextmanager
async def client_of(guard: UrlGuard, seconds: float = ATTEMPT_SECONDS) -> AsyncIterator[VendorClient]:
    async with VendorClient.opened(guard, user_agent="WAAPI-Webhooks/test", seconds=seconds) as client:
        yield client
    await guard.resolver.close()


async def post(url: str, policy: AddressPolicy = LOCAL, seconds: float = ATTEMPT_SECONDS) -> Answer:
    async with client_of(UrlGuard(policy), seconds) as client:
        return await client.post(url, b"{}", {"webhook-id": "e1"})


async def test_an_accepted_post_says_so_with_the_response(receiver: Receiver) -> None:
    answer = await post(receiver.url())

    assert (answer.status_code, answer.error, answer.response, answer.is_success) == (200, None, "ok", True)


async def test_only_the_first_20_kb_of_an_endless_response_are_read(receiver: Receiver) -> None:
    cut = asyncio.Event()

    async def endless(received: Post) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(received.request)
        try:
            while True:
                await response.write(b"x" * 10_000)
        except ConnectionError:
            cut.set()
        return response

    receiver.answers["/hook"] = endless

    answer = await post(receiver.url())

    assert answer.is_success
    assert len(answer.response or "") == MAX_RESPONSE_BYTES
    await asyncio.wait_for(cut.wait(), 30)


async def test_a_response_that_trickles_in_is_cut_when_the_time_is_over(
    receiver: Receiver,
) -> None:
    async def trickle(received: Post) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(received.request)
        await response.write(b"a")
        await receiver.released.wait()  # the rest never comes
        return response

    receiver.answers["/hook"] = trickle

    answer = await post(receiver.url(), seconds=0.3)

    assert (answer.status_code, answer.is_success) == (200, True)  # the status came in time, and it alone decides
    assert answer.error == "no answer within 0.3 s"


async def test_a_receiver_that_never_answers_is_left_when_the_time_is_over(receiver: Receiver) -> None:
    receiver.answers["/hook"] = receiver.hang

    answer = await post(receiver.url(), seconds=0.3)

    assert (answer.status_code, answer.error) == (None, "no answer within 0.3 s")


async def test_a_decompression_bomb_stays_packed(receiver: Receiver) -> None:
    bomb = gzip.compress(b"\0" * 10_000_000)

    async def packed(_post: Post) -> web.StreamResponse:
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    receiver.answers["/hook"] = packed

    answer = await post(receiver.url())

    assert answer.is_success
    assert len(answer.response or "") <= MAX_RESPONSE_BYTES
    assert receiver.posts[0].headers["Accept-Encoding"] == "identity"


async def test_a_response_that_breaks_off_after_a_2xx_is_a_success(receiver: Receiver) -> None:
    async def break_off(received: Post) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(received.request)
        await response.write(b"part")
        assert received.request.transport is not None
        received.request.transport.close()
        return response

    receiver.answers["/hook"] = break_off

    answer = await post(receiver.url())

    assert (answer.status_code, answer.is_success) == (200, True)
    assert answer.error is not None


async def test_a_connection_cut_without_an_answer_is_a_failure_with_a_reason(receiver: Receiver) -> None:
    async def cut(received: Post) -> web.StreamResponse:
        assert received.request.transport is not None
        received.request.transport.abort()
        return web.Response()

    receiver.answers["/hook"] = cut

    answer = await post(receiver.url())

    assert (answer.status_code, answer.is_success) == (None, False)
    assert answer.error


async def test_a_closed_port_is_a_failure_with_a_reason() -> None:
    answer = await post("http://127.0.0.1:1/hook")

    assert answer.status_code is None
    assert "Connect call failed" in (answer.error or "")


async def test_a_name_that_does_not_resolve_is_a_failure_with_a_reason() -> None:
    answer = await post("https://no-such-name.invalid/hook")

    assert answer.error == "the host name does not resolve"


async def test_tls_that_is_none_is_a_failure(receiver: Receiver) -> None:
    answer = await post(f"https://127.0.0.1:{receiver.port}/hook")

    assert (answer.error or "").startswith("TLS")
    assert receiver.posts == []


async def test_cookies_and_redirects_of_one_vendor_lead_nowhere(receiver: Receiver) -> None:
    receiver.answers["/hook"] = answering(302, Location=receiver.url("/inside"), Set_Cookie="spy=1")
    async with client_of(UrlGuard(LOCAL)) as client:
        first = await client.post(receiver.url(), b"{}", {})
        await client.post(receiver.url(), b"{}", {})

    assert first.error == "HTTP 302: redirects are not followed"
    assert [received.path for received in receiver.posts] == ["/hook", "/hook"]
    assert "Cookie" not in receiver.posts[1].headers


async def test_proxy_variables_do_not_lead_past_the_guard(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, receiver.url("/proxy"))

    answer = await post("http://10.0.0.1/hook")

    assert "must not be called" in (answer.error or "")
    assert receiver.posts == []


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]"]
)
async def test_no_spelling_of_a_forbidden_address_is_connected_to(receiver: Receiver, host: str) -> None:
    for scheme in ("http", "https"):
        answer = await post(f"{scheme}://{host}:{receiver.port}/hook", PRODUCTION)

        assert answer.status_code is None
        assert answer.error is not None

    assert receiver.posts == []


@pytest.mark.parametrize(
    "addresses", [("127.0.0.1",), ("::ffff:127.0.0.1",), ("10.0.0.1", "127.0.0.1"), ("169.254.169.254",)]
)
async def test_a_name_that_was_rebound_after_registration_is_stopped_at_the_connect(
    receiver: Receiver, addresses: tuple[str, ...]
) -> None:
    resolver = RebindingResolver("93.184.215.14")
    guard = UrlGuard(PRODUCTION, resolver)
    url = "https://rebinding.example/hook"
    async with client_of(guard) as client:
        await guard.check(url)  # harmless while it is registered
        resolver.addresses = addresses

        answer = await client.post(url, b"{}", {})

    assert "must not be called" in (answer.error or "")


async def test_an_answer_of_the_name_servers_is_never_remembered(receiver: Receiver) -> None:
    async def hang_up(_post: Post) -> web.StreamResponse:
        return web.Response(headers={"Connection": "close"})

    receiver.answers["/hook"] = hang_up
    resolver = RebindingResolver("127.0.0.1")
    url = f"http://vendor.example:{receiver.port}/hook"
    async with client_of(UrlGuard(LOCAL, resolver)) as client:
        assert (await client.post(url, b"{}", {})).is_success
        resolver.addresses = ("10.0.0.1",)

        answer = await client.post(url, b"{}", {})

    assert resolver.asked == 2
    assert answer.error == "the address 10.0.0.1 must not be called"


async def test_an_operator_may_open_a_network_for_plain_http_on_any_port(receiver: Receiver) -> None:
    opened = AddressPolicy(allowed=(ip_network("127.0.0.0/8"),))

    assert (await post(receiver.url(), opened)).is_success


async def test_plain_http_to_a_public_name_never_leaves() -> None:
    async with client_of(UrlGuard(LOCAL, RebindingResolver("93.184.215.14"))) as client:
        answer = await client.post("http://vendor.example/hook", b"{}", {})

    assert answer.error == "the address 93.184.215.14 must not be called"
