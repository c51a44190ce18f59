"""`/api/v1/agents`."""

from datetime import timedelta
from typing import Any

import pytest

from shared.clock import utc_now
from tests.gateway.joined import USER, Joined

KEYS = ["agent_id", "user_id", "phone_number_id", "prompt_id", "name", "created_at", "updated_at"]
BEHAVIOUR = ["debounce_ms", "fallback_text", "daily_budget"]
AGENT = {"user_id": USER, "phone_number_id": "pn_1", "prompt_id": "prompt_abc123", "name": "Support"}
HAS_AN_AGENT = "Phone number already has an active agent. Update or delete the existing agent first."
IDENTIFIER = "must have 1 to 128 letters, digits or _ . : + @ -"
NOTHING = "Nothing to change: give name, prompt_id, debounce_ms, fallback_text or daily_budget"


async def test_a_new_agent_is_shown_as_documented(joined: Joined) -> None:
    number = await joined.make_number()

    status, answer = await joined.ask("POST", "/api/v1/agents", AGENT | {"phone_number_id": number["id"]})

    made = answer["data"]
    assert (status, list(made)) == (201, KEYS)
    assert made | {"agent_id": "", "created_at": "", "updated_at": ""} == AGENT | {
        "agent_id": "",
        "phone_number_id": number["id"],
        "created_at": "",
        "updated_at": "",
    }
    assert made["agent_id"].startswith("agt_")


async def test_agents_are_listed_with_what_their_numbers_are_called(joined: Joined) -> None:
    number = await joined.make_number()
    agent = await joined.make_agent(number["id"])

    status, answer = await joined.ask("GET", f"/api/v1/agents?user_id={USER}")

    assert (status, list(answer["data"][0])) == (200, [*KEYS[:5], "phone_number", *KEYS[5:]])
    assert answer["data"] == [agent | {"phone_number": {"platform": "whatsapp", "display_name": "+1 (234) 567-8900"}}]


async def test_an_agent_is_shown_with_its_number_and_figures(joined: Joined) -> None:
    number = await joined.make_number()
    agent = await joined.make_agent(number["id"])
    day, now = timedelta(days=1), utc_now()
    threads: list[dict[str, Any]] = [
        {"_id": "1", "last_message_at": now, "handled_by": "agent"},
        {"_id": "2", "last_message_at": now - day / 2},
        {"_id": "3", "last_message_at": now, "handled_by": "human"},
        {"_id": "4", "last_message_at": now - day * 2},
        {"_id": "5"},
    ]
    elsewhere = {"_id": "6", "phone_number_id": "pn_other", "last_message_at": now}
    await joined.database["conversations"].insert_many(
        [thread | {"phone_number_id": number["id"]} for thread in threads] + [elsewhere]
    )

    status, answer = await joined.ask("GET", f"/api/v1/agents/{agent['agent_id']}")

    assert (status, list(answer["data"])[:9]) == (200, [*KEYS[:5], "phone_number", "stats", *KEYS[5:]])
    assert answer["data"]["stats"] == {"total_conversations": 5, "active_conversations": 2}
    assert answer["data"]["phone_number"] == {
        "platform": "whatsapp",
        "display_name": "+1 (234) 567-8900",
        "meta_phone_number_id": "1234567890",
    }
    assert [answer["data"][name] for name in (*BEHAVIOUR, "last_error")] == [None] * 4


async def test_an_agent_can_be_given_another_name_and_prompt(joined: Joined) -> None:
    agent = await joined.make_agent((await joined.make_number())["id"])

    status, answer = await joined.ask(
        "PATCH", f"/api/v1/agents/{agent['agent_id']}", {"name": "Sales Agent", "prompt_id": "prompt_new456"}
    )

    changed = answer["data"]
    assert (status, list(changed)) == (200, [*KEYS, *BEHAVIOUR])
    assert (changed["name"], changed["prompt_id"]) == ("Sales Agent", "prompt_new456")
    assert (changed["created_at"], changed["updated_at"] > agent["updated_at"]) == (agent["created_at"], True)


async def test_null_takes_back_what_was_set_for_an_agent(joined: Joined) -> None:
    agent = await joined.make_agent((await joined.make_number())["id"])
    path = f"/api/v1/agents/{agent['agent_id']}"
    await joined.ask("PATCH", path, {"debounce_ms": 0, "fallback_text": "Soon.", "daily_budget": 5})

    _, answer = await joined.ask("PATCH", path, {"daily_budget": None, "fallback_text": None})

    assert [answer["data"][name] for name in BEHAVIOUR] == [0, None, None]


async def test_a_deleted_agent_frees_its_number(joined: Joined) -> None:
    number = await joined.make_number()
    agent = await joined.make_agent(number["id"])

    status, answer = await joined.ask("DELETE", f"/api/v1/agents/{agent['agent_id']}")

    assert (status, answer["success"], answer["message"]) == (200, True, "Agent deleted successfully")
    assert set(answer) == {"success", "message", "timestamp", "correlationId"}
    _, shown = await joined.ask("GET", f"/api/v1/phone-numbers/{number['id']}")
    assert shown["data"]["agent"] is None
    await joined.make_agent(number["id"])


async def test_a_number_has_one_agent(joined: Joined) -> None:
    number = await joined.make_number()
    await joined.make_agent(number["id"])

    status, answer = await joined.ask("POST", "/api/v1/agents", AGENT | {"phone_number_id": number["id"]})

    assert (status, answer["error"], answer["message"]) == (409, "Conflict", HAS_AN_AGENT)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"user_id": "usr_nobody"}, "User not found"), ({"phone_number_id": "pn_nobody"}, "Phone number not found")],
)
async def test_an_agent_needs_a_user_and_a_number_that_exist(
    joined: Joined, change: dict[str, str], message: str
) -> None:
    number = await joined.make_number()

    status, answer = await joined.ask("POST", "/api/v1/agents", AGENT | {"phone_number_id": number["id"]} | change)

    assert (status, answer["error"], answer["message"]) == (404, "Not Found", message)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"user_id": None}, "user_id is required"),
        ({"phone_number_id": None}, "phone_number_id is required"),
        ({"prompt_id": None}, "prompt_id is required"),
        ({"name": None}, "name is required"),
        ({"name": ""}, "name must not be empty"),
        ({"name": 5}, "name must be a string"),
        ({"name": "x" * 201}, "name must have at most 200 characters"),
        ({"prompt_id": "a b"}, f"prompt_id {IDENTIFIER}"),
        ({"prompt_id": {"$gt": ""}}, "prompt_id must be a string"),
        ({"phone_number_id": "$where"}, f"phone_number_id {IDENTIFIER}"),
    ],
)
async def test_a_wrong_agent_names_the_field(joined: Joined, change: dict[str, Any], message: str) -> None:
    status, answer = await joined.ask("POST", "/api/v1/agents", AGENT | change)

    assert (status, answer["error"], answer["message"]) == (400, "Bad Request", message)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, NOTHING),
        ({"name": None}, "name is required"),
        ({"prompt_id": ""}, f"prompt_id {IDENTIFIER}"),
        ({"debounce_ms": -1}, "debounce_ms must be at least 0"),
        ({"debounce_ms": 60_001}, "debounce_ms must be at most 60000"),
        ({"debounce_ms": 0.5}, "debounce_ms must be an integer"),
        ({"fallback_text": " "}, "fallback_text must not be empty"),
        ({"fallback_text": "x" * 1001}, "fallback_text must have at most 1000 characters"),
        ({"daily_budget": -1}, "daily_budget must be at least 0"),
        ({"daily_budget": True}, "daily_budget must be an integer"),
    ],
)
async def test_a_wrong_change_names_the_field(joined: Joined, body: dict[str, Any], message: str) -> None:
    agent = await joined.make_agent((await joined.make_number())["id"])

    status, answer = await joined.ask("PATCH", f"/api/v1/agents/{agent['agent_id']}", body)

    assert (status, answer["message"]) == (400, message)


@pytest.mark.parametrize("agent_id", ["agt_nobody", "a" * 300, "a%20b"])
@pytest.mark.parametrize(("method", "body"), [("GET", None), ("PATCH", {"name": "x"}), ("DELETE", None)])
async def test_an_unknown_agent_is_a_404(
    joined: Joined, agent_id: str, method: str, body: dict[str, str] | None
) -> None:
    status, answer = await joined.ask(method, f"/api/v1/agents/{agent_id}", body)

    assert (status, answer["error"], answer["message"]) == (404, "Not Found", "Agent not found")


@pytest.mark.parametrize(
    ("query", "status", "told"),
    [("", 400, "user_id query parameter is required"), ("?user_id=usr_nobody", 200, [])],
)
async def test_a_list_needs_a_user_known_or_not(joined: Joined, query: str, status: int, told: Any) -> None:
    given, answer = await joined.ask("GET", f"/api/v1/agents{query}")

    assert (given, answer.get("data", answer.get("message"))) == (status, told)


async def test_a_creation_under_the_same_key_makes_one_agent(joined: Joined) -> None:
    number = await joined.make_number()
    body, key = AGENT | {"phone_number_id": number["id"]}, {"Idempotency-Key": "agent-1"}

    first, second = [await joined.ask("POST", "/api/v1/agents", body, **key) for _ in range(2)]

    assert first == second
    assert first[0] == 201


async def test_the_agent_of_a_web_chat_is_listed_and_deleted_with_its_channel(joined: Joined) -> None:
    channel = await joined.make("/api/v1/webchat/channels", {"user_id": USER, "prompt_id": "p", "name": "Chat"})

    _, listed = await joined.ask("GET", f"/api/v1/agents?user_id={USER}")
    status, answer = await joined.ask("DELETE", f"/api/v1/agents/{channel['agent_id']}")

    assert [(each["agent_id"], each["phone_number"]["platform"]) for each in listed["data"]] == [
        (channel["agent_id"], "webchat")
    ]
    assert (status, answer["message"]) == (
        409,
        "This agent belongs to a webchat channel and is deleted with it: "
        f"DELETE /api/v1/webchat/channels/{channel['webchat_id']}",
    )
