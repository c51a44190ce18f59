"""`waapi` as a person uses it, against a gateway with the real campaigns behind it."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import structlog
from standardwebhooks import Webhook
from typer.testing import CliRunner, Result

from deploy.local.environment import CHECKOUT
from services.gateway.main import ensure_indexes
from shared.bus.dead_letters import DeadLetter
from shared.cli.main import app
from shared.cli.settings import CliSettings
from shared.cli.sse import Event, read_events
from shared.clock import utc_now
from shared.mongo import Client, Database
from tests.campaigns.neighbours import NUMBER, USER
from tests.campaigns.stage import phone
from tests.gateway.campaign_dashboard import Dashboard, dashboard_on
from tests.gateway.conftest import admin_token
from tests.servers import fresh_name

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass
class Letters:
    """Two dead letters of one queue."""

    left: dict[str, int] = field(default_factory=lambda: {"messaging.send.v1": 2, "agents.commands.v1": 0})

    async def count(self) -> dict[str, int]:
        """How many."""
        return self.left

    async def look(self, queue: str, limit: int) -> list[DeadLetter]:
        """The same for each."""
        return [DeadLetter("msg_1", "messaging.send_message.v1", "rejected", None)] * min(self.left[queue], limit)

    async def replay(self, queue: str) -> int:
        """All."""
        replayed, self.left[queue] = self.left[queue], 0
        return replayed

    async def drop(self, queue: str) -> int:
        """All."""
        return await self.replay(queue)


@pytest.fixture(scope="session")
async def _databases(mongodb_client: Client) -> AsyncIterator[tuple[Database, Database]]:
    names = fresh_name(), fresh_name()
    await ensure_indexes(mongodb_client[names[1]])
    yield mongodb_client[names[0]], mongodb_client[names[1]]
    for name in names:
        await mongodb_client.drop_database(name)


@dataclass(frozen=True)
class Terminal:
    """A terminal in a folder with a demo tenant."""

    dashboard: Dashboard
    folder: Path
    environ: dict[str, str]

    async def run(self, *words: str, given: str | None = None) -> Result:
        """Run a command while the gateway serves."""

        def invoke() -> Result:
            return CliRunner().invoke(app, list(words), env=self.environ, input=given)

        return await asyncio.to_thread(invoke)

    async def json(self, *words: str) -> Any:
        """What a command that succeeds prints with --json."""
        result = await self.run(*words, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def file(self, *numbers: int) -> str:
        """A CSV of these recipients."""
        path = self.folder / "spring.csv"
        path.write_text("phone,1\n" + "".join(f"{phone(number)},N {number}\n" for number in numbers))
        return str(path)


@pytest.fixture
async def terminal(
    _databases: tuple[Database, Database], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Terminal]:
    """Nothing of the developer's own environment is seen."""
    monkeypatch.chdir(tmp_path)
    # The gateway runs in this process, too, and its log would be taken for what the command prints.
    with structlog.testing.capture_logs():
        async with dashboard_on(*_databases, Letters()) as dashboard:
            environ = {
                "WAAPI_URL": str(dashboard.http.make_url("")),
                "WAAPI_USER_ID": USER,
                "WAAPI_PHONE_NUMBER_ID": NUMBER,
                "WAAPI_ADMIN_TOKEN": admin_token(),
                "WAAPI_WEBHOOK_SECRET": SECRET,
                "COLUMNS": "200",
            }
            yield Terminal(dashboard, tmp_path, environ)


async def test_a_campaign_is_made_from_a_file_and_watched_to_its_end(terminal: Terminal) -> None:
    stage = terminal.dashboard.stage

    async def send() -> None:
        while not stage.messaging.items:
            stage.clock.pass_time(1)  # a round looks again at a campaign only after a while
            await stage.campaigns.dispatcher.round()
            await asyncio.sleep(0.01)
        (id_,) = {batch.campaign_id for batch in stage.messaging.batches}
        await stage.accept(stage.messaging.items, id_)
        stage.clock.pass_time(1)
        await stage.campaigns.dispatcher.round()

    created, _ = await asyncio.gather(
        terminal.run("campaign", "create", terminal.file(1, 2, 3), "--template", "spring_offer", "--watch", "--json"),
        send(),
    )

    assert created.exit_code == 0, created.output
    report, *changes = _values(created.stdout)
    assert (report["accepted"], report["status"]) == (3, "started")
    assert changes[-1]["status"] == "COMPLETED"
    assert changes[-1]["progress_percent"] == 100


async def test_a_person_sees_a_progress_bar(terminal: Terminal) -> None:
    stage = terminal.dashboard.stage
    id_ = (await terminal.json("campaign", "create", terminal.file(1), "--template", "tpl_1", "--start"))["campaign_id"]
    await stage.accept(await stage.dispatch(), id_)
    await stage.dispatch()

    watched = await terminal.run("campaign", "watch", id_)

    assert watched.exit_code == 0
    assert "COMPLETED" in watched.output
    assert "1/1" in watched.output


async def test_a_campaign_is_paused_resumed_and_cancelled(terminal: Terminal) -> None:
    created = await terminal.json("campaign", "create", terminal.file(1), "--template", "tpl_1", "--start")

    said = [
        (await terminal.run("campaign", action, created["campaign_id"])).output.split()[-1]
        for action in ("pause", "resume", "cancel")
    ]

    assert said == ["PAUSED", "RUNNING", "CANCELLED"]
    assert [each["status"] for each in await terminal.json("campaign", "list")] == ["CANCELLED"]
    assert (await terminal.json("campaign", "show", created["campaign_id"]))["recipient_stats"]["pending"] == 0


async def test_what_the_api_refuses_is_told_in_its_words_with_exit_code_1(terminal: Terminal) -> None:
    refused = await terminal.run("campaign", "show", "camp_unknown")

    assert refused.exit_code == 1
    assert "404: Campaign not found" in refused.stderr


async def test_with_json_a_refusal_is_json_too(terminal: Terminal) -> None:
    refused = await terminal.run("campaign", "pause", "camp_unknown", "--json")

    assert (refused.exit_code, json.loads(refused.stdout)["error"]) == (1, "Not Found")


async def test_a_template_that_is_not_there_is_named_with_those_that_are(terminal: Terminal) -> None:
    refused = await terminal.run("campaign", "create", terminal.file(1), "--template", "sprng")

    assert refused.exit_code == 1
    assert "there are spring_offer" in refused.stderr


async def test_nobody_there_is_told_with_exit_code_3(terminal: Terminal) -> None:
    result = await terminal.run("--url", "http://127.0.0.1:9", "campaign", "list")

    assert result.exit_code == 3
    assert "is it running?" in result.stderr


async def test_without_a_token_the_operator_s_commands_say_which_is_missing(terminal: Terminal) -> None:
    del terminal.environ["WAAPI_ADMIN_TOKEN"]

    result = await terminal.run("dlq", "list")

    assert result.exit_code == 1
    assert "make admin-token" in result.stderr


async def test_dead_letters_are_listed_shown_and_replayed(terminal: Terminal) -> None:
    listed = await terminal.json("dlq", "list")
    shown = await terminal.json("dlq", "show", "messaging.send.v1")
    replayed = await terminal.json("dlq", "replay", "messaging.send.v1")
    people_see = await terminal.run("dlq", "list")

    assert {row["queue"]: row["messages"] for row in listed} == {"messaging.send.v1": 2, "agents.commands.v1": 0}
    assert [row["reason"] for row in shown] == ["rejected", "rejected"]
    assert replayed == {"replayed": 2}
    assert "nothing there" in people_see.output


async def test_the_doctor_names_what_is_wrong_and_fails(terminal: Terminal) -> None:
    result = await terminal.run("doctor", "--json")

    findings = {each["name"]: each for each in json.loads(result.stdout)}
    assert result.exit_code == 1
    assert findings["gateway"]["ok"] is True
    assert findings["phone number, token"]["ok"] is True
    assert findings["templates"]["message"] == "1 approved"
    assert "waapi dlq replay" in findings["dead letters"]["message"]


@pytest.mark.parametrize(("change", "exit_code"), [(lambda body: body, 0), (lambda body: body + b" ", 1)])
async def test_a_delivery_s_signature_is_checked(
    terminal: Terminal, change: Callable[[bytes], bytes], exit_code: int
) -> None:
    now, body = utc_now(), b'{"event":"message.sent"}'
    signature = Webhook(SECRET).sign("evt_1", now, body.decode())
    headers = terminal.folder / "headers.json"
    headers.write_text(
        json.dumps(
            {
                "webhook-id": "evt_1",
                "webhook-timestamp": str(int(now.timestamp())),
                "webhook-signature": signature,
            }
        )
    )

    result = await terminal.run("webhooks", "verify", "--headers", str(headers), given=change(body).decode())

    assert result.exit_code == exit_code, result.output


def test_the_environment_wins_over_the_demo_tenant_which_is_found_from_any_folder_below(tmp_path: Path) -> None:
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local" / "demo.json").write_text(json.dumps({"user_id": "usr_demo", "api_token": "wak_1"}))
    (tmp_path / "deep").mkdir()

    found = CliSettings.found({"WAAPI_USER_ID": "usr_mine"}, tmp_path / "deep")

    assert (found.user_id, found.api_token, found.url) == ("usr_mine", "wak_1", "http://127.0.0.1:4000")
    assert "wak_1" not in repr(found)


def test_the_launcher_of_a_checkout_works_from_any_folder(tmp_path: Path) -> None:
    done = subprocess.run([CHECKOUT / "waapi", "--help"], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert "Usage: waapi" in done.stdout


def test_events_are_read_as_browsers_read_them() -> None:
    lines = [": ping", "", "id: 1", "event: progress", 'data: {"a":', "data: 1}", "", "data:x", ""]

    assert list(read_events(lines)) == [Event("progress", '{"a":\n1}', "1"), Event("message", "x", "1")]


def _values(text: str) -> list[Any]:
    """JSON values, one after the other."""
    decoder, values, position = json.JSONDecoder(), [], 0
    while position < len(text.rstrip()):
        value, position = decoder.raw_decode(text, position)
        values.append(value)
        position += len(text[position:]) - len(text[position:].lstrip())
    return values
