"""The demo tenant is made once, found again, and repaired where something was lost."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from deploy.local.demo import Demo, DemoError, DemoSeeder, kept_demo


@dataclass
class Api:
    """As much of the product's API, and of the sandbox's, as the demo calls."""

    users: set[str] = field(default_factory=set)
    numbers: list[dict[str, Any]] = field(default_factory=list)
    keys: list[dict[str, Any]] = field(default_factory=list)
    webhooks: list[dict[str, Any]] = field(default_factory=list)
    receiver_secret: str = ""
    sync_status: int = 200
    made: int = 0
    url: str = ""

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/api/v1/users", self.add_user),
            web.post("/api/v1/phone-numbers", self.add_number),
            web.post("/api/v1/templates/sync", self.sync),
            web.post("/admin/api-keys", self.add_key),
            web.post("/admin/webhooks", self.add_webhook),
            web.delete("/admin/{kind}/{id}", self.delete),
            web.get("/api/v1/phone-numbers", self.list_rows),
            web.get("/admin/{kind}", self.list_rows),
            web.put("/_sandbox/receiver", self.set_receiver),
        ]

    async def add_user(self, request: web.Request) -> web.Response:
        user_id = (await request.json())["user_id"]
        status = 409 if user_id in self.users else 201
        self.users.add(user_id)
        return _answer({}, status)

    async def add_number(self, request: web.Request) -> web.Response:
        if self.numbers:
            return _answer(None, 409)
        return self._made(self.numbers, "id", await request.json(), {})

    async def add_key(self, request: web.Request) -> web.Response:
        shown = {"token": f"token-{self.made}"}
        return self._made(self.keys, "key_id", {**await request.json(), "encoded_phone_id": "cG4"}, shown)

    async def add_webhook(self, request: web.Request) -> web.Response:
        return self._made(self.webhooks, "webhook_id", await request.json(), {"secret": f"secret-{self.made}"})

    async def sync(self, _request: web.Request) -> web.Response:
        return _answer({}, self.sync_status)

    async def set_receiver(self, request: web.Request) -> web.Response:
        self.receiver_secret = (await request.json())["secret"]
        return _answer({})

    async def list_rows(self, request: web.Request) -> web.Response:
        kind = request.path.rsplit("/", 1)[1]
        return _answer({"phone-numbers": self.numbers, "api-keys": self.keys, "webhooks": self.webhooks}[kind])

    async def delete(self, request: web.Request) -> web.Response:
        for rows in (self.keys, self.webhooks):
            rows[:] = [row for row in rows if request.match_info["id"] not in row.values()]
        return _answer({})

    def _made(
        self, rows: list[dict[str, Any]], id_name: str, row: dict[str, Any], once: dict[str, str]
    ) -> web.Response:
        self.made += 1
        rows.append({**row, id_name: f"id-{self.made}"})
        return _answer(rows[-1] | once, 201)

    async def seed(self, file: Path, *, templates_may_fail: bool = False) -> Demo:
        seeder = DemoSeeder(self.url, self.url, "admin", kept_demo(file), templates_may_fail, lambda _: None)
        demo = await asyncio.to_thread(seeder.seed)
        demo.write(file)
        return demo


def _answer(rows: Any, status: int = 200) -> web.Response:
    return web.json_response({"success": status < 300, "data": rows}, status=status)


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    api = Api()
    application = web.Application()
    application.add_routes(api.routes())
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    api.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield api
    await runner.cleanup()


async def test_a_second_run_finds_what_the_first_one_made(api: Api, tmp_path: Path) -> None:
    first = await api.seed(tmp_path / "demo.json")
    second = await api.seed(tmp_path / "demo.json")

    assert second == first
    assert api.made == 3
    assert api.receiver_secret == first.webhook_secret


async def test_lost_secrets_are_made_anew_and_their_owners_replaced(api: Api, tmp_path: Path) -> None:
    first = await api.seed(tmp_path / "demo.json")
    (tmp_path / "demo.json").write_text("{ damaged")

    second = await api.seed(tmp_path / "demo.json")

    assert second.phone_number_id == first.phone_number_id
    assert second.api_token != first.api_token
    assert [row["key_id"] for row in api.keys] == [second.key_id]
    assert [row["webhook_id"] for row in api.webhooks] == [second.webhook_id]
    assert api.receiver_secret == second.webhook_secret


async def test_everything_is_made_anew_when_the_database_was_wiped(api: Api, tmp_path: Path) -> None:
    await api.seed(tmp_path / "demo.json")
    for rows in (api.numbers, api.keys, api.webhooks):
        rows.clear()

    second = await api.seed(tmp_path / "demo.json")

    assert second.phone_number_id == api.numbers[0]["id"]
    assert second.key_id == api.keys[0]["key_id"]


async def test_templates_out_of_reach_are_an_error_with_the_call_named(api: Api, tmp_path: Path) -> None:
    api.sync_status = 502

    with pytest.raises(DemoError, match="/api/v1/templates/sync answered 502"):
        await api.seed(tmp_path / "demo.json")


async def test_templates_may_be_out_of_reach_where_meta_is_not_the_sandbox(api: Api, tmp_path: Path) -> None:
    api.sync_status = 502

    demo = await api.seed(tmp_path / "demo.json", templates_may_fail=True)

    assert demo.api_token


async def test_only_the_owner_may_read_the_demo_file(api: Api, tmp_path: Path) -> None:
    await api.seed(tmp_path / "demo.json")

    assert (tmp_path / "demo.json").stat().st_mode & 0o777 == 0o600
