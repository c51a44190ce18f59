"""`/api/v1/campaign` over HTTP, with the real campaigns behind it and stand-ins for its neighbours."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from services.gateway.main import ensure_indexes
from shared.mongo import Client, Database
from tests.campaigns.neighbours import OPTED_OUT, USER
from tests.campaigns.stage import phone
from tests.eventually import eventually
from tests.gateway.campaign_dashboard import URL, Dashboard, creation, dashboard_on
from tests.servers import fresh_name


@pytest.fixture(scope="session")
async def _databases(mongodb_client: Client) -> AsyncIterator[tuple[Database, Database]]:
    names = fresh_name(), fresh_name()
    ours = mongodb_client[names[0]], mongodb_client[names[1]]
    await ensure_indexes(ours[1])
    yield ours
    for name in names:
        await mongodb_client.drop_database(name)


@pytest.fixture
async def dashboard(_databases: tuple[Database, Database]) -> AsyncIterator[Dashboard]:
    """An empty one."""
    async with dashboard_on(*_databases) as dashboard:
        yield dashboard


async def test_a_campaign_that_starts_at_once_is_answered_as_documented(dashboard: Dashboard) -> None:
    answer = await dashboard.post("", creation(1, 2, auto_start=True))

    body = await answer.json()
    assert answer.status == 201
    assert body["success"] is True
    campaign_id = body["data"].pop("campaign_id")
    assert campaign_id.startswith("camp_")
    assert body["data"] == {
        "name": "Holiday Promo",
        "status": "RUNNING",
        "total_recipients": 2,
        "contacts_created": 2,
        "contacts_updated": 0,
        "credits_reserved": 2,
        "duplicates_removed": 0,
    }
    assert dashboard.stage.messaging.contacts[phone(1)].name == "N 1"


async def test_a_campaign_in_progress_is_shown_as_documented(dashboard: Dashboard) -> None:
    created = await (await dashboard.post("", creation(*range(1, 21), auto_start=True))).json()
    stage, id_ = dashboard.stage, created["data"]["campaign_id"]
    items = await stage.dispatch()
    await stage.accept(items[:10], id_)

    shown = await dashboard.data(f"/{id_}")

    assert {name: shown[name] for name in list(shown)[:9]} == {
        "campaign_id": id_,
        "name": "Holiday Promo",
        "status": "RUNNING",
        "total_recipients": 20,
        "sent_count": 10,
        "delivered_count": 0,
        "read_count": 0,
        "failed_count": 0,
        "progress_percent": 50,
    }
    assert shown["started_at"].endswith("Z")
    assert shown["completed_at"] is None
    assert shown["recipient_stats"] == {"pending": 10, "sent": 10, "delivered": 0, "read": 0, "failed": 0}


async def test_every_contact_that_is_wrong_is_named_and_nothing_is_created(dashboard: Dashboard) -> None:
    body = creation(1)
    body["contacts"] += [{"phone": "12"}, {"phone": phone(2)}, {"phone": "nobody"}]

    answer = await dashboard.post("", body)

    told = await answer.json()
    assert (answer.status, told["error"], told["code"]) == (400, "Bad Request", "invalid_recipients")
    assert [each["field"] for each in told["details"]] == ["contacts[1]", "contacts[3]"]
    assert await dashboard.stage.database["campaigns"].count_documents({}) == 0
    assert await dashboard.stage.database["recipients"].count_documents({}) == 0


async def test_wrong_contacts_are_left_out_where_that_is_wanted(dashboard: Dashboard) -> None:
    body = creation(1, 1, skip_invalid=True)
    body["contacts"] += [{"phone": "12"}, {"phone": OPTED_OUT}]

    data = (await (await dashboard.post("", body)).json())["data"]

    assert (data["total_recipients"], data["duplicates_removed"], data["skipped"]) == (2, 1, 1)
    assert data["refused"] == {
        "count": 1,
        "rows": [{"index": 2, "phone": "12", "code": "invalid_phone", "reason": "is no phone number"}],
    }


async def test_without_enough_credits_there_is_no_campaign_or_the_draft_stays(dashboard: Dashboard) -> None:
    dashboard.stage.messaging.free = 1

    at_once = await dashboard.post("", creation(1, 2, auto_start=True))
    draft = (await (await dashboard.post("", creation(1, 2))).json())["data"]["campaign_id"]
    later = await dashboard.post(f"/{draft}/start")

    assert (at_once.status, (await at_once.json())["error"]) == (402, "Payment Required")
    assert later.status == 402
    assert [each["status"] for each in (await dashboard.data(f"?user_id={USER}"))["campaigns"]] == ["DRAFT"]
    assert dashboard.stage.messaging.holders == set()


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"name": ""}, 400, "name"),
        ({"template_id": None}, 400, "template_id"),
        ({"contacts": [{"name": "A"}]}, 400, "contacts[0].phone"),
        ({"contacts": [{"phone": "+14155551234", "variables": {"1": [2]}}]}, 400, "contacts[0].variables.1"),
        ({"contacts": [], "auto_start": True}, 400, "contacts"),
        ({"local_time": True}, 400, "local_time"),
        ({"quiet_hours": {"start": "25:00", "end": "08:00"}}, 400, "quiet_hours.start"),
        ({"contacts": [{"phone": "+14155551234"}] * 10_001}, 413, None),
        ({"template_id": "tpl_unknown"}, 404, None),
    ],
)
async def test_a_wrong_body_is_refused_with_the_field(
    dashboard: Dashboard, change: dict[str, Any], status: int, field: str | None
) -> None:
    answer = await dashboard.post("", creation(1) | change)

    body = await answer.json()
    assert answer.status == status, body
    assert [each["field"] for each in body.get("details", [])] == ([field] if field else [])


async def test_a_body_of_ten_thousand_contacts_is_taken(dashboard: Dashboard) -> None:
    answer = await dashboard.post("", creation(*range(1, 10_001)))

    assert answer.status == 201
    assert (await answer.json())["data"]["total_recipients"] == 10_000


async def test_the_same_key_makes_one_campaign(dashboard: Dashboard) -> None:
    first = await dashboard.post("", creation(1, auto_start=True), headers={"Idempotency-Key": "k1"})
    second = await dashboard.post("", creation(1, auto_start=True), headers={"Idempotency-Key": "k1"})
    other = await dashboard.post("", creation(2, auto_start=True), headers={"Idempotency-Key": "k1"})

    assert await first.read() == await second.read()
    assert second.headers["Idempotent-Replayed"] == "true"
    assert other.status == 422
    assert len((await dashboard.data(f"?user_id={USER}"))["campaigns"]) == 1


async def test_a_file_is_taken_and_each_row_that_is_not_is_named_with_its_line(dashboard: Dashboard) -> None:
    id_ = await dashboard.draft()
    file = (
        "\ufeffPhone;Name;1\r\n"
        f'{phone(1)};"Ada\r\nLovelace";one\r\n'
        "12;Nobody;x\r\n"
        f"{phone(1)};Ada again;y\r\n"
        f"{phone(2)};too;many;values\r\n"
        f"{phone(3)};Grace;three"
    )

    answer = await dashboard.upload(id_, file.encode())

    assert answer.status == 200, await answer.text()
    data = (await answer.json())["data"]
    assert {name: data[name] for name in ("rows", "accepted", "duplicates_removed", "total_recipients")} == {
        "rows": 5,
        "accepted": 2,
        "duplicates_removed": 1,
        "total_recipients": 2,
    }
    assert sorted((each["line"], each["code"]) for each in data["refused"]["rows"]) == [
        (4, "invalid_phone"),
        (6, "unreadable_row"),
    ]
    refused = (await dashboard.data(f"/{id_}/recipients?state=refused"))["recipients"]
    assert [(each["row"], each["recipient_id"]) for each in refused] == [(4, None), (6, None)]
    await dashboard.stage.sweep(6)
    assert dashboard.stage.messaging.contacts[phone(1)].name == "Ada\r\nLovelace"


async def test_ndjson_is_taken_too(dashboard: Dashboard) -> None:
    id_ = await dashboard.draft()
    lines = [orjson.dumps({"phone": phone(1), "variables": {"1": 7}}), b"[]", b"{", b""]

    data = (await (await dashboard.upload(id_, b"\n".join(lines), "application/x-ndjson")).json())["data"]

    assert (data["accepted"], data["refused"]["count"]) == (1, 2)
    assert (await dashboard.stage.row(1, id_))["values"] == {"1": "7"}


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"", "text/csv", 400, "unreadable_file"),
        (b"name,1\nA,b\n", "text/csv", 400, "unreadable_file"),
        (b"phone,phone\n", "text/csv", 400, "unreadable_file"),
        (b"phone\n\xff\xfe\n", "text/csv", 400, "unreadable_file"),
        (b'phone\n"' + b"x" * 300_000, "text/csv", 400, "unreadable_file"),
        (b"phone\n", "application/json", 415, "unsupported_media_type"),
        (b"phone\n", "text/plain", 415, "unsupported_media_type"),
    ],
)
async def test_a_file_that_cannot_be_read_leaves_nothing(
    dashboard: Dashboard, body: bytes, kind: str, status: int, code: str
) -> None:
    id_ = await dashboard.draft()

    answer = await dashboard.upload(id_, body, kind)
    good = await dashboard.upload(id_, f"phone\n{phone(1)}\n".encode())

    assert (answer.status, (await answer.json())["code"]) == (status, code)
    assert good.status == 200
    assert (await dashboard.data(f"/{id_}"))["total_recipients"] == 1


async def test_a_file_that_breaks_off_leaves_nothing(dashboard: Dashboard) -> None:
    id_ = await dashboard.draft()
    chunk = b"phone\n" + b"".join(f"{phone(number)}\n".encode() for number in range(1, 2501))

    _, writer = await asyncio.open_connection(dashboard.http.host, dashboard.http.port)
    head = f"POST {URL}/{id_}/recipients HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/csv\r\n"
    writer.write(f"{head}Content-Length: {len(chunk) + 10}\r\n\r\n".encode() + chunk)
    await writer.drain()
    rows = dashboard.stage.database["recipients"]

    async def kept() -> int:
        return int(await rows.count_documents({"campaign_id": id_}))

    async def most_are_kept() -> bool:
        return await kept() >= 2000

    async def none_is_kept() -> bool:
        return await kept() == 0

    await eventually(most_are_kept)
    writer.close()
    await eventually(none_is_kept)

    assert (await dashboard.data(f"/{id_}"))["total_recipients"] == 0
    assert (await dashboard.upload(id_, f"phone\n{phone(1)}\n".encode())).status == 200


async def test_recipients_are_added_to_drafts_only(dashboard: Dashboard) -> None:
    created = await (await dashboard.post("", creation(1, auto_start=True))).json()

    answer = await dashboard.upload(created["data"]["campaign_id"], b"phone\n+4915112345678\n")

    assert (answer.status, (await answer.json())["code"]) == (409, "not_a_draft")


async def test_a_file_with_a_key_is_taken_once(dashboard: Dashboard) -> None:
    id_, file = await dashboard.draft(), f"phone\n{phone(1)}\n".encode()

    first = await dashboard.upload(id_, file, **{"Idempotency-Key": "k1"})
    again = await dashboard.upload(id_, file, **{"Idempotency-Key": "k1"})
    other = await dashboard.upload(id_, file + b"+4915112345678\n", **{"Idempotency-Key": "k1"})

    assert await first.read() == await again.read()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert other.status == 422


async def test_every_action_is_answered_with_the_campaign_and_wrong_ones_with_409(dashboard: Dashboard) -> None:
    id_ = await dashboard.draft(contacts=creation(1)["contacts"])

    statuses = []
    for action in ("pause", "start", "start", "pause", "pause", "resume", "cancel", "cancel", "start"):
        answer = await dashboard.post(f"/{id_}/{action}")
        statuses.append((action, answer.status, (await answer.json()).get("data", {}).get("status")))

    assert statuses == [
        ("pause", 409, None),
        ("start", 200, "RUNNING"),
        ("start", 200, "RUNNING"),
        ("pause", 200, "PAUSED"),
        ("pause", 200, "PAUSED"),
        ("resume", 200, "RUNNING"),
        ("cancel", 200, "CANCELLED"),
        ("cancel", 200, "CANCELLED"),
        ("start", 409, None),
    ]


@pytest.mark.parametrize("path", ["", "/preflight", "/recipients", "/events"])
async def test_an_unknown_campaign_is_not_found(dashboard: Dashboard, path: str) -> None:
    answer = await dashboard.http.get(f"{URL}/camp_unknown{path}")

    assert (answer.status, (await answer.json())["message"]) == (404, "Campaign not found")


async def test_preflight_tells_cost_refusals_and_the_message_of_any_recipient(dashboard: Dashboard) -> None:
    id_ = await dashboard.draft(contacts=creation(1, 2)["contacts"])
    await dashboard.upload(id_, b"phone\n12\n")
    dashboard.stage.messaging.free = 1

    data = await dashboard.data(f"/{id_}/preflight?recipient=%2B{phone(2)[1:]}")

    assert (data["cost"], data["remaining_credits"], data["refused"]["count"]) == (2, 1, 1)
    assert data["problems"] == ["It costs 2 credits, and 1 are left."]
    assert data["preview"]["payload"] == {"to": phone(2), "type": "template"}
    assert data["estimated_seconds"] == 0.0


async def test_pages_of_recipients_follow_each_other_and_a_csv_holds_them_all(dashboard: Dashboard) -> None:
    id_ = await dashboard.draft(contacts=creation(1, 2, 3)["contacts"])

    first = await dashboard.data(f"/{id_}/recipients?limit=2")
    second = await dashboard.data(f"/{id_}/recipients?limit=2&cursor={first['pagination']['next_cursor']}")
    export = await dashboard.http.get(f"{URL}/{id_}/recipients", headers={"Accept": "text/csv"})

    assert [each["phone"] for each in first["recipients"] + second["recipients"]] == [phone(1), phone(2), phone(3)]
    assert second["pagination"]["next_cursor"] is None
    lines = (await export.text()).splitlines()
    assert [line.split(",")[2] for line in lines] == ["phone", phone(1), phone(2), phone(3)]


async def test_the_live_view_tells_each_change_once_and_ends_with_the_campaign(dashboard: Dashboard) -> None:
    created = await (await dashboard.post("", creation(1, auto_start=True))).json()
    id_, stage = created["data"]["campaign_id"], dashboard.stage

    async with dashboard.http.get(f"{URL}/{id_}/events") as stream:
        first = (await stream.content.readuntil(b"\n\n")).decode()
        await stage.accept(await stage.dispatch(), id_)
        await stage.dispatch()  # a while later nobody is left
        rest = (await stream.content.read()).decode()
    events = [event for event in rest.split("\n\n") if event]
    last_id = events[-1].splitlines()[0].removeprefix("id: ")
    again = await dashboard.http.get(f"{URL}/{id_}/events", headers={"Last-Event-ID": last_id})

    assert first.splitlines()[1] == "event: progress"
    assert events[-1].splitlines()[1] == "event: done"
    assert '"status":"COMPLETED"' in events[-1]
    assert again.status == 204
