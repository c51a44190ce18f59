"""The sandbox as both clients see it: Meta's Graph API on a port of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from deploy.sandbox.app import build
from deploy.sandbox.settings import Settings
from tests.compat.cases import Case

WABA_ID, PHONE_NUMBER_ID, TOKEN = "102290129340398", "106540352242922", "EAAcompatibility"


@dataclass(frozen=True, slots=True)
class Graph:
    """A sandbox that keeps quiet about what becomes of messages."""

    control: TestClient[web.Request, web.Application]

    @classmethod
    @asynccontextmanager
    async def running(cls) -> AsyncIterator["Graph"]:
        """A sandbox for as long as the block lasts."""
        nobody = "http://127.0.0.1:9/"  # no webhook is posted: statuses are switched off
        settings = Settings("127.0.0.1", 0, "an app secret", "a verify token", nobody, "1234")
        async with TestClient(TestServer(build(settings))) as control:
            graph = cls(control)
            await graph._call("PUT", "faults", {"status_webhooks": False})
            yield graph

    @property
    def port(self) -> int:
        """Where it listens, on 127.0.0.1."""
        port = self.control.server.port
        assert port is not None
        return port

    async def approve(self, case: Case) -> None:
        """Have the template of a message approved, in the form that the message needs.

        Except for one-time passwords: Meta rewrites those templates when it approves them, and the sandbox has one.
        """
        if case.template is not None and case.template["category"] != "AUTHENTICATION":
            await self._call("POST", "templates", {"waba_id": WABA_ID} | case.template)

    async def payloads(self) -> list[Any]:
        """The JSON of everything that was sent, oldest first."""
        return [message["body"] for message in (await self._call("GET", "messages"))["messages"]]

    async def _call(self, method: str, path: str, body: Any = None) -> Any:
        async with self.control.request(method, f"/_sandbox/{path}", json=body) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()
