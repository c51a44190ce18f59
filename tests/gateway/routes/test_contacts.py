"""`/api/v1/contacts` over HTTP, with the real messaging behind it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.messaging.domain.messages import contact_id
from shared.mongo import Client, Database
from tests.emptying import empty
from tests.gateway.routes.messaging_behind import Dashboard, dashboard_on
from tests.messaging.stage import USER, text
from tests.servers import fresh_name

URL = "/api/v1/contacts"
PHONE = "+14155551234"
ID = contact_id(USER, PHONE)
CSV = {"Content-Type": "text/csv"}


@pytest.fixture(scope="session")
async def _databases(mongodb_client: Client) -> AsyncIterator[tuple[Database, Database]]:
    names = fresh_name(), fresh_name()
    yield mongodb_client[names[0]], mongodb_client[names[1]]
    for name in names:
        await mongodb_client.drop_database(name)


@pytest.fixture
async def dashboard(_databases: tuple[Database, Database]) -> AsyncIterator[Dashboard]:
    """An empty one."""
    for database in _databases:
        await empty(database)
    async with dashboard_on(*_databases) as found:
        yield found


async def upload(dashboard: Dashboard, *lines: str, user_id: str = USER, kind: str = "text/csv") -> tuple[int, Any]:
    """Import a file."""
    body = "\n".join(lines).encode()
    path = f"{URL}/import?user_id={user_id}"
    answer = await dashboard.http.post(path, data=body, headers={"Content-Type": kind})
    return answer.status, await answer.json()


async def listed(dashboard: Dashboard, query: str = "") -> list[str]:
    """The names of a user's contacts."""
    status, answer = await dashboard.call("GET", f"{URL}?user_id={USER}{query}")
    assert status == 200, answer
    return [contact["name"] for contact in answer["data"]["contacts"]]


async def test_a_file_makes_contacts_with_attributes_and_tags(dashboard: Dashboard) -> None:
    status, answer = await upload(
        dashboard, "phone,name,email,tags,city", f"{PHONE},Sarah,sarah@example.com,vip;new,Oakland"
    )

    assert status == 200
    assert answer["data"] == {"created": 1, "updated": 0, "opted_out": 0, "refused": 0, "refused_rows": []}
    _, shown = await dashboard.call("GET", f"{URL}/{ID}")
    contact = shown["data"]
    assert contact | {"created_at": 0, "updated_at": 0} == {
        "contact_id": ID,
        "user_id": USER,
        "phone": PHONE,
        "name": "Sarah",
        "email": "sarah@example.com",
        "company": None,
        "attributes": {"city": "Oakland"},
        "tags": ["vip", "new"],
        "consent": {"marketing": "unknown", "proof": None, "evidence": None, "changed_at": None},
        "created_at": 0,
        "updated_at": 0,
    }


async def test_a_second_file_changes_what_it_tells_and_leaves_the_rest(dashboard: Dashboard) -> None:
    await upload(dashboard, "phone,name,tags,city", f"{PHONE},Sarah,vip,Oakland")

    _, answer = await upload(dashboard, "phone;email;tags;zip", f"{PHONE};s@example.com;vip,old;94601")

    assert (answer["data"]["created"], answer["data"]["updated"]) == (0, 1)
    _, shown = await dashboard.call("GET", f"{URL}/{ID}")
    contact = shown["data"]
    assert (contact["name"], contact["email"]) == ("Sarah", "s@example.com")
    assert contact["attributes"] == {"city": "Oakland", "zip": "94601"}
    assert contact["tags"] == ["vip", "old"]


async def test_refused_rows_are_told_with_their_lines(dashboard: Dashboard) -> None:
    status, answer = await upload(dashboard, "phone,name,a.b", f"{PHONE},Sarah,", "4155551234,Ravi,", "+1415,Ana,x")

    assert status == 200
    assert answer["data"]["created"] == 1
    assert answer["data"]["refused"] == 2
    assert [row["row"] for row in answer["data"]["refused_rows"]] == [3, 4]
    assert answer["data"]["refused_rows"][0]["message"] == "phone must be in E.164 format, e.g. +919876543210"


async def test_attributes_that_could_reach_a_query_are_refused(dashboard: Dashboard) -> None:
    _, answer = await upload(dashboard, "phone,a.b", f"{PHONE},x")

    assert answer["data"]["refused_rows"][0]["message"] == "the column a.b must not contain . or begin with $"


async def test_opt_outs_come_with_the_file(dashboard: Dashboard) -> None:
    _, answer = await upload(dashboard, "phone,opted_out", f"{PHONE},yes", "+14155550001,no")

    assert answer["data"]["opted_out"] == 1
    _, shown = await dashboard.call("GET", f"{URL}/{ID}")
    assert (shown["data"]["consent"]["marketing"], shown["data"]["consent"]["proof"]) == ("opted_out", "import")


@pytest.mark.parametrize(
    ("lines", "kind", "status"),
    [
        (("name", "Sarah"), "text/csv", 400),
        (("",), "text/csv", 400),
        (("phone", PHONE), "text/plain", 415),
        (("phone", PHONE), "application/json", 415),
        (("phone,phone", PHONE), "text/csv", 400),
    ],
)
async def test_what_is_no_file_of_contacts(
    dashboard: Dashboard, lines: tuple[str, ...], kind: str, status: int
) -> None:
    got, answer = await upload(dashboard, *lines, kind=kind)

    assert got == status
    assert answer["success"] is False


async def test_contacts_of_nobody_are_not_imported(dashboard: Dashboard) -> None:
    status, answer = await upload(dashboard, "phone", PHONE, user_id="usr_unknown")

    assert (status, answer["message"]) == (404, "User not found")


async def test_a_list_is_paged_newest_first_and_searched(dashboard: Dashboard) -> None:
    for number, name in enumerate(("Ana", "Ben", "Cleo")):
        await upload(dashboard, "phone,name,company,tags", f"+1415555000{number},{name},{name} & Co,tag{number}")
        dashboard.stage.clock.pass_time(1)

    _, first = await dashboard.call("GET", f"{URL}?user_id={USER}&limit=2")
    cursor = first["data"]["pagination"]["next_cursor"]
    _, second = await dashboard.call("GET", f"{URL}?user_id={USER}&limit=2&cursor={cursor}")

    assert [contact["name"] for contact in first["data"]["contacts"]] == ["Cleo", "Ben"]
    assert [contact["name"] for contact in second["data"]["contacts"]] == ["Ana"]
    assert second["data"]["pagination"] == {"limit": 2, "next_cursor": None}
    assert await listed(dashboard, "&search=ben%20%26") == ["Ben"]
    assert await listed(dashboard, "&search=%2B14155550002") == ["Cleo"]
    assert await listed(dashboard, "&search=.*") == []
    assert await listed(dashboard, "&tag=tag0") == ["Ana"]


async def test_a_user_sees_only_his_own(dashboard: Dashboard) -> None:
    await upload(dashboard, "phone", PHONE)

    _, answer = await dashboard.call("GET", f"{URL}?user_id=usr_2")

    assert answer["data"]["contacts"] == []


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "user_id query parameter is required"),
        (f"?user_id={USER}&limit=201", "limit query parameter must be a whole number from 1 to 200"),
        (f"?user_id={USER}&cursor=x", "cursor query parameter must be the next_cursor of an earlier page"),
        (
            f"?user_id={USER}&cursor=999999999999999-contact_1",  # in the year 33658
            "cursor query parameter must be the next_cursor of an earlier page",
        ),
        (f"?user_id={USER}&search={'a' * 101}", "search query parameter must have at most 100"),
        (f"?user_id={USER}&tag=%00", "tag query parameter must have at most 100 printable characters"),
    ],
)
async def test_a_list_that_is_none(dashboard: Dashboard, query: str, words: str) -> None:
    status, answer = await dashboard.call("GET", f"{URL}{query}")

    assert status == 400
    assert words in answer["message"]


async def test_a_change_sets_what_it_gives(dashboard: Dashboard) -> None:
    await upload(dashboard, "phone,name,email,tags,city,zip", f"{PHONE},Sarah,s@example.com,vip,Oakland,94601")

    status, answer = await dashboard.call(
        "PATCH", f"{URL}/{ID}", {"name": "Sarah J", "email": None, "attributes": {"city": None, "age": 7}, "tags": []}
    )

    assert status == 200
    contact = answer["data"]
    assert (contact["name"], contact["email"]) == ("Sarah J", None)
    assert contact["attributes"] == {"zip": "94601", "age": "7"}
    assert contact["tags"] == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "Nothing to change"),
        ({"email": "nobody"}, "email must be an e-mail address"),
        ({"attributes": {"$set": "x"}}, "is not allowed"),
        ({"attributes": {"a.b": "x"}}, "must not contain ."),
        ({"attributes": {"a": ["x"]}}, "must be a text or a number"),
        ({"tags": ["x"] * 51}, "tags"),
    ],
)
async def test_a_change_that_is_none(dashboard: Dashboard, change: dict[str, Any], words: str) -> None:
    await upload(dashboard, "phone", PHONE)

    status, answer = await dashboard.call("PATCH", f"{URL}/{ID}", change)

    assert status == 400
    assert words in answer["message"]


async def test_an_opt_out_needs_no_body_and_is_taken_back(dashboard: Dashboard) -> None:
    await upload(dashboard, "phone", PHONE)

    out = await dashboard.http.post(f"{URL}/{ID}/opt-out")
    consent = (await out.json())["data"]["consent"]
    dashboard.stage.clock.pass_time(1)
    _, back = await dashboard.call("POST", f"{URL}/{ID}/opt-in", {"evidence": "asked at the counter"})

    assert out.status == 200
    assert (consent["marketing"], consent["proof"]) == ("opted_out", "api")
    assert back["data"]["consent"]["marketing"] == "opted_in"
    assert back["data"]["consent"]["evidence"] == "asked at the counter"


async def test_an_erased_contact_leaves_nothing_of_the_person(dashboard: Dashboard) -> None:
    await upload(dashboard, "phone,name,email", f"{PHONE},Sarah Secret,sarah@example.com")
    await dashboard.stage.ask(text(1, PHONE, at=dashboard.stage.clock()))
    await dashboard.call("POST", f"{URL}/{ID}/opt-out", {"evidence": "Sarah Secret said so"})

    first = await dashboard.admin("DELETE", f"/admin/contacts/{ID}")
    again = await dashboard.admin("DELETE", f"/admin/contacts/{ID}")

    assert (first[0], first[1]["message"]) == (200, "Contact erased successfully")
    assert again[0] == 200
    assert await listed(dashboard) == []
    assert (await dashboard.call("GET", f"{URL}/{ID}"))[0] == 404
    database = dashboard.stage.database
    for name in await database.list_collection_names():
        async for document in database[name].find({}):
            assert "Secret" not in str(document), name
            assert PHONE not in str(document), name
            assert "hello 1" not in str(document), name


async def test_who_was_erased_gets_no_marketing_when_he_had_opted_out(dashboard: Dashboard) -> None:
    await upload(dashboard, "phone", PHONE)
    await dashboard.call("POST", f"{URL}/{ID}/opt-out")

    await dashboard.admin("DELETE", f"/admin/contacts/{ID}")

    assert await dashboard.stage.messaging.dispatcher.stopping.stops.list_opted_out([ID]) == {ID}


@pytest.mark.parametrize("method_and_path", ["GET /x", "PATCH /x", "POST /x/opt-out", "POST /x/opt-in"])
async def test_an_unknown_contact_is_not_found(dashboard: Dashboard, method_and_path: str) -> None:
    method, path = method_and_path.split(" ")

    status, answer = await dashboard.call(method, URL + path, {"name": "x"} if method != "GET" else None)

    assert (status, answer["message"]) == (404, "Contact not found")


async def test_only_an_operator_erases(dashboard: Dashboard) -> None:
    assert (await dashboard.call("DELETE", f"/admin/contacts/{ID}"))[0] == 401
    assert (await dashboard.admin("DELETE", "/admin/contacts/contact_unknown"))[0] == 404
