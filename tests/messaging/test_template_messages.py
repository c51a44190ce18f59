"""Templates by name: found in our copy, at their owner, or by a sync; and what happens when none of them helps."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from shared.contracts.content import CarouselTemplateContent, TemplateContent
from shared.errors import BusUnavailableError, InvalidInputError
from tests.eventually import eventually
from tests.messaging.doubles import NOON
from tests.messaging.stage import Stage, address, batch, message_id, received, status, template, text


def greeting(name: str = "order_shipped", language: str | None = None) -> TemplateContent:
    return TemplateContent(name=name, language=language, variables=("Asha",))


def posted_template(stage: Stage) -> dict[str, Any]:
    (call,) = stage.meta.calls
    found: dict[str, Any] = call.body["template"]
    return found


async def test_a_template_that_is_approved_in_one_language_needs_no_language(stage: Stage) -> None:
    outcome = await stage.ask(text(content=greeting()))

    assert outcome.warnings == ()
    assert posted_template(stage) == {
        "name": "order_shipped",
        "language": {"code": "en_US"},
        "components": [{"type": "body", "parameters": [{"type": "text", "text": "Asha"}]}],
    }
    assert (await stage.document())["class"] == "utility"


async def test_a_template_we_hold_no_copy_of_is_asked_for_and_kept(stage: Stage) -> None:
    owner = stage.own_templates(template("receipt"))

    await stage.ask(text(1, content=greeting("receipt")))
    await stage.ask(text(2, content=greeting("receipt")))

    assert owner.asked == ["receipt"]
    assert [call.body["template"]["name"] for call in stage.meta.calls] == ["receipt", "receipt"]


async def test_a_template_that_only_meta_knows_so_far_is_brought_by_one_sync(stage: Stage) -> None:
    owner = stage.own_templates()
    owner.at_meta = [template("receipt")]

    outcome = await stage.ask(text(content=greeting("receipt")))

    assert outcome.status == "sent"
    assert owner.asked == ["receipt", "sync", "receipt"]


async def test_an_unknown_template_is_refused_with_what_may_have_been_meant_and_nothing_is_stored(stage: Stage) -> None:
    stage.own_templates()

    with pytest.raises(InvalidInputError, match="did you mean order_shipped") as refused:
        await stage.ask(text(content=greeting("order_shiped")))

    assert refused.value.code == "template_not_found"
    assert refused.value.details[0]["field"] == "template.name"
    assert await stage.states() == []


async def test_unknown_names_cause_at_most_one_sync_a_minute(stage: Stage) -> None:
    owner = stage.own_templates()

    for number in (1, 2, 3):
        with pytest.raises(InvalidInputError):
            await stage.ask(text(number, content=greeting("missing")))
    stage.clock.pass_time(61)
    with pytest.raises(InvalidInputError):
        await stage.ask(text(4, content=greeting("missing")))

    assert owner.asked.count("sync") == 2


async def test_a_language_that_is_not_approved_is_refused_with_those_that_are(stage: Stage) -> None:
    owner = stage.own_templates(template())

    with pytest.raises(InvalidInputError, match="approved: en_US"):
        await stage.ask(text(content=greeting(language="hi")))

    assert stage.meta.calls == []
    assert owner.asked == ["order_shipped"]  # the copy might be behind


async def test_while_templates_is_away_the_message_goes_out_unverified_with_a_warning(stage: Stage) -> None:
    stage.own_templates(error=BusUnavailableError("templates is away"))

    outcome = await stage.ask(text(content=greeting("receipt", "en_US")))

    assert outcome.status == "sent"
    assert any(warning.startswith("template_not_verified") for warning in outcome.warnings)
    assert posted_template(stage)["name"] == "receipt"


async def test_the_newest_state_of_a_template_wins_in_whatever_order_states_arrive(stage: Stage) -> None:
    newer = template("receipt", status="PAUSED", updated_at=NOON + timedelta(minutes=1))
    owner = stage.own_templates()

    await stage.know(newer)
    await stage.know(template("receipt"))

    with pytest.raises(InvalidInputError):
        await stage.ask(text(content=greeting("receipt")))
    assert owner.asked == ["receipt", "sync", "receipt"]


async def test_a_message_whose_template_is_asked_for_does_not_hold_up_the_others_of_its_group(stage: Stage) -> None:
    owner = stage.own_templates(template("receipt"))
    owner.answers = asyncio.Event()
    group = [received(text(1, content=greeting("receipt")), address("slow")), received(text(2), address("quick"))]

    sending = asyncio.create_task(stage.messaging.sends.send_messages(group))
    await eventually(lambda: stage.answers_to("quick"))
    told_meanwhile = stage.answers_to("slow")
    owner.answers.set()
    await sending

    assert told_meanwhile == []
    assert len(stage.answers_to("slow")) == 1
    assert stage.meta.opaques() == [f"w1:{message_id(2)}:1", f"w1:{message_id(1)}:1"]


async def test_a_carousel_is_looked_up_by_its_own_field(stage: Stage) -> None:
    stage.own_templates()

    with pytest.raises(InvalidInputError) as refused:
        await stage.ask(text(content=CarouselTemplateContent(template_name="summer", cards=())))

    assert refused.value.details[0]["field"] == "carousel.template_name"


async def test_what_becomes_of_a_message_is_told_with_its_template(stage: Stage) -> None:
    await stage.ask(text(1, content=greeting()))
    await stage.drain()
    await stage.hear(status("read", f"w1:{message_id(1)}:1"))
    await stage.ask(text(2))
    await stage.drain()

    template_id = template().template_id
    assert [item.template_id for item in stage.sent()] == [template_id, None]
    assert [item.template_id for item in stage.changes()] == [template_id]


async def test_a_refused_recipient_of_a_batch_is_told_with_the_template(stage: Stage) -> None:
    await stage.bus.send(batch([1], TemplateContent(name="order_shipped", variables={"2": "too many"})))
    await stage.sweep()

    assert [item.template_id for item in stage.failed()] == [template().template_id]
