"""A caller who has just changed a template may send it before the news of the change has arrived here."""

from datetime import timedelta

import pytest

from shared.contracts.content import TemplateContent
from shared.contracts.messaging import RenderMessage
from shared.errors import BusUnavailableError, InvalidInputError
from tests.messaging.doubles import NOON
from tests.messaging.stage import NUMBER, TO, USER, Stage, template, text

LATER = NOON + timedelta(minutes=1)
TWO_VALUES = template(components=({"type": "BODY", "text": "Hello {{1}} and {{2}}."},), updated_at=LATER)


def shipped(*values: str, language: str | None = None) -> TemplateContent:
    return TemplateContent(name="order_shipped", language=language, variables=values)


async def test_what_does_not_fit_our_copy_is_held_against_the_template_of_today(stage: Stage) -> None:
    owner = stage.own_templates(TWO_VALUES)

    first = await stage.ask(text(1, content=shipped("Asha", "Ravi")))
    second = await stage.ask(text(2, content=shipped("Asha", "Ravi")))

    assert (first.status, second.status) == ("sent", "sent")
    assert owner.asked == ["order_shipped"]  # the copy was brought up to date


async def test_a_language_that_was_just_approved_can_be_sent(stage: Stage) -> None:
    stage.own_templates(template(), template(language="bn", updated_at=LATER))

    outcome = await stage.ask(text(content=shipped("Asha", language="bn")))

    assert outcome.status == "sent"
    assert stage.meta.calls[0].body["template"]["language"] == {"code": "bn"}


async def test_a_dry_run_looks_again_too(stage: Stage) -> None:
    stage.own_templates(TWO_VALUES)
    query = RenderMessage(user_id=USER, phone_number_id=NUMBER, to=TO, content=shipped("Asha", "Ravi"))

    rendered = await stage.bus.request(query, timeout_seconds=30)

    (body,) = rendered.payload["template"]["components"]
    assert [parameter["text"] for parameter in body["parameters"]] == ["Asha", "Ravi"]


async def test_what_does_not_fit_the_template_of_today_either_is_refused(stage: Stage) -> None:
    owner = stage.own_templates(template())

    with pytest.raises(InvalidInputError, match="expected 1 value, got 2"):
        await stage.ask(text(content=shipped("Asha", "Ravi")))

    assert owner.asked == ["order_shipped"]
    assert stage.meta.calls == []


async def test_without_an_answer_of_the_owners_the_refusal_stands(stage: Stage) -> None:
    stage.own_templates(error=BusUnavailableError("templates are away"))

    with pytest.raises(InvalidInputError, match="expected 1 value, got 2"):
        await stage.ask(text(content=shipped("Asha", "Ravi")))
