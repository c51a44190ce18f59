"""Meta's Graph API as messaging uses it: post a message, and say exactly what was observed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache

import aiohttp
import orjson

from services.messaging.domain.results import Answered, Lost, NotConnected, Observation, Refused
from shared.errors import UpstreamRejectedError, UpstreamUnavailableError
from shared.meta.errors import parse_graph_error

# aiohttp's total time-out also runs while a request waits for a connection; then "never sent" would look like "maybe".
# So no more requests are let in than there are connections, and one that waits too long for its turn is not made: its
# lease was measured for a call that starts at once.
_CONNECTIONS = 500  # campaigns use some of them (room.py)
_TURN_SECONDS = 2.0
_CONNECT_SECONDS = 3.0
_HELD = "held_for_quality_assessment"

_NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


@dataclass(frozen=True, slots=True)
class MetaClient:
    """One pool of keep-alive connections to Meta. Never retries, never follows a redirect."""

    session: aiohttp.ClientSession
    base_url: str  # with the Graph version, without a trailing slash
    instagram_url: str = ""  # the same of Instagram's Graph
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_CONNECTIONS))
    turn_seconds: float = _TURN_SECONDS

    async def send(
        self,
        meta_phone_number_id: str,
        authorization: str,
        body: bytes,
        *,
        timeout_seconds: float,
        on_instagram: bool = False,
    ) -> Observation:
        """Post one message and report what was seen; raises nothing but cancellation."""
        base_url = self.instagram_url if on_instagram else self.base_url
        if not await self._has_turn(timeout_seconds):
            return NotConnected("not_connected: all connections are busy")
        try:
            return await self._post(f"{base_url}/{meta_phone_number_id}/messages", authorization, body, timeout_seconds)
        except _NOT_SENT as error:
            return NotConnected(f"not_connected: {type(error).__name__}")
        except Exception as error:  # whatever went wrong, bytes may have left; and no other call's result may be lost
            return Lost(f"answer_lost: {type(error).__name__}")
        finally:
            self.slots.release()

    async def _has_turn(self, timeout_seconds: float) -> bool:
        if not self.slots.locked():  # as nearly always: no timer is set up
            return await self.slots.acquire()
        try:
            async with asyncio.timeout(min(self.turn_seconds, timeout_seconds)):
                return await self.slots.acquire()
        except TimeoutError:
            return False

    async def _post(self, url: str, authorization: str, body: bytes, timeout_seconds: float) -> Observation:
        async with self.session.post(
            url,
            data=body,
            headers={"Authorization": authorization, "Content-Type": "application/json"},
            timeout=_timeout(timeout_seconds),
            allow_redirects=False,
        ) as response:
            return _read_answer(response.status, await response.read())

    async def subscribe_app(self, waba_id: str, authorization: str) -> None:
        """Let our app hear the webhooks of a WABA; repeating it is harmless.

        Raises UpstreamRejectedError with Meta's reason, UpstreamUnavailableError when no answer in its terms came.
        """
        try:
            async with self.session.post(
                f"{self.base_url}/{waba_id}/subscribed_apps",
                headers={"Authorization": authorization},
                timeout=_timeout(10.0),
                allow_redirects=False,
            ) as response:
                raw = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UpstreamUnavailableError(f"Meta did not answer: {type(error).__name__}") from error
        if response.status == 200:
            return
        refusal = parse_graph_error(raw)
        if refusal is None:
            raise UpstreamUnavailableError(f"Meta answered {response.status} without a reason")
        raise UpstreamRejectedError(f"{refusal.message} (code {refusal.code})")


@asynccontextmanager
async def meta_client(graph_url: str, graph_version: str, instagram_url: str = "") -> AsyncIterator[MetaClient]:
    """Open the pool; closed with the block."""
    connector = aiohttp.TCPConnector(limit=_CONNECTIONS, limit_per_host=_CONNECTIONS)
    async with aiohttp.ClientSession(
        connector=connector, trust_env=False, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        yield MetaClient(session, f"{graph_url.rstrip('/')}/{graph_version}", instagram_url)


@cache
def _timeout(total: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=total, sock_connect=min(_CONNECT_SECONDS, total))


def _read_answer(status: int, raw: bytes) -> Observation:
    refusal = parse_graph_error(raw)
    if refusal is not None:
        return Refused(refusal)
    if status != 200:
        return Lost(f"http_{status}_without_reason")
    try:
        answer = orjson.loads(raw)
        message = {"id": answer["message_id"]} if "message_id" in answer else answer["messages"][0]  # Instagram's form
        wa_message_id, state = message["id"], message.get("message_status")
    except (orjson.JSONDecodeError, KeyError, IndexError, TypeError):
        return Lost("accepted_without_id")
    if not isinstance(wa_message_id, str) or not wa_message_id:
        return Lost("accepted_without_id")
    return Answered(wa_message_id, held=state == _HELD)
