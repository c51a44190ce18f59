"""`POST /api/v1/send`, credits and timelines over HTTP, with the real messaging behind them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.mongo import Client, Database
from tests.emptying import empty
from tests.eventually import eventually
from tests.gateway.routes.messaging_behind import OFFER, TEMPLATE, Dashboard, dashboard_on
from tests.messaging.meta import cut, refuse
from tests.messaging.stage import NUMBER, USER, template
from tests.servers import fresh_name

SEND = "/api/v1/send"
PHONE = "+14155551234"


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


def body(**changes: Any) -> dict[str, Any]:
    """The sample of the dashboard API."""
    sample = {
        "phone_number_id": NUMBER,
        "template_id": TEMPLATE.template_id,
        "contact": {
            "phone": PHONE,
            "name": "Sarah Johnson",
            "email": "sarah@example.com",
            "company": "TechCorp",
        },
        "variables": {"1": "Sarah Johnson", "2": "ORD-98765", "3": "shipped"},
    }
    return sample | changes


async def test_the_sample_is_sent(dashboard: Dashboard) -> None:
    status, answer = await dashboard.call("POST", SEND, body())

    assert status == 200
    assert set(answer) == {"success", "data", "timestamp", "correlationId"}
    data = answer["data"]
    assert list(data) == [
        "message_id",
        "contact_id",
        "conversation_id",
        "openai_conversation_id",
        "credits_remaining",
        "internal_message_id",
    ]
    assert data["message_id"] == "wamid.1"
    assert data["contact_id"].startswith("contact_")
    assert data["conversation_id"].startswith("conv_")
    assert data["openai_conversation_id"] is None
    assert data["credits_remaining"] == 99
    assert await dashboard.credits() == {"remaining_credits": 99, "total_used": 1}


async def test_the_contact_is_kept(dashboard: Dashboard) -> None:
    _, answer = await dashboard.call("POST", SEND, body())

    _, contact = await dashboard.call("GET", f"/api/v1/contacts/{answer['data']['contact_id']}")

    shown = {key: contact["data"][key] for key in ("phone", "name", "email", "company")}
    assert shown == body()["contact"]


async def test_numbers_are_values_too(dashboard: Dashboard) -> None:
    await dashboard.call("POST", SEND, body(variables={"customer_name": "Sarah", "order_id": 98765, "3": 1.5}))

    parameters = dashboard.stage.meta.calls[0].body["template"]["components"][0]["parameters"]
    assert [parameter["text"] for parameter in parameters] == ["Sarah", "98765", "1.5"]


async def test_the_same_key_sends_and_costs_once(dashboard: Dashboard) -> None:
    first = await dashboard.call("POST", SEND, body(), **{"Idempotency-Key": "k"})

    again = await dashboard.call("POST", SEND, body(), **{"Idempotency-Key": "k"})

    assert again == first
    assert len(dashboard.stage.meta.calls) == 1
    assert (await dashboard.credits())["remaining_credits"] == 99


async def test_metas_refusal_is_told_and_costs_nothing(dashboard: Dashboard) -> None:
    dashboard.stage.meta.will(refuse(131026, message="Message undeliverable"))

    status, answer = await dashboard.call("POST", SEND, body())

    assert (status, answer["error"], answer["code"]) == (502, "Bad Gateway", "upstream_rejected")
    assert answer["message"] == "(#131026) Message undeliverable (Meta code 131026)"
    assert answer["data"]["status"] == "failed"
    assert await dashboard.credits() == {"remaining_credits": 100, "total_used": 0}


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"phone_number_id": None}, 400, "phone_number_id"),
        ({"phone_number_id": "pn_unknown"}, 404, "Phone number not found"),
        ({"phone_number_id": {"$ne": ""}}, 400, "phone_number_id"),
        ({"template_id": "tpl_unknown"}, 404, "Template not found"),
        ({"template_id": "tpl_foreign"}, 404, "Template not found"),
        ({"template_id": "tpl_other_waba"}, 400, "another WhatsApp Business Account"),
        ({"template_id": "tpl_draft"}, 400, "only approved templates can be sent; this one is DRAFT"),
        ({"contact": None}, 400, "contact"),
        ({"contact": {"phone": "4155551234"}}, 400, "contact.phone must be a phone number in E.164 format"),
        ({"contact": {"phone": PHONE, "email": "nobody"}}, 400, "contact.email must be an e-mail address"),
        ({"variables": {}}, 400, "variables.1: a value for 1 (customer_name) is required"),
        ({"variables": {"1": "a", "2": "b", "3": "c", "4": "d"}}, 400, "variables.4: unknown variable"),
        ({"variables": {"1": "a\nb", "2": "b", "3": "c"}}, 400, "variables.1: must not contain line breaks"),
        ({"variables": {"$where": "1"}}, 400, "is not allowed"),
        ({"variables": {"1": True, "2": "b", "3": "c"}}, 400, "variables.1 must be a text or a number"),
        ({"variables": ["a", "b", "c"]}, 400, "variables must be an object"),
    ],
)
async def test_what_cannot_be_sent(dashboard: Dashboard, changes: dict[str, Any], status: int, words: str) -> None:
    own = TEMPLATE.model_dump()
    await dashboard.stage.know(
        template(**(own | {"template_id": "tpl_foreign", "user_id": "usr_2"})),
        template(**(own | {"template_id": "tpl_other_waba", "waba_id": "1"})),
        template(**(own | {"template_id": "tpl_draft", "status": "DRAFT"})),
    )

    got, answer = await dashboard.call("POST", SEND, body(**changes))

    assert got == status
    assert words in answer["message"]
    assert dashboard.stage.meta.calls == []
    assert await dashboard.credits() == {"remaining_credits": 100, "total_used": 0}


async def test_only_whatsapp_numbers_send_templates(dashboard: Dashboard) -> None:
    await dashboard.stage.add_number("pn_ig", platform="instagram", meta_phone_number_id="178414", waba_id=None)

    status, answer = await dashboard.call("POST", SEND, body(phone_number_id="pn_ig"))

    assert status == 400
    assert answer["message"] == "phone_number_id: templates can be sent from WhatsApp phone numbers only"


async def test_without_credits_nothing_is_sent(dashboard: Dashboard) -> None:
    await dashboard.stage.messaging.credits.ledger.reserve_run(USER, "camp_1", 0, 100)

    status, answer = await dashboard.call("POST", SEND, body())

    assert (status, answer["error"], answer["code"]) == (402, "Payment Required", "insufficient_credits")
    assert dashboard.stage.meta.calls == []


async def test_marketing_to_who_opted_out_is_refused(dashboard: Dashboard) -> None:
    _, first = await dashboard.call("POST", SEND, body())
    contact_id = first["data"]["contact_id"]
    await dashboard.call("POST", f"/api/v1/contacts/{contact_id}/opt-out", {"evidence": "by phone"})

    sending = asyncio.create_task(dashboard.call("POST", SEND, body(template_id=OFFER.template_id, variables={})))
    await eventually(lambda: dashboard.stage.database["messages"].find_one({"failure": "opted_out"}))
    await dashboard.stage.sweep()
    status, answer = await sending

    assert (status, answer["error"], answer["code"]) == (409, "Conflict", "opted_out")
    assert answer["message"] == "This contact has opted out of marketing messages"
    assert len(dashboard.stage.meta.calls) == 1
    assert (await dashboard.credits())["remaining_credits"] == 99


async def test_a_void_token_is_told_in_plain_words(dashboard: Dashboard) -> None:
    dashboard.stage.meta.will(refuse(190))
    await dashboard.call("POST", SEND, body())

    status, answer = await dashboard.call("POST", SEND, body())

    assert (status, answer["code"]) == (409, "phone_number_paused")
    assert answer["message"] == (
        "Meta no longer takes this phone number's access token; update access_token to send again"
    )


async def test_a_grant_adds_credits_once(dashboard: Dashboard) -> None:
    path = f"/admin/users/{USER}/credits"

    first = await dashboard.admin("POST", path, {"credits": 50, "note": "Invoice 17"}, **{"Idempotency-Key": "k"})
    again = await dashboard.admin("POST", path, {"credits": 50, "note": "Invoice 17"}, **{"Idempotency-Key": "k"})

    assert first[0] == 200
    assert first[1]["data"] == {"remaining_credits": 150, "total_used": 0, "total_granted": 150}
    assert again == first
    assert (await dashboard.credits())["remaining_credits"] == 150


@pytest.mark.parametrize(
    ("path", "grant", "status", "words"),
    [
        ("usr_unknown", {"credits": 1}, 404, "User not found"),
        (USER, {"credits": 0}, 400, "credits"),
        (USER, {"credits": 1.5}, 400, "credits"),
        (USER, {"credits": "many"}, 400, "credits"),
        (USER, {}, 400, "credits"),
    ],
)
async def test_a_grant_that_is_none(
    dashboard: Dashboard, path: str, grant: dict[str, Any], status: int, words: str
) -> None:
    got, answer = await dashboard.admin("POST", f"/admin/users/{path}/credits", grant)

    assert got == status
    assert words in answer["message"]


async def test_only_an_operator_grants_credits(dashboard: Dashboard) -> None:
    status, _ = await dashboard.call("POST", f"/admin/users/{USER}/credits", {"credits": 5})

    assert status == 401


async def test_a_timeline_tells_every_step_by_either_id_without_the_token(dashboard: Dashboard) -> None:
    _, sent = await dashboard.call("POST", SEND, body())
    ids = sent["data"]["internal_message_id"], sent["data"]["message_id"]

    answers = [await dashboard.call("GET", f"/api/v1/messages/{id_}/timeline") for id_ in ids]

    assert [status for status, _ in answers] == [200, 200]
    timeline = answers[0][1]["data"]
    assert answers[1][1]["data"] == timeline
    assert [step["what"] for step in timeline["steps"]] == ["accepted", "stored", "posted", "sent"]
    request = timeline["steps"][2]["request"]
    assert request["headers"]["Authorization"] == "Bearer ***"
    assert request["body"]["biz_opaque_callback_data"] == f"w1:{ids[0]}:1"
    assert timeline["steps"][3]["answer"]["body"] == {"messages": [{"id": "wamid.1"}]}


async def test_a_timeline_of_a_refused_message_tells_metas_answer(dashboard: Dashboard) -> None:
    dashboard.stage.meta.will(refuse(131026))
    _, refused = await dashboard.call("POST", SEND, body())

    _, answer = await dashboard.call("GET", f"/api/v1/messages/{refused['data']['internal_message_id']}/timeline")

    last = answer["data"]["steps"][-1]
    assert (last["what"], last["service"], last["note"]) == ("failed", "meta", "meta_131026")
    assert last["answer"]["body"]["error"]["code"] == 131026


async def test_a_timeline_of_an_unknown_outcome_says_so(dashboard: Dashboard) -> None:
    dashboard.stage.meta.will(cut)
    sending = asyncio.create_task(dashboard.call("POST", SEND, body()))
    messages = dashboard.stage.database["messages"]
    found = await eventually(lambda: messages.find_one({"state": "UNKNOWN"}))
    assert found is not None

    _, answer = await dashboard.call("GET", f"/api/v1/messages/{found['_id']}/timeline")

    assert answer["data"]["steps"][-1]["what"] == "outcome_unknown"
    sending.cancel()


@pytest.mark.parametrize("id_", ["65f0c0ffee65f0c0ffee65f0", "wamid.HBgL%3D%3D", "%24where", "a" * 300])
async def test_an_unknown_message_has_no_timeline(dashboard: Dashboard, id_: str) -> None:
    status, answer = await dashboard.call("GET", f"/api/v1/messages/{id_}/timeline")

    assert (status, answer["message"]) == (404, "Message not found")
