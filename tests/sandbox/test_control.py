"""Looking at what was sent, and how the program starts."""

import asyncio
import os
import subprocess
import sys

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer, unused_port

from deploy.sandbox.app import build
from deploy.sandbox.settings import Settings, SettingsError
from tests.eventually import eventually

from .conftest import APP_SECRET, NUMBER, RECIPIENT, Product, Sandbox, error_of


async def test_a_message_is_shown_with_what_meta_got_and_its_statuses(sandbox: Sandbox) -> None:
    _, sent = await sandbox.send_text(biz_opaque_callback_data="w1:abc:1")
    await sandbox.has_status_names("sent", "delivered", "read")

    (message,) = (await sandbox.get("/_sandbox/messages?to=14155550123"))["messages"]
    assert message["wamid"] == sent["messages"][0]["id"]
    assert (message["to"], message["phone_number_id"], message["type"]) == ("14155550123", NUMBER, "text")
    assert (message["body"]["to"], message["body"]["text"]) == (RECIPIENT, {"body": "Hello"})
    assert [status["status"] for status in message["statuses"]] == ["sent", "delivered", "read"]
    assert await sandbox.get("/_sandbox/messages?to=1999") == {"messages": []}


async def test_calls_are_counted_and_listed_with_their_outcome(sandbox: Sandbox) -> None:
    await sandbox.send_text(biz_opaque_callback_data="w1:abc:1")
    await sandbox.send_text(biz_opaque_callback_data="w1:abc:2")
    await sandbox.send_text(biz_opaque_callback_data="w1:abc:2")
    await sandbox.send({"type": "fax", "biz_opaque_callback_data": "w1:def:1"})

    assert await sandbox.get("/_sandbox/calls?count=true") == {"count": 3}
    assert await sandbox.get("/_sandbox/calls?by=opaque") == {"counts": {"w1:abc:1": 1, "w1:abc:2": 2}}
    calls = (await sandbox.get("/_sandbox/calls"))["calls"]
    assert [(call["message_id"], call["outcome"]) for call in calls] == [
        ("abc", "accepted"),
        ("abc", "accepted"),
        ("abc", "accepted"),
        ("def", "refused"),
    ]
    assert calls[3]["error_code"] == 100


async def test_the_bench_route_keeps_nothing(sandbox: Sandbox) -> None:
    async with sandbox.client.post("/bench", data=b"anything") as answer:
        body = await answer.json()

    assert body["messages"][0]["id"].startswith("wamid.")
    assert await sandbox.get("/_sandbox/calls?count=true") == {"count": 0}


async def test_the_phone_is_a_page_that_needs_nothing_from_elsewhere(sandbox: Sandbox) -> None:
    async with sandbox.client.get("/phone/14155550123") as answer:
        page = await answer.text()

    assert (answer.status, answer.content_type) == (200, "text/html")
    assert "http://" not in page
    assert "https://" not in page


async def test_an_inbound_message_without_its_object_is_refused(sandbox: Sandbox) -> None:
    answer = await sandbox.call(
        "POST", "/_sandbox/inbound", {"phone_number_id": NUMBER, "from": RECIPIENT, "type": "button"}
    )

    assert (answer[0], error_of(answer)["field"]) == (400, "button")


async def test_what_was_queued_while_nobody_listened_arrives_once_somebody_does() -> None:
    port = unused_port()
    product = Product()
    settings = Settings("127.0.0.1", 0, APP_SECRET, "", f"http://127.0.0.1:{port}/webhooks/meta", "1234")
    async with TestClient(TestServer(build(settings))) as client:
        sandbox = Sandbox(client, product)
        for index in range(60):
            await sandbox.send_text(to=f"+99922000{index:04d}")
        app = web.Application()
        app.add_routes([web.post("/webhooks/meta", product.receive)])
        async with TestServer(app, port=port):
            await eventually(lambda: len({status["id"] for status in product.statuses()}) == 60)

    assert len(product.statuses()) == 60


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({"ENVIRONMENT": "production"}, "the sandbox does not start when ENVIRONMENT=production"),
        ({"META_APP_SECRET": ""}, "META_APP_SECRET is not set; the sandbox signs its webhooks with it"),
        ({"SANDBOX_BIND": "here"}, "SANDBOX_BIND must be host:port, not 'here'"),
    ],
)
def test_a_wrong_environment_is_one_line(environment: dict[str, str], line: str) -> None:
    with pytest.raises(SettingsError) as error:
        Settings.from_env({"META_APP_SECRET": "s"} | environment)

    assert str(error.value) == line


def test_the_first_of_two_secrets_signs() -> None:
    settings = Settings.from_env({"META_APP_SECRET": "new, old", "SANDBOX_BIND": "127.0.0.1:5010"})

    assert (settings.app_secret, settings.host, settings.port) == ("new", "127.0.0.1", 5010)
    assert "new" not in repr(settings)


async def test_in_production_the_program_ends_with_78() -> None:
    environment = os.environ | {"ENVIRONMENT": "production"}

    ended = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "deploy.sandbox"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ended.returncode, ended.stdout) == (78, "")
    assert ended.stderr == "sandbox: the sandbox does not start when ENVIRONMENT=production\n"
