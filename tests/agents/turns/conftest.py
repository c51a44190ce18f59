"""What tests of answers may ask for."""

from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestClient, TestServer

from deploy.sandbox.app import build
from deploy.sandbox.settings import Settings
from shared.mongo import Database
from tests.agents.turns.stage import Sandbox, Stage, stage_on


@pytest.fixture(scope="session")
async def _sandbox() -> AsyncIterator[Sandbox]:
    settings = Settings(
        host="127.0.0.1", port=0, app_secret="s", verify_token="v", webhook_url="http://127.0.0.1:9/", app_id="1"
    )
    async with TestClient(TestServer(build(settings))) as client:
        yield client


@pytest.fixture
async def sandbox(_sandbox: Sandbox) -> Sandbox:
    """The stand-in for OpenAI, calm and without memories."""
    async with _sandbox.post("/_sandbox/reset") as answer:
        assert answer.status == 200
    return _sandbox


@pytest.fixture
async def stage(database: Database, sandbox: Sandbox) -> AsyncIterator[Stage]:
    """An agent that answers."""
    async with stage_on(database, sandbox) as ready:
        yield ready
