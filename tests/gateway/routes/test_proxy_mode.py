"""`DASHBOARD_AUTH=proxy`: a proxy says who asks and for whom; nobody sees or changes another user's things."""

import time
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest

from services.gateway.routes.ownership import PATH_IDS, SHARED_ROUTES
from shared.mongo import Database
from tests.gateway.joined import NUMBER, Joined, joined_on

SECRET = "a proxy's secret of more than thirty-two bytes, and even more than sixty-four"
MINE, THEIRS = "usr_mine", "usr_theirs"
NOT_FOR = "This identity may not act for this user"
NOBODYS = "The request does not say whose this is: give user_id or phone_number_id"


def identity(*user_ids: str, **claims: Any) -> dict[str, str]:
    """The header that a proxy adds."""
    now = int(time.time())
    usual = {"sub": "ada", "aud": "waapi-dashboard", "iat": now, "exp": now + 60, "user_ids": list(user_ids)}
    return {"X-WA-Identity": jwt.encode(usual | claims, SECRET, "HS256")}


@pytest.fixture
async def behind_proxy(joined_database: Database) -> AsyncIterator[Joined]:
    """The gateway behind a proxy, with two users."""
    proxy = {"DASHBOARD_AUTH": "proxy", "DASHBOARD_IDENTITY_KEY": SECRET}
    async with joined_on(joined_database, **proxy) as ready:
        for user_id in (MINE, THEIRS):
            body = {"user_id": user_id, "email": f"{user_id}@example.com"}
            status, _ = await ready.ask("POST", "/api/v1/users", body, **identity(user_id))
            assert status == 201
        yield ready


async def make_number(gateway: Joined, user_id: str) -> str:
    """A number of this user's."""
    body = NUMBER | {"user_id": user_id, "meta_phone_number_id": str(len(user_id)), "waba_id": str(len(user_id))}
    status, answer = await gateway.ask("POST", "/api/v1/phone-numbers", body, **identity(user_id))
    assert status == 201, answer
    number_id: str = answer["data"]["id"]
    return number_id


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-WA-Identity": "nonsense"},
        identity(MINE, exp=int(time.time()) - 10),
        identity(MINE, aud="another"),
    ],
    ids=["none", "nonsense", "expired", "for another"],
)
async def test_without_an_identity_that_holds_nothing_is_told(behind_proxy: Joined, headers: dict[str, str]) -> None:
    status, answer = await behind_proxy.ask("GET", f"/api/v1/phone-numbers?user_id={MINE}", **headers)

    assert (status, answer["error"], answer["code"]) == (401, "Unauthorized", "invalid_identity")


async def test_a_person_works_with_their_own_users_things(behind_proxy: Joined) -> None:
    number_id = await make_number(behind_proxy, MINE)
    agent = {"user_id": MINE, "phone_number_id": number_id, "prompt_id": "p", "name": "Support"}

    _, made = await behind_proxy.ask("POST", "/api/v1/agents", agent, **identity(MINE))
    agent_path = f"/api/v1/agents/{made['data']['agent_id']}"

    for method, path, body in (
        ("GET", f"/api/v1/phone-numbers?user_id={MINE}", None),
        ("GET", f"/api/v1/phone-numbers/{number_id}", None),
        ("GET", agent_path, None),
        ("PATCH", agent_path, {"name": "Sales"}),
        ("DELETE", agent_path, None),
        ("DELETE", f"/api/v1/phone-numbers/{number_id}", None),
    ):
        status, answer = await behind_proxy.ask(method, path, body, **identity(MINE))
        assert status == 200, (method, path, answer)


async def test_a_foreign_thing_looks_like_one_that_is_not_there_and_is_not_touched(behind_proxy: Joined) -> None:
    theirs = await make_number(behind_proxy, THEIRS)

    for method, body in (("GET", None), ("PATCH", {"display_name": "mine now"}), ("DELETE", None)):
        foreign = await behind_proxy.ask(method, f"/api/v1/phone-numbers/{theirs}", body, **identity(MINE))
        unknown = await behind_proxy.ask(method, "/api/v1/phone-numbers/pn_nobody", body, **identity(MINE))
        assert _comparable(foreign) == _comparable(unknown)
        assert foreign[0] == 404

    status, kept = await behind_proxy.ask("GET", f"/api/v1/phone-numbers/{theirs}", None, **identity(THEIRS))
    assert (status, kept["data"]["display_name"]) == (200, NUMBER["display_name"])


async def test_a_foreign_user_is_refused_in_query_and_body(behind_proxy: Joined) -> None:
    body = NUMBER | {"user_id": THEIRS}

    for method, path, sent in (
        ("GET", f"/api/v1/phone-numbers?user_id={THEIRS}", None),
        ("POST", "/api/v1/phone-numbers", body),
        ("POST", "/api/v1/users", {"user_id": "usr_new", "email": "new@example.com"}),
    ):
        status, answer = await behind_proxy.ask(method, path, sent, **identity(MINE))
        assert (status, answer["message"]) == (403, NOT_FOR)

    assert await behind_proxy.database["phone_numbers"].count_documents({}) == 0
    assert await behind_proxy.database["users"].count_documents({}) == 2


async def test_a_foreign_number_is_refused_in_query_and_body(behind_proxy: Joined) -> None:
    theirs = await make_number(behind_proxy, THEIRS)

    for method, path, sent in (
        ("GET", f"/api/v1/templates?phone_number_id={theirs}", None),
        ("POST", "/api/v1/send", {"phone_number_id": theirs, "template_id": "tpl_1", "contact": {}}),
        ("POST", "/api/v1/agents", {"user_id": MINE, "phone_number_id": theirs, "prompt_id": "p", "name": "x"}),
    ):
        status, answer = await behind_proxy.ask(method, path, sent, **identity(MINE))
        assert (status, answer["message"]) == (404, "Phone number not found")

    assert await behind_proxy.database["agents"].count_documents({}) == 0


async def test_what_names_nobody_is_refused(behind_proxy: Joined) -> None:
    for path, body in (("/api/v1/send", {}), ("/api/v1/send", []), ("/api/v1/agents", {"user_id": 5})):
        status, answer = await behind_proxy.ask("POST", path, body, **identity(MINE))

        assert (status, answer["message"]) == (403, NOBODYS)


async def test_a_star_may_act_for_everybody(behind_proxy: Joined) -> None:
    theirs = await make_number(behind_proxy, THEIRS)

    status, _ = await behind_proxy.ask("GET", f"/api/v1/phone-numbers/{theirs}", None, **identity("*"))

    assert status == 200


async def test_operators_still_need_their_token(behind_proxy: Joined) -> None:
    status, _ = await behind_proxy.ask("GET", f"/admin/prompts?user_id={MINE}", None, **identity(MINE))
    refused, _ = await behind_proxy.ask("GET", "/admin/prompts", None, Authorization="x", **identity(MINE))

    assert (status, refused) == (200, 401)


async def test_every_route_of_the_dashboard_says_whose_its_things_are(joined: Joined) -> None:
    named_in_query = {"user_id", "phone_number_id"}
    described = (await joined.ask("GET", "/openapi-dashboard.json"))[1]

    unclear = []
    for path, methods in described["paths"].items():
        if not path.startswith("/api/v1/") or path in SHARED_ROUTES:
            continue
        for method, operation in methods.items():
            parameters = {each["name"]: each.get("required") for each in operation.get("parameters", [])}
            in_path = any(f"{{{name}}}" in path for name in PATH_IDS)
            in_query = any(parameters.get(name) for name in named_in_query)
            if not (in_path or in_query or named_in_query & _required_in_body(described, operation)):
                unclear.append(f"{method} {path}")

    assert unclear == [], "Ownership cannot trace these: give them an id of PATH_IDS, a user_id or a phone_number_id"


def _required_in_body(document: dict[str, Any], operation: dict[str, Any]) -> set[str]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return set()
    name = content["schema"]["$ref"].rpartition("/")[2]
    return set(document["components"]["schemas"][name].get("required", ()))


def _comparable(answer: tuple[int, dict[str, Any]]) -> tuple[int, dict[str, Any]]:
    status, body = answer
    return status, {name: value for name, value in body.items() if name not in {"timestamp", "correlationId"}}
