"""The whole sync against the sandbox, over HTTP."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer, unused_port

from deploy.sandbox.app import build
from deploy.sandbox.settings import Settings
from services.templates.clients.graph import Graph
from services.templates.clients.meta import MetaClient
from shared.errors import UpstreamRejectedError
from shared.mongo import Database
from tests.templates.stage import TOKEN, Stage, body, set_stage


@dataclass
class SandboxAccount:
    """WABA 102 in the sandbox."""

    session: aiohttp.ClientSession
    base_url: str

    async def register(self, name: str, **changes: Any) -> None:
        """Have an approved template there, or replace it."""
        fields = {"waba_id": "102", "name": name, "language": "en_US", "category": "UTILITY"}
        content = {"components": [body("Hello.")]}
        async with self.session.post(f"{self.base_url}/_sandbox/templates", json=fields | content | changes) as answer:
            answer.raise_for_status()

    async def delete(self, name: str) -> None:
        """Delete a template at Meta."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        url = f"{self.base_url}/v25.0/102/message_templates"
        async with self.session.delete(url, params={"name": name}, headers=headers) as answer:
            answer.raise_for_status()


@pytest.fixture
async def account() -> AsyncIterator[SandboxAccount]:
    """A sandbox on a free port, whose webhooks nobody hears."""
    nobody = f"http://127.0.0.1:{unused_port()}/webhooks/meta"
    settings = Settings.from_env({"META_APP_SECRET": "an app secret", "SANDBOX_WEBHOOK_URL": nobody})
    async with TestServer(build(settings)) as server, aiohttp.ClientSession() as session:
        yield SandboxAccount(session, str(server.make_url("")).rstrip("/"))


@pytest.fixture
async def stage(database: Database, account: SandboxAccount) -> Stage:
    """The service, reading three templates a page."""
    return await set_stage(database, MetaClient(Graph(account.session, f"{account.base_url}/v25.0"), page_size=3))


async def test_the_sandboxs_first_templates_are_all_imported_with_their_variables(stage: Stage) -> None:
    result = await stage.sync()

    templates = {(one.name, one.language): one for one in await stage.listed("APPROVED")}

    def variables(name: str, language: str = "en_US") -> list[tuple[str, str, str | None]]:
        found = templates[name, language].variables
        return [(one.component_type, one.variable_name, one.sample_value) for one in found]

    assert result.errors == ()
    assert len(result.imported) == len(templates) > 9, "several pages"
    assert variables("hello_world") == []
    assert variables("otp_message") == [("BODY", "variable_1", "123456")]
    assert variables("track_order") == [("BODY", "variable_1", "Ana"), ("BUTTON", "button_variable_0", "A-1042")]
    assert variables("order_shipped") == [("BODY", "customer_name", "Ana"), ("BODY", "order_id", "A-1042")]
    assert templates["order_shipped", "en_US"].parameter_format == "named"
    assert variables("appointment_reminder", "bn") == [("BODY", "variable_1", "আনা"), ("BODY", "variable_2", "শুক্রবার")]


async def test_syncing_again_changes_nothing(stage: Stage) -> None:
    await stage.sync()
    stage.pass_time()

    again = await stage.sync()

    assert (again.imported, again.updated, again.errors) == ((), (), ())


async def test_what_happened_at_meta_meanwhile_is_taken_over(stage: Stage, account: SandboxAccount) -> None:
    await account.register("first")
    await account.register("second")
    await stage.sync()
    await account.register("second", components=[body("Hello {{1}}, there is news.")])
    await account.register("third")
    await account.delete("first")
    stage.pass_time()

    result = await stage.sync()

    assert [one.name for one in result.imported] == ["third"]
    assert sorted(one.name for one in result.updated) == ["first", "second"]
    names = {one.name for one in await stage.listed("APPROVED")}
    assert "first" not in names
    assert {"second", "third"} <= names


async def test_a_token_that_meta_refuses_is_told_so(stage: Stage) -> None:
    stage.messaging.add("pn_expired", "usr_1", "102", token="EAASIM-expired")

    with pytest.raises(UpstreamRejectedError, match="Session has expired"):
        await stage.sync("pn_expired")
