"""`/admin/prompts`."""

from typing import Any

import pytest

from tests.gateway.joined import USER, Joined

PROMPT: dict[str, Any] = {
    "user_id": USER,
    "prompt_id": "prompt_abc123",
    "instructions": "You answer for {{company}}. $set, {{a.b}} and €.",
    "model": "gpt-6-luna",
    "variables": {"company": "Acme"},
    "tools": [{"type": "function", "name": "find", "parameters": {"$ref": "#/$defs/a.b", "$defs": {"a.b": {}}}}],
}
PATH = f"/admin/prompts/prompt_abc123?user_id={USER}"
VARIABLE = "must have names of 1 to 64 letters, digits or _, not beginning with a digit"


async def test_a_registered_prompt_is_shown_as_it_was_given(joined: Joined) -> None:
    status, answer = await joined.ask("POST", "/admin/prompts", PROMPT)
    _, shown = await joined.ask("GET", PATH)
    _, listed = await joined.ask("GET", f"/admin/prompts?user_id={USER}")

    made = answer["data"]
    assert (status, list(made)) == (201, [*PROMPT, "version", "created_at", "updated_at"])
    assert {name: made[name] for name in PROMPT} == PROMPT
    assert made["version"] == 1
    assert shown["data"] == made
    assert listed["data"] == [made]


async def test_what_is_left_open_is_left_to_the_configuration(joined: Joined) -> None:
    made = await joined.make("/admin/prompts", {"user_id": USER, "prompt_id": "p", "instructions": "Be brief."})

    assert (made["model"], made["variables"], made["tools"]) == (None, {}, [])


async def test_each_change_is_a_version_and_leaves_the_rest(joined: Joined) -> None:
    await joined.ask("POST", "/admin/prompts", PROMPT)

    await joined.ask("PATCH", PATH, {"instructions": "$literal"})
    status, answer = await joined.ask("PATCH", PATH, {"model": None, "variables": {}})

    changed = answer["data"]
    assert (status, changed["version"], changed["model"], changed["variables"]) == (200, 3, None, {})
    assert (changed["instructions"], changed["tools"]) == ("$literal", PROMPT["tools"])
    stored = await joined.database["prompts"].find_one({})
    assert stored is not None
    assert [each["version"] for each in stored["earlier"]] == [1, 2]
    assert stored["earlier"][0]["instructions"] == PROMPT["instructions"]


async def test_a_prompt_is_registered_once_for_each_user(joined: Joined) -> None:
    await joined.make_user("usr_2")
    await joined.ask("POST", "/admin/prompts", PROMPT)

    status, answer = await joined.ask("POST", "/admin/prompts", PROMPT)
    others, _ = await joined.ask("POST", "/admin/prompts", PROMPT | {"user_id": "usr_2"})

    assert (status, answer["message"]) == (409, "A prompt with prompt_id prompt_abc123 already exists")
    assert others == 201


async def test_a_registration_under_the_same_key_is_done_once(joined: Joined) -> None:
    first, second = [
        await joined.ask("POST", "/admin/prompts", PROMPT, **{"Idempotency-Key": "prompt-1"}) for _ in range(2)
    ]

    assert first == second
    assert first[0] == 201


async def test_a_forgotten_prompt_is_gone(joined: Joined) -> None:
    await joined.ask("POST", "/admin/prompts", PROMPT)

    status, answer = await joined.ask("DELETE", PATH)

    assert (status, answer["message"]) == (200, "Prompt deleted successfully")
    for method, body in (("GET", None), ("PATCH", {"instructions": "x"}), ("DELETE", None)):
        status, answer = await joined.ask(method, PATH, body)
        assert (status, answer["message"]) == (404, "Prompt not found")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"user_id": None}, "user_id is required"),
        ({"prompt_id": "a b"}, "prompt_id must have 1 to 128 letters, digits or _ . : + @ -"),
        ({"instructions": None}, "instructions is required"),
        ({"instructions": " "}, "instructions must not be empty"),
        ({"model": "gpt 6"}, "model must be the name of a model, with letters, digits or _ . : / -"),
        ({"variables": {"$where": "1"}}, f"variables {VARIABLE}"),
        ({"variables": {"a.b": "1"}}, f"variables {VARIABLE}"),
        ({"variables": {"a": 1}}, "variables.a must be a string"),
        ({"tools": {}}, "tools must be an array"),
        ({"tools": ["web_search"]}, "tools[0] must be an object"),
    ],
)
async def test_a_wrong_prompt_names_the_field(joined: Joined, change: dict[str, Any], message: str) -> None:
    status, answer = await joined.ask("POST", "/admin/prompts", PROMPT | change)

    assert (status, answer["message"]) == (400, message)


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "/admin/prompts", 400, "user_id query parameter is required"),
        ("GET", "/admin/prompts/p", 400, "user_id query parameter is required"),
        ("GET", f"/admin/prompts/p?user_id={USER}", 404, "Prompt not found"),
        ("DELETE", "/admin/prompts/p?user_id=usr_nobody", 404, "Prompt not found"),
    ],
)
async def test_a_prompt_is_known_by_its_user_and_its_id(
    joined: Joined, method: str, path: str, status: int, message: str
) -> None:
    given, answer = await joined.ask(method, path)

    assert (given, answer["message"]) == (status, message)


async def test_a_prompt_needs_a_known_user(joined: Joined) -> None:
    status, answer = await joined.ask("POST", "/admin/prompts", PROMPT | {"user_id": "usr_nobody"})

    assert (status, answer["message"]) == (404, "User not found")


async def test_a_number_that_no_store_holds_is_refused_wherever_a_tool_has_it(joined: Joined) -> None:
    await joined.ask("POST", "/admin/prompts", PROMPT)
    tool = {"type": "function", "name": "look", "parameters": {"maximum": 10**20}}

    for method, path, body in (("PATCH", PATH, {}), ("POST", "/admin/prompts", PROMPT | {"prompt_id": "p_2"})):
        status, answer = await joined.ask(method, path, body | {"tools": [tool]})

        assert (status, answer["message"]) == (400, "tools holds a number that is too long")
