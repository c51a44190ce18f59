"""The life of a template: created, reviewed, edited, paged through, deleted."""

from typing import Any

import pytest

from tests.eventually import eventually

from .conftest import WABA, Sandbox, error_of

PATH = f"/v23.0/{WABA}/message_templates"
BODY = {"type": "BODY", "text": "Hi {{1}}, your order is {{2}}. Thank you.", "example": {"body_text": [["A", "B"]]}}


def template(name: str, *components: dict[str, Any], **more: Any) -> dict[str, Any]:
    parts = list(components) or [BODY]
    return {"name": name, "language": "en_US", "category": "UTILITY", "components": parts} | more


async def create(sandbox: Sandbox, name: str, *components: dict[str, Any], **more: Any) -> tuple[int, Any]:
    return await sandbox.call("POST", PATH, template(name, *components, **more))


async def names(sandbox: Sandbox, query: str = "") -> list[str]:
    return [row["name"] for row in (await sandbox.get(f"{PATH}?limit=100{query}"))["data"]]


async def test_a_new_account_has_templates_of_every_kind(sandbox: Sandbox) -> None:
    rows = (await sandbox.get(PATH))["data"]

    assert {row["status"] for row in rows} == {"APPROVED"}
    assert {row["category"] for row in rows} == {"UTILITY", "MARKETING", "AUTHENTICATION"}
    assert {"hello_world", "order_confirmation", "otp_message"} <= {row["name"] for row in rows}


async def test_a_created_template_is_pending_then_approved_and_can_be_sent(sandbox: Sandbox) -> None:
    status, created = await create(sandbox, "order_update")
    assert (status, created) == (200, {"id": created["id"], "status": "PENDING", "category": "UTILITY"})

    await eventually(lambda: sandbox.product.template_events() == ["APPROVED"])

    value = sandbox.product.values("message_template_status_update")[0]
    entry = sandbox.product.entries()[0]
    assert value["message_template_id"] == int(created["id"])
    assert (value["message_template_name"], value["message_template_language"]) == ("order_update", "en_US")
    assert (value["reason"], value["message_template_category"]) == ("NONE", "UTILITY")
    assert (entry["id"], type(entry["time"])) == (WABA, int)
    texts = [{"type": "text", "text": "A"}, {"type": "text", "text": "B"}]
    assert (await sandbox.send_template("order_update", [{"type": "body", "parameters": texts}]))[0] == 200


async def test_a_template_is_rejected_for_the_reason_in_its_name(sandbox: Sandbox) -> None:
    await create(sandbox, "sim_reject_promotional")
    await eventually(lambda: sandbox.product.template_events() == ["REJECTED"])

    rows = (await sandbox.get(f"{PATH}?name=sim_reject_promotional&fields=status,rejected_reason"))["data"]
    assert [(row["status"], row["rejected_reason"]) for row in rows] == [("REJECTED", "PROMOTIONAL")]


async def test_adjacent_variables_are_rejected_by_review_with_advice(sandbox: Sandbox) -> None:
    text = "Hi {{1}}{{2}} and welcome to us."
    body = {"type": "BODY", "text": text, "example": {"body_text": [["A", "B"]]}}

    await create(sandbox, "adjacent", body)
    await eventually(lambda: sandbox.product.template_events() == ["REJECTED"])

    value = sandbox.product.values("message_template_status_update")[0]
    assert value["reason"] == "INVALID_FORMAT"
    assert value["rejection_info"]["recommendation"]


async def test_reviews_reject_when_asked(sandbox: Sandbox) -> None:
    await sandbox.set_faults(reject_templates=1)

    await create(sandbox, "order_update")

    await eventually(lambda: sandbox.product.template_events() == ["REJECTED"])


async def test_a_template_may_never_be_reviewed_or_at_its_own_time(sandbox: Sandbox) -> None:
    await create(sandbox, "sim_pending_a")
    await create(sandbox, "sim_delay_0s")

    await eventually(lambda: sandbox.product.template_events() == ["APPROVED"])

    assert await names(sandbox, "&status=pending") == ["sim_pending_a"]


async def test_the_answered_category_may_differ(sandbox: Sandbox) -> None:
    _, created = await create(sandbox, "sim_recat_marketing")

    assert created["category"] == "MARKETING"


async def test_the_category_may_change_later_after_an_announcement(sandbox: Sandbox) -> None:
    await create(sandbox, "sim_delay_0s_sim_recat_later_1s")
    await eventually(lambda: len(sandbox.product.values("template_category_update")) == 2)

    announced, changed = sandbox.product.values("template_category_update")
    assert (announced["new_category"], announced["correct_category"]) == ("UTILITY", "MARKETING")
    assert (changed["previous_category"], changed["new_category"]) == ("UTILITY", "MARKETING")


async def test_a_template_may_be_paused_after_some_sends(sandbox: Sandbox) -> None:
    await create(sandbox, "sim_delay_0s_sim_pause_after_2", {"type": "BODY", "text": "Hello there"})
    await eventually(lambda: sandbox.product.template_events() == ["APPROVED"])

    answers = [await sandbox.send_template("sim_delay_0s_sim_pause_after_2") for _ in range(3)]

    await eventually(lambda: sandbox.product.template_events() == ["APPROVED", "PAUSED"])
    assert [status for status, _ in answers] == [200, 200, 400]
    assert error_of(answers[2])["code"] == 132015


async def test_a_template_may_be_disabled_after_its_approval(sandbox: Sandbox) -> None:
    await create(sandbox, "sim_disable_a")

    await eventually(lambda: sandbox.product.template_events() == ["APPROVED", "DISABLED"])


async def test_an_edit_is_reviewed_again(sandbox: Sandbox) -> None:
    _, created = await create(sandbox, "sim_delay_0s")
    await eventually(lambda: sandbox.product.template_events() == ["APPROVED"])
    edited = {"components": [{"type": "body", "text": "Hello again"}]}

    answer = await sandbox.call("POST", f"/v23.0/{created['id']}", edited)
    await eventually(lambda: sandbox.product.template_events() == ["APPROVED", "APPROVED"])

    node = await sandbox.get(f"/v23.0/{created['id']}")
    assert answer == (200, {"success": True})
    assert node["components"] == [{"type": "BODY", "text": "Hello again"}]


async def test_a_pending_template_cannot_be_edited(sandbox: Sandbox) -> None:
    _, created = await create(sandbox, "sim_pending_a")

    answer = await sandbox.call("POST", f"/v23.0/{created['id']}", {"components": [BODY]})

    assert error_of(answer)["error_subcode"] == 2388039


async def test_pages_follow_one_another_without_gap_or_overlap(sandbox: Sandbox) -> None:
    everything = (await sandbox.get(f"{PATH}?limit=100"))["data"]
    page = await sandbox.get(f"{PATH}?limit=5&fields=name")
    seen = page["data"]
    while "next" in page["paging"]:
        assert "access_token=EAAtest" in page["paging"]["next"]
        page = await sandbox.get(f"{PATH}?limit=5&after={page['paging']['cursors']['after']}")
        seen += page["data"]

    assert [row["id"] for row in seen] == [row["id"] for row in everything]
    assert set(seen[0]) == {"name", "id"}
    back = await sandbox.get(f"{PATH}?limit=5&before={page['paging']['cursors']['before']}")
    assert back["data"][-1]["id"] == everything[-len(page["data"]) - 1]["id"]


async def test_a_bad_cursor_is_131059(sandbox: Sandbox) -> None:
    answer = await sandbox.call("GET", f"{PATH}?after=QVFIU")

    assert (answer[0], error_of(answer)["code"]) == (400, 131059)


async def test_the_list_is_filtered(sandbox: Sandbox) -> None:
    assert await names(sandbox, "&name=appointment_reminder") == ["appointment_reminder"] * 2
    assert await names(sandbox, "&name=appointment_reminder&language=bn") == ["appointment_reminder"]
    assert await names(sandbox, "&status=rejected") == []


async def test_a_name_is_deleted_in_all_languages_and_an_id_alone(sandbox: Sandbox) -> None:
    hello = (await sandbox.get(f"{PATH}?name=hello_world"))["data"][0]

    by_name = await sandbox.call("DELETE", f"{PATH}?name=appointment_reminder")
    by_id = await sandbox.call("DELETE", f"{PATH}?hsm_id={hello['id']}&name=hello_world")
    again = await sandbox.call("DELETE", f"{PATH}?name=appointment_reminder")

    assert (by_name, by_id, again[0]) == ((200, {"success": True}), (200, {"success": True}), 400)
    assert not {"appointment_reminder", "hello_world"} & set(await names(sandbox))
    assert error_of(await sandbox.send_template("hello_world"))["code"] == 132001


async def test_an_authentication_template_comes_back_with_its_preset_texts_and_a_url_button(sandbox: Sandbox) -> None:
    parts: list[dict[str, Any]] = [
        {"type": "body", "add_security_recommendation": True},
        {"type": "footer", "code_expiration_minutes": 10},
        {"type": "buttons", "buttons": [{"type": "otp", "otp_type": "copy_code", "text": "Copy"}]},
    ]

    _, created = await create(sandbox, "code", *parts, category="AUTHENTICATION")

    body, footer, buttons = (await sandbox.get(f"/v23.0/{created['id']}"))["components"]
    assert body["text"] == "*{{1}}* is your verification code. For your security, do not share this code."
    assert footer["text"] == "This code expires in 10 minutes."
    assert (buttons["buttons"][0]["type"], buttons["buttons"][0]["text"]) == ("URL", "Copy")


def buttons(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"type": "BUTTONS", "buttons": list(rows)}


def body(text: str, *examples: str) -> dict[str, Any]:
    return {"type": "BODY", "text": text} | ({"example": {"body_text": [list(examples)]}} if examples else {})


QUICK = {"type": "QUICK_REPLY", "text": "Yes"}
LINK = {"type": "URL", "text": "Go", "url": "https://example.com"}
REFUSED: dict[str, tuple[list[dict[str, Any]], int | None]] = {
    "no body": ([{"type": "FOOTER", "text": "A"}], 2388072),
    "body too long": ([body("x" * 1025)], 2388040),
    "no example": ([body("Hi {{1}}, welcome to us.")], 2388043),
    "variable at the start": ([body("{{1}} welcome to us", "Ana")], 2388299),
    "variable at the end": ([body("Welcome to us {{1}}", "Ana")], 2388299),
    "numbers out of order": ([body("Hi {{2}}, welcome to us.", "Ana")], 2388072),
    "too many variables": ([body("a {{1}} {{2}} {{3}} b", "A", "B", "C")], 2388293),
    "header without format": ([BODY, {"type": "HEADER", "text": "A"}], 2388047),
    "header too long": ([BODY, {"type": "HEADER", "format": "TEXT", "text": "x" * 61}], 2388040),
    "picture without sample": ([BODY, {"type": "HEADER", "format": "IMAGE"}], 2388043),
    "variable in the footer": ([BODY, {"type": "FOOTER", "text": "Hi {{1}} there"}], 2388073),
    "link to WhatsApp": ([BODY, buttons(LINK | {"url": "https://wa.me/1415"})], 2388081),
    "button text too long": ([BODY, buttons(QUICK | {"text": "x" * 26})], 2388040),
    "link without example": ([BODY, buttons(LINK | {"url": "https://example.com/{{1}}"})], 2388043),
    "scattered quick replies": ([BODY, buttons(QUICK, LINK, QUICK)], None),
    "three links": ([BODY, buttons(LINK, LINK, LINK)], None),
    "one card": ([BODY, {"type": "CAROUSEL", "cards": [{"components": [BODY]}]}], None),
}


@pytest.mark.parametrize(("components", "subcode"), REFUSED.values(), ids=REFUSED)
async def test_content_that_meta_refuses_at_once_has_its_subcode(
    sandbox: Sandbox, components: list[dict[str, Any]], subcode: int | None
) -> None:
    answer = await create(sandbox, "mine", *components)

    error = error_of(answer)
    assert (answer[0], error["code"], error.get("error_subcode")) == (400, 100, subcode)
    assert error["error_user_title"]
    assert error["error_user_msg"]
    assert await names(sandbox, "&name=mine") == []


async def test_a_name_and_language_exist_once(sandbox: Sandbox) -> None:
    answer = await create(sandbox, "hello_world")

    assert error_of(answer)["error_subcode"] == 2388024


async def test_creation_fails_with_the_subcode_in_the_name(sandbox: Sandbox) -> None:
    answer = await create(sandbox, "sim_create_err_2388019")

    assert error_of(answer)["error_subcode"] == 2388019


@pytest.mark.parametrize("change", [{"name": "Bad Name"}, {"language": "english"}, {"category": "SPAM"}])
async def test_a_bad_name_language_or_category_is_refused(sandbox: Sandbox, change: dict[str, Any]) -> None:
    answer = await sandbox.call("POST", PATH, template("mine") | change)

    assert (answer[0], error_of(answer)["code"]) == (400, 100)


async def test_in_the_profile_meta_a_deleted_name_stays_locked(sandbox: Sandbox) -> None:
    await sandbox.set_faults(profile="meta", latency_ms=0)
    await sandbox.call("DELETE", f"{PATH}?name=hello_world")

    answer = await create(sandbox, "hello_world")

    assert error_of(answer)["error_subcode"] == 2388023


async def test_a_template_is_registered_as_it_stands(sandbox: Sandbox) -> None:
    row = template("mine", {"type": "BODY", "text": "Hello {{who}} there"}, waba_id="77", parameter_format="named")

    status, registered = await sandbox.call("POST", "/_sandbox/templates", row)
    bad = await sandbox.call("POST", "/_sandbox/templates", row | {"category": "SPAM"})

    node = await sandbox.get(f"/v23.0/{registered['id']}")
    assert (status, registered["status"], node["parameter_format"]) == (200, "APPROVED", "NAMED")
    assert (bad[0], error_of(bad)["field"]) == (400, "category")


async def test_a_number_shows_its_fields(sandbox: Sandbox) -> None:
    node = await sandbox.get("/v23.0/106540352242922")
    asked = await sandbox.get("/v23.0/106540352242922?fields=status,quality_rating")

    assert set(node) == {
        "verified_name", "code_verification_status", "display_phone_number", "quality_rating", "id"
    }  # fmt: skip
    assert asked == {"status": "CONNECTED", "quality_rating": "GREEN", "id": "106540352242922"}


async def test_an_app_is_subscribed_to_an_account(sandbox: Sandbox) -> None:
    path = f"/v23.0/{WABA}/subscribed_apps"

    before = await sandbox.get(path)
    answer = await sandbox.call("POST", path)
    after = await sandbox.get(path)

    assert (before, answer) == ({"data": []}, (200, {"success": True}))
    assert after["data"][0]["whatsapp_business_api_data"]["id"] == "1234"
