"""`/api/v1/phone-numbers/:id`: shown with its agent, changed, deleted, tested."""

from typing import Any

import pytest

from services.gateway.settings import GatewaySettings
from shared.contracts.numbers import DeletePhoneNumber, HoldNumber, ReleaseNumber
from tests.gateway.conftest import ENVIRONMENT
from tests.gateway.joined import USER, Joined

KEYS = ["id", "user_id", "platform", "meta_phone_number_id", "display_name", "waba_id", "created_at", "updated_at"]
HELD = "Cannot delete phone number while a campaign is running, scheduled or paused on it. Cancel the campaign first."


async def test_a_number_is_shown_with_its_agent(joined: Joined) -> None:
    number = await joined.make_number()
    agent = await joined.make_agent(number["id"])

    _, answer = await joined.ask("GET", f"/api/v1/phone-numbers/{number['id']}")

    assert list(answer["data"])[:9] == [*KEYS, "agent"]
    assert answer["data"]["agent"] == {
        "agent_id": agent["agent_id"],
        "name": "Support",
        "prompt_id": "prompt_abc123",
        "created_at": agent["created_at"],
    }


async def test_a_change_shows_the_number_as_documented(joined: Joined) -> None:
    number = await joined.make_number()

    status, answer = await joined.ask(
        "PATCH", f"/api/v1/phone-numbers/{number['id']}", {"access_token": "EAAnew", "display_name": "Main Line"}
    )

    assert (status, list(answer["data"])[:8]) == (200, KEYS)
    assert answer["data"]["display_name"] == "Main Line"
    assert answer["data"]["updated_at"] > number["updated_at"]
    assert "EAA" not in str(answer)


async def test_a_new_token_is_sealed_before_it_travels(joined: Joined) -> None:
    number = await joined.make_number()

    await joined.ask("PATCH", f"/api/v1/phone-numbers/{number['id']}", {"access_token": "EAAnew"})

    stored = await joined.database["phone_numbers"].find_one({"_id": number["id"]})
    ring = GatewaySettings.from_env(ENVIRONMENT).key_ring
    assert stored is not None
    assert ring.open(stored["sealed_access_token"], owner_id=number["id"], field="access_token") == "EAAnew"
    assert "EAAnew" not in str(joined.bus.sent)


async def test_the_rate_of_a_number_can_be_changed(joined: Joined) -> None:
    number = await joined.make_number()

    _, changed = await joined.ask("PATCH", f"/api/v1/phone-numbers/{number['id']}", {"messages_per_second": 250})
    _, shown = await joined.ask("GET", f"/api/v1/phone-numbers/{number['id']}")

    assert changed["data"]["messages_per_second"] == shown["data"]["messages_per_second"] == 250


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "Nothing to change: give access_token, display_name, waba_id, messages_per_second or enforce_window"),
        (
            {"colour": "red"},
            "Nothing to change: give access_token, display_name, waba_id, messages_per_second or enforce_window",
        ),
        ({"access_token": ""}, "access_token must have 1 to 4096 printable characters without spaces"),
        ({"access_token": "a b"}, "access_token must have 1 to 4096 printable characters without spaces"),
        ({"display_name": " "}, "display_name must not be empty"),
        ({"display_name": "x" * 201}, "display_name must have at most 200 characters"),
        ({"waba_id": "../1"}, "waba_id must have 1 to 64 letters, digits, _ or -"),
        ({"messages_per_second": 0}, "messages_per_second must be at least 1"),
        ({"messages_per_second": 1001}, "messages_per_second must be at most 1000"),
        ({"messages_per_second": "80"}, "messages_per_second must be an integer"),
        ({"access_token": {"$ne": ""}}, "access_token must be a string"),
    ],
)
async def test_a_wrong_change_names_the_field(joined: Joined, body: dict[str, Any], message: str) -> None:
    number = await joined.make_number()

    status, answer = await joined.ask("PATCH", f"/api/v1/phone-numbers/{number['id']}", body)

    assert (status, answer["error"], answer["message"]) == (400, "Bad Request", message)


async def test_an_account_is_only_for_whatsapp(joined: Joined) -> None:
    number = await joined.make_number(platform="instagram", waba_id=None)

    status, answer = await joined.ask("PATCH", f"/api/v1/phone-numbers/{number['id']}", {"waba_id": "42"})

    assert (status, answer["message"]) == (400, "waba_id is only for WhatsApp phone numbers")
    assert answer["details"] == [{"field": "waba_id", "message": "waba_id is only for WhatsApp phone numbers"}]


async def test_another_users_account_is_refused(joined: Joined) -> None:
    await joined.make_user("usr_2")
    await joined.make_number(user_id="usr_2", meta_phone_number_id="2", waba_id="42")
    number = await joined.make_number()

    status, answer = await joined.ask("PATCH", f"/api/v1/phone-numbers/{number['id']}", {"waba_id": "42"})

    assert (status, answer["error"]) == (409, "Conflict")


async def test_an_account_that_was_given_by_mistake_is_free_for_its_owner(joined: Joined) -> None:
    await joined.make_user("usr_2")
    number = await joined.make_number(waba_id="42")

    await joined.ask("PATCH", f"/api/v1/phone-numbers/{number['id']}", {"waba_id": "43"})

    assert (await joined.make_number(user_id="usr_2", meta_phone_number_id="2", waba_id="42"))["waba_id"] == "42"


async def test_a_deleted_number_is_gone_and_its_meta_id_can_be_added_again(joined: Joined) -> None:
    number = await joined.make_number()

    status, answer = await joined.ask("DELETE", f"/api/v1/phone-numbers/{number['id']}")
    again = await joined.make_number()

    assert (status, answer["success"], answer["message"]) == (200, True, "Phone number deleted successfully")
    assert set(answer) == {"success", "message", "timestamp", "correlationId"}
    assert again["id"] != number["id"]
    for method, body in (("GET", None), ("PATCH", {"display_name": "x"}), ("DELETE", None)):
        status, answer = await joined.ask(method, f"/api/v1/phone-numbers/{number['id']}", body)
        assert (status, answer["message"]) == (404, "Phone number not found")
    _, listed = await joined.ask("GET", f"/api/v1/phone-numbers?user_id={USER}")
    assert [each["id"] for each in listed["data"]] == [again["id"]]


async def test_the_keys_of_a_deleted_number_are_revoked(joined: Joined) -> None:
    number, kept = await joined.make_number(), await joined.make_number(meta_phone_number_id="2")
    await make_key(joined, number)
    of_another = await make_key(joined, kept)

    await joined.ask("DELETE", f"/api/v1/phone-numbers/{number['id']}")

    assert await live_keys(joined) == [of_another]


async def test_a_number_that_is_not_deleted_keeps_its_keys(joined: Joined) -> None:
    number = await joined.make_number()
    key = await make_key(joined, number)
    await joined.bus.request(
        HoldNumber(phone_number_id=number["id"], user_id=USER, holder="camp_1"), timeout_seconds=30
    )

    status, _ = await joined.ask("DELETE", f"/api/v1/phone-numbers/{number['id']}")

    assert (status, await live_keys(joined)) == (409, [key])


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", "/api/v1/phone-numbers/{number}"), ("GET", f"/admin/api-keys?user_id={USER}")]
)
async def test_keys_that_outlived_their_number_by_a_crash_are_revoked_later(
    joined: Joined, method: str, path: str
) -> None:
    number = await joined.make_number()
    await make_key(joined, number)
    await joined.bus.request(DeletePhoneNumber(phone_number_id=number["id"]), timeout_seconds=30)  # and no more

    _, answer = await joined.ask(method, path.format(number=number["id"]))

    assert answer.get("data", []) == []
    assert await live_keys(joined) == []


async def make_key(joined: Joined, number: dict[str, Any]) -> str:
    """The id of a new key for a number."""
    body = {"user_id": USER, "phone_number_id": number["id"], "name": "Shop"}
    return str((await joined.make("/admin/api-keys", body))["key_id"])


async def live_keys(joined: Joined) -> list[str]:
    """Ids of keys that are not revoked, as they are stored."""
    found = joined.database.api_keys.find({"revoked_at": None})
    return [document["_id"] async for document in found]


async def test_what_stays_of_a_deleted_number_holds_no_token(joined: Joined) -> None:
    number = await joined.make_number()

    await joined.ask("DELETE", f"/api/v1/phone-numbers/{number['id']}")

    stored = await joined.database["phone_numbers"].find_one({"_id": number["id"]})
    assert stored is not None
    assert (stored["sealed_access_token"], stored["archived_meta_phone_number_id"]) == (None, "1234567890")


async def test_a_number_with_an_agent_is_not_deleted(joined: Joined) -> None:
    number = await joined.make_number()
    await joined.make_agent(number["id"])

    status, answer = await joined.ask("DELETE", f"/api/v1/phone-numbers/{number['id']}")

    assert (status, answer["error"]) == (409, "Conflict")
    assert answer["message"] == "Cannot delete phone number with an active agent. Delete the agent first."


async def test_a_number_that_a_campaign_holds_is_not_deleted(joined: Joined) -> None:
    number = await joined.make_number()
    path = f"/api/v1/phone-numbers/{number['id']}"
    hold = HoldNumber(phone_number_id=number["id"], user_id=USER, holder="camp_1")
    await joined.bus.request(hold, timeout_seconds=30)

    status, answer = await joined.ask("DELETE", path)
    await joined.bus.request(ReleaseNumber(phone_number_id=number["id"], holder="camp_1"), timeout_seconds=30)

    assert (status, answer["message"]) == (409, HELD)
    assert (await joined.ask("DELETE", path))[0] == 200


@pytest.mark.parametrize(("method", "done"), [("PATCH", "changed"), ("DELETE", "deleted")])
async def test_a_web_chats_number_is_changed_and_deleted_with_its_channel(
    joined: Joined, method: str, done: str
) -> None:
    body = {"user_id": USER, "prompt_id": "prompt_1", "name": "Chat"}
    channel = await joined.make("/api/v1/webchat/channels", body)

    status, answer = await joined.ask(
        method, f"/api/v1/phone-numbers/{channel['phone_number_id']}", {"display_name": "x"}
    )

    where = f"{method} /api/v1/webchat/channels/{channel['webchat_id']}"
    message = f"This number belongs to a webchat channel and is {done} with it: {where}"
    assert (status, answer["message"]) == (409, message)


async def test_a_web_chats_number_is_listed_only_when_asked_for(joined: Joined) -> None:
    number = await joined.make_number()
    channel = await joined.make("/api/v1/webchat/channels", {"user_id": USER, "prompt_id": "p", "name": "Chat"})

    _, usual = await joined.ask("GET", f"/api/v1/phone-numbers?user_id={USER}")
    _, webchat = await joined.ask("GET", f"/api/v1/phone-numbers?user_id={USER}&platform=webchat")

    assert [each["id"] for each in usual["data"]] == [number["id"]]
    assert [each["id"] for each in webchat["data"]] == [channel["phone_number_id"]]


async def verify(joined: Joined, number_id: str) -> dict[str, Any]:
    """What a test of the connection says."""
    status, answer = await joined.ask("POST", f"/api/v1/phone-numbers/{number_id}/verify")
    assert status == 200, answer
    found: dict[str, Any] = answer["data"]
    return found


async def test_a_number_that_works_passes_every_check(joined: Joined) -> None:
    number = await joined.make_number()
    await joined.numbers.subscribe_wabas()

    found = await verify(joined, number["id"])

    assert found == {
        "ok": True,
        "checks": [
            {"name": "access_token", "ok": True, "message": "Meta accepts the access token."},
            {"name": "phone_number", "ok": True, "message": "Meta knows it as +1 555-456-7890, quality GREEN."},
            {"name": "waba", "ok": True, "message": "The number belongs to account 9876543210."},
            {
                "name": "webhook_subscription",
                "ok": True,
                "message": "An app is subscribed to account 9876543210's webhooks.",
            },
        ],
    }


async def test_a_subscription_that_is_missing_is_named(joined: Joined) -> None:
    number = await joined.make_number()

    found = await verify(joined, number["id"])

    assert found["ok"] is False
    assert [check["name"] for check in found["checks"] if not check["ok"]] == ["webhook_subscription"]


async def test_a_token_that_meta_refuses_is_named_with_the_remedy(joined: Joined) -> None:
    number = await joined.make_number(access_token="EAASIM-expired")

    found = await verify(joined, number["id"])

    assert found["checks"][0]["ok"] is False
    assert found["checks"][0]["message"].startswith("Meta does not accept the access token (")
    assert "PATCH /api/v1/phone-numbers/:id" in found["checks"][0]["message"]
    assert "EAASIM-expired" not in str(found)


async def test_an_instagram_account_is_asked_after_by_itself(joined: Joined) -> None:
    number = await joined.make_number(platform="instagram", waba_id=None, meta_phone_number_id="17841234567890")

    found = await verify(joined, number["id"])

    assert (found["ok"], [check["name"] for check in found["checks"]]) == (True, ["access_token", "phone_number"])


async def test_a_web_chat_needs_nothing_from_meta(joined: Joined) -> None:
    channel = await joined.make("/api/v1/webchat/channels", {"user_id": USER, "prompt_id": "p", "name": "Chat"})

    assert (await verify(joined, channel["phone_number_id"]))["ok"] is True


async def test_an_unknown_number_cannot_be_tested(joined: Joined) -> None:
    status, answer = await joined.ask("POST", "/api/v1/phone-numbers/pn_nobody/verify")

    assert (status, answer["message"]) == (404, "Phone number not found")
