"""The TypeScript service of the dashboard, exactly as its API document prints it, run by Node."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "dashboard"
SERVICE = FOLDER / "whatsappApi.ts"


@dataclass(frozen=True, slots=True)
class DashboardService:
    """A Node process that calls the service's functions."""

    process: asyncio.subprocess.Process

    @classmethod
    @asynccontextmanager
    async def running(cls, node: Path, api_base: str) -> AsyncIterator["DashboardService"]:
        """The service, bundled for a gateway at `api_base`."""
        if not (FOLDER.parent / "node_modules").exists():
            raise FileNotFoundError("the npm packages of the tests are not installed: `make test` does it")
        process = await asyncio.create_subprocess_exec(
            node,
            *(FOLDER / "drive.mjs", SERVICE, api_base),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        yield cls(process)
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()

    async def call(self, function: str, *args: Any) -> Any:
        """What a function of the service returns."""
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps({"call": function, "args": args}).encode() + b"\n")
        await stdin.drain()
        answer = await stdout.readline()
        assert answer, "the Node process has ended; its last words are above"
        return json.loads(answer)

    async def data(self, function: str, *args: Any) -> Any:
        """The `data` of a call that must succeed."""
        answer = await self.call(function, *args)
        assert answer["success"] is True, f"{function}{args} answered {answer}"
        return answer.get("data")
