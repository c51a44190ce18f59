"""Campaign batches: every recipient ends in one event, nobody is called twice, and each gets what is theirs."""

from datetime import timedelta

import pytest
from aiohttp import web

from services.messaging.domain.messages import conversation_id
from shared.contracts.content import CarouselCard, CarouselTemplateContent, TemplateContent
from shared.contracts.messaging import BatchMessage
from shared.errors import BusUnavailableError
from tests.messaging.doubles import NOON
from tests.messaging.meta import Call, cut, refuse
from tests.messaging.stage import NUMBER, USER, Stage, batch, message_id, recipient, template

FIFTY = range(1, 51)


async def test_fifty_recipients_are_sent_and_announced_with_their_campaign(stage: Stage) -> None:
    await stage.bus.send(batch(FIFTY))
    await stage.drain()

    assert await stage.states() == ["SENT"] * 50
    assert {item.recipient_id for item in stage.sent()} == {f"rcp_{number}" for number in FIFTY}
    assert {(item.campaign_id, item.source, item.type) for item in stage.sent()} == {("cmp_1", "campaign", "template")}
    assert await stage.database["messages"].count_documents({"wake_at": {"$exists": True}}) == 0


async def test_a_group_is_announced_by_few_events_and_not_by_one_for_each_message(stage: Stage) -> None:
    await stage.bus.send(batch(FIFTY))
    await stage.drain()

    assert len([event for event in stage.bus.published if type(event).__name__ == "MessagesSent"]) <= 5


async def test_a_redelivered_batch_sends_nobody_twice(stage: Stage) -> None:
    await stage.bus.send(batch(range(1, 11)))

    await stage.bus.send(batch(range(1, 11)))
    await stage.drain()

    assert len(stage.meta.calls) == 10
    assert len(stage.sent()) == 10


async def test_a_recipient_that_stands_twice_in_a_batch_is_called_once(stage: Stage) -> None:
    await stage.bus.send(batch([1, 2, 1]))
    await stage.drain()

    assert sorted(stage.meta.opaques()) == sorted([f"w1:{message_id(1)}:1", f"w1:{message_id(2)}:1"])
    assert len(stage.sent()) == 2


async def test_each_recipient_gets_their_own_values(stage: Stage) -> None:
    await stage.bus.send(batch([1, 2]))
    await stage.drain()

    texts = {
        call.body["to"]: call.body["template"]["components"][0]["parameters"][0]["text"] for call in stage.meta.calls
    }
    assert texts == {recipient(1): "name 1", recipient(2): "name 2"}


async def test_a_recipients_values_complete_those_that_all_share(stage: Stage) -> None:
    body = {"type": "BODY", "text": "Hello {{1}}, {{2}} off."}
    await stage.know(template("offer", components=(body,)))

    await stage.bus.send(batch([1], TemplateContent(name="offer", variables={"1": "friend", "2": "20 %"})))
    await stage.drain()

    (call,) = stage.meta.calls
    parameters = call.body["template"]["components"][0]["parameters"]
    assert [parameter["text"] for parameter in parameters] == ["name 1", "20 %"]


async def test_a_carousels_bubble_takes_a_recipients_values_too(stage: Stage) -> None:
    card = {"components": [{"type": "BODY", "text": "One."}]}
    components = ({"type": "BODY", "text": "Hello {{1}}."}, {"type": "CAROUSEL", "cards": [card, card]})
    await stage.know(template("summer", components=components))
    cards = (CarouselCard(card_index=0), CarouselCard(card_index=1))

    await stage.bus.send(batch([1], CarouselTemplateContent(template_name="summer", cards=cards)))
    await stage.drain()

    (call,) = stage.meta.calls
    assert call.body["template"]["components"][0]["parameters"] == [{"type": "text", "text": "name 1"}]


async def test_a_campaign_opens_no_conversations_but_names_those_that_answers_will_open(stage: Stage) -> None:
    await stage.bus.send(batch([1, 2]))
    await stage.drain()

    named = {document["conversation_id"] async for document in stage.database["messages"].find({"user_id": USER})}
    assert named == {conversation_id(NUMBER, recipient(number)) for number in (1, 2)}
    assert await stage.database["conversations"].count_documents({}) == 0


async def test_a_recipient_whose_values_do_not_fit_fails_with_the_reason_and_the_others_are_sent(stage: Stage) -> None:
    broken = BatchMessage(
        message_id=message_id(3), recipient_id="rcp_3", to=recipient(3), variables={"1": "two\nlines"}
    )
    sound = batch([1, 2])

    await stage.bus.send(sound.model_copy(update={"items": (*sound.items, broken)}))
    await stage.sweep()

    assert [await stage.state(number) for number in (1, 2, 3)] == ["SENT", "SENT", "FAILED"]
    (item,) = stage.failed()
    assert (item.recipient_id, item.campaign_id, item.outcome_unknown) == ("rcp_3", "cmp_1", False)
    assert "must not contain line breaks" in item.failure


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"phone_number_id": "pn_unknown"}, "Phone number not found"),
        ({"user_id": "usr_2"}, "Phone number not found"),
        ({"content": TemplateContent(name="missing")}, "no approved template is called 'missing'"),
        ({"content": TemplateContent(name="order_shipped", language="hi")}, "approved: en_US"),
    ],
    ids=["an unknown number", "another user's number", "an unknown template", "a language that is not approved"],
)
async def test_a_batch_that_cannot_be_sent_at_all_fails_each_recipient_with_the_reason(
    stage: Stage, changes: dict[str, object], reason: str
) -> None:
    stage.own_templates()

    await stage.bus.send(batch([1, 2]).model_copy(update=changes))
    await stage.sweep()

    assert {item.recipient_id for item in stage.failed()} == {"rcp_1", "rcp_2"}
    assert all(reason in item.failure for item in stage.failed())
    assert stage.meta.calls == []


async def test_a_batch_refused_after_some_of_it_was_sent_leaves_those_as_they_are(stage: Stage) -> None:
    await stage.bus.send(batch([1]))
    await stage.know(template(status="PAUSED", updated_at=NOON + timedelta(minutes=1)))
    stage.own_templates()

    await stage.bus.send(batch([1, 2]))
    await stage.sweep()

    assert [await stage.state(number) for number in (1, 2)] == ["SENT", "FAILED"]
    assert [item.recipient_id for item in stage.failed()] == ["rcp_2"]


async def test_while_templates_is_away_a_batch_goes_out_unverified(stage: Stage) -> None:
    stage.own_templates(error=BusUnavailableError("templates is away"))

    await stage.bus.send(batch([1], TemplateContent(name="receipt", language="en_US")))
    await stage.drain()

    assert [await stage.state(1), len(stage.meta.calls)] == ["SENT", 1]


async def test_after_its_deadline_a_campaigns_message_is_not_sent(stage: Stage) -> None:
    await stage.bus.send(batch([1], expires_at=NOON))
    await stage.sweep()

    assert stage.meta.calls == []
    assert [item.failure for item in stage.failed()] == ["expired"]


async def test_outcomes_of_a_batch_are_each_their_own(stage: Stage) -> None:
    stage.meta.will(refuse(131026), cut, refuse(130429))

    await stage.bus.send(batch([1, 2, 3, 4]))
    await stage.drain()

    assert sorted(await stage.states()) == ["FAILED", "RETRY_WAIT", "SENT", "UNKNOWN"]
    assert (len(stage.sent()), len(stage.failed())) == (1, 1)


async def test_what_meta_assesses_first_is_announced_so_also_by_a_sweeper(stage: Stage) -> None:
    async def assess(request: web.Request, call: Call) -> web.StreamResponse:
        message = {"id": call.wamid, "message_status": "held_for_quality_assessment"}
        return web.json_response({"messaging_product": "whatsapp", "messages": [message]})

    stage.meta.will(assess)
    await stage.bus.send(batch([1]))
    await stage.drain()
    first = stage.sent()
    await stage.database["messages"].update_many({}, {"$set": {"wake_at": NOON}})  # as if it had not got out
    await stage.sweep()

    assert [item.held for item in first] == [True]
    assert [item.held for item in stage.sent()] == [True, True]
