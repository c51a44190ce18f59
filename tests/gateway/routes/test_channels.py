"""`/api/v1/webchat/channels`."""

import re
from typing import Any

import pytest

from tests.gateway.joined import USER, Joined

PATH = "/api/v1/webchat/channels"
CHANNEL = {"user_id": USER, "prompt_id": "prompt_sales_bot_v1", "name": "Customer Support Chat"}
KEYS = ["webchat_id", "phone_number_id", "agent_id", "prompt_id", "name", "embed_code", "config_url", "created_at"]
NEW_KEYS = [*KEYS[:4], "source_agent_id", *KEYS[4:]]
LOOKS = ["allowed_origins", "daily_budget", "greeting", "language", "quick_replies", "theme", "updated_at"]
ONE_OF = "Provide either prompt_id or agent_id, not both"
EMBED = (
    "<!-- Customer Support Chat AI Chat Widget -->\n<webchat-widget \n"
    '  agent-id="{webchat_id}"\n  primary-color="#3B82F6"\n  secondary-color="#EFF6FF">\n</webchat-widget>\n'
    '<script src="http://127.0.0.1:4001/widget.js" async></script>'
)


async def test_a_new_channel_is_shown_as_documented(joined: Joined) -> None:
    status, answer = await joined.ask("POST", PATH, CHANNEL)

    made = answer["data"]
    webchat_id = made["webchat_id"]
    assert (status, list(made)) == (201, NEW_KEYS)
    assert (made["prompt_id"], made["source_agent_id"], made["name"]) == (
        "prompt_sales_bot_v1",
        None,
        "Customer Support Chat",
    )
    assert made["embed_code"] == EMBED.format(webchat_id=webchat_id)
    assert made["config_url"] == f"http://127.0.0.1:4001/widget-config.html?agent_id={webchat_id}"


async def test_the_public_id_tells_nothing_of_the_user_the_number_or_the_agent(joined: Joined) -> None:
    made = await joined.make(PATH, CHANNEL)

    ids = [made["webchat_id"], made["phone_number_id"], made["agent_id"]]
    forms = ["webchat_", "pn_webchat_", "agent_webchat_"]
    assert all(re.fullmatch(f"{form}[0-9A-Za-z]{{22}}", id_) for form, id_ in zip(forms, ids, strict=True))
    assert len({id_.rpartition("_")[2] for id_ in ids}) == 3
    assert USER not in "".join(ids)


async def test_a_channel_can_copy_the_prompt_of_an_agent(joined: Joined) -> None:
    agent = await joined.make_agent((await joined.make_number())["id"])
    body = {"user_id": USER, "agent_id": agent["agent_id"], "name": "Website Chat"}

    made = await joined.make(PATH, body)

    assert (made["prompt_id"], made["source_agent_id"]) == ("prompt_abc123", agent["agent_id"])
    assert made["agent_id"] != agent["agent_id"]


async def test_channels_are_listed_newest_first_and_counted(joined: Joined) -> None:
    first = await joined.make(PATH, CHANNEL)
    second = await joined.make(PATH, CHANNEL | {"name": "Other"})

    status, answer = await joined.ask("GET", f"{PATH}?user_id={USER}")

    listed = answer["data"]
    assert (status, list(listed), listed["count"]) == (200, ["channels", "count"], 2)
    assert list(listed["channels"][0]) == KEYS
    assert [each["webchat_id"] for each in listed["channels"]] == [second["webchat_id"], first["webchat_id"]]


async def test_the_lines_to_embed_a_channel_can_be_asked_for(joined: Joined) -> None:
    made = await joined.make(PATH, CHANNEL)

    status, answer = await joined.ask("GET", f"{PATH}/{made['webchat_id']}/embed")

    assert status == 200
    assert answer["data"] == {name: made[name] for name in ("webchat_id", "name", "embed_code", "config_url")}


async def test_a_change_shows_the_channel_with_its_looks(joined: Joined) -> None:
    made = await joined.make(PATH, CHANNEL)
    looks = {
        "allowed_origins": ["https://shop.example.com", "http://localhost:3000"],
        "greeting": "Hi! 👋",
        "quick_replies": ["Prices", "Opening hours"],
        "language": "pt-BR",
        "daily_budget": 100,
    }

    status, answer = await joined.ask(
        "PATCH", f"{PATH}/{made['webchat_id']}", looks | {"name": "Chat", "theme": {"primary_color": "#0F766E"}}
    )

    changed = answer["data"]
    assert (status, list(changed)[:9], sorted(list(changed)[9:])) == (200, NEW_KEYS, LOOKS)
    assert {name: changed[name] for name in looks} == looks
    assert changed["theme"] == {
        "primary_color": "#0F766E",
        "secondary_color": "#EFF6FF",
        "mode": "auto",
        "position": "right",
    }
    assert 'primary-color="#0F766E"' in changed["embed_code"]


async def test_null_and_empty_lists_take_back_what_was_set(joined: Joined) -> None:
    path = f"{PATH}/{(await joined.make(PATH, CHANNEL))['webchat_id']}"
    await joined.ask("PATCH", path, {"greeting": "Hi!", "allowed_origins": ["https://a.example"], "daily_budget": 1})

    _, answer = await joined.ask("PATCH", path, {"greeting": None, "allowed_origins": [], "daily_budget": None})

    changed = answer["data"]
    assert (changed["greeting"], changed["allowed_origins"], changed["daily_budget"]) == (None, [], None)


async def test_a_closed_channel_says_its_name_and_is_gone(joined: Joined) -> None:
    webchat_id = (await joined.make(PATH, CHANNEL))["webchat_id"]

    status, answer = await joined.ask("DELETE", f"{PATH}/{webchat_id}")

    assert (status, answer["success"]) == (200, True)
    assert answer["message"] == f"Webchat channel {webchat_id} deleted successfully"
    assert set(answer) == {"success", "message", "timestamp", "correlationId"}
    for method, path, body in (
        ("GET", f"{PATH}/{webchat_id}/embed", None),
        ("PATCH", f"{PATH}/{webchat_id}", {"name": "x"}),
        ("DELETE", f"{PATH}/{webchat_id}", None),
    ):
        status, answer = await joined.ask(method, path, body)
        assert (status, answer["error"], answer["message"]) == (404, "Not Found", "Webchat channel not found")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"user_id": None}, "user_id is required"),
        ({"name": None}, "name is required"),
        ({"name": "   "}, "name must not be empty"),
        ({"prompt_id": None}, ONE_OF),
        ({"prompt_id": ""}, ONE_OF),
        ({"agent_id": "agt_1"}, ONE_OF),
        ({"prompt_id": ["p"]}, "prompt_id must be a string"),
    ],
)
async def test_a_wrong_channel_names_the_field(joined: Joined, change: dict[str, Any], message: str) -> None:
    status, answer = await joined.ask("POST", PATH, CHANNEL | change)

    assert (status, answer["error"], answer["message"]) == (400, "Bad Request", message)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"user_id": "usr_nobody"}, "User not found"),
        ({"prompt_id": None, "agent_id": "agt_nobody"}, "Agent not found"),
    ],
)
async def test_a_channel_needs_a_user_and_a_source_that_exist(
    joined: Joined, change: dict[str, Any], message: str
) -> None:
    status, answer = await joined.ask("POST", PATH, CHANNEL | change)

    assert (status, answer["message"]) == (404, message)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {},
            "Nothing to change: give name, allowed_origins, theme, greeting, quick_replies, language or daily_budget",
        ),
        ({"allowed_origins": ["*"]}, "allowed_origins[0] must be an origin such as https://shop.example.com"),
        ({"allowed_origins": ["https://a.example/"]}, "allowed_origins[0] must be an origin"),
        ({"allowed_origins": ["https://A.example"]}, "allowed_origins[0] must be an origin"),
        ({"allowed_origins": ["javascript://x"]}, "allowed_origins[0] must be an origin"),
        ({"theme": {"primary_color": "red"}}, "theme.primary_color must be a colour such as #3B82F6"),
        ({"theme": {"primary_color": "#3B82F6;}"}}, "theme.primary_color must be a colour such as #3B82F6"),
        ({"theme": {"mode": "neon"}}, "theme.mode must be 'auto', 'light' or 'dark'"),
        ({"language": "tlhIngan"}, "language must be a language such as en or pt-BR"),
        ({"quick_replies": [""]}, "quick_replies[0] must not be empty"),
        ({"quick_replies": ["x"] * 11}, "quick_replies must have at most 10 items"),
        ({"greeting": "x" * 501}, "greeting must have at most 500 characters"),
        ({"daily_budget": -1}, "daily_budget must be at least 0"),
    ],
)
async def test_a_wrong_change_names_the_field(joined: Joined, body: dict[str, Any], message: str) -> None:
    webchat_id = (await joined.make(PATH, CHANNEL))["webchat_id"]

    status, answer = await joined.ask("PATCH", f"{PATH}/{webchat_id}", body)

    assert status == 400
    assert answer["message"].startswith(message)


async def test_a_creation_under_the_same_key_opens_one_channel(joined: Joined) -> None:
    first, second = [await joined.ask("POST", PATH, CHANNEL, **{"Idempotency-Key": "chat-1"}) for _ in range(2)]

    assert first == second
    assert first[0] == 201


@pytest.mark.parametrize(
    ("query", "status", "told"),
    [
        ("", 400, "user_id query parameter is required"),
        ("?user_id=usr_nobody", 200, {"channels": [], "count": 0}),
    ],
)
async def test_a_list_needs_a_user_known_or_not(joined: Joined, query: str, status: int, told: Any) -> None:
    given, answer = await joined.ask("GET", f"{PATH}{query}")

    assert (given, answer.get("data", answer.get("message"))) == (status, told)
