"""One sandbox for all messages, and Node for the npm client."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.compat.graph import PHONE_NUMBER_ID, TOKEN, Graph

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
async def graph() -> AsyncIterator[Graph]:
    """Meta's Graph API, as far as the sandbox is it."""
    async with Graph.running() as graph:
        yield graph


@dataclass(frozen=True, slots=True)
class NpmClient:
    """A Node process that sends the message named in a line, and says in a line what came of it."""

    process: asyncio.subprocess.Process

    async def call(self, line: str) -> Any:
        """Write a line and read the answer to it."""
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(f"{line}\n".encode())
        await stdin.drain()
        answer = await stdout.readline()
        assert answer, "the Node process has ended; its last words are above"
        return json.loads(answer)


@pytest.fixture(scope="module")
async def npm(graph: Graph, node: Path) -> AsyncIterator[NpmClient]:
    """The npm client, talking to the sandbox."""
    if not (HERE / "node_modules").exists():
        raise FileNotFoundError("the npm packages of the tests are not installed: `make test` does it")
    settings = json.dumps(
        {"baseUrl": f"http://127.0.0.1:{graph.port}", "phoneNumberId": PHONE_NUMBER_ID, "accessToken": TOKEN}
    )
    process = await asyncio.create_subprocess_exec(
        node, HERE / "kapso.mjs", settings, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    yield NpmClient(process)
    assert process.stdin is not None
    process.stdin.close()
    await process.wait()
