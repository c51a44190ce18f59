"""The 24-hour window, as it is at the moment of sending."""

from datetime import timedelta
from typing import Any

import pytest

from shared.contracts.content import TemplateContent
from shared.contracts.messaging import MessageOutcome
from shared.contracts.numbers import UpdatePhoneNumber
from shared.errors import InvalidInputError
from tests.conversations.stage import PHONE, Stage, meta_message
from tests.messaging.doubles import NOON
from tests.messaging.stage import NUMBER, template, text

LONG_AGO = NOON - timedelta(hours=24)


async def send(stage: Stage, number: int = 1, **changes: Any) -> MessageOutcome:
    return await stage.whole.ask(text(number, PHONE, **changes))


async def enforce(stage: Stage) -> None:
    command = UpdatePhoneNumber(phone_number_id=NUMBER, enforce_window=True)
    await stage.bus.request(command, timeout_seconds=30)


async def test_a_text_within_the_window_is_sent_without_a_warning(stage: Stage) -> None:
    await stage.hear(meta_message(1, at=LONG_AGO + timedelta(seconds=1)))

    assert (await send(stage)).warnings == ()


async def test_a_text_after_the_window_is_sent_with_a_warning(stage: Stage) -> None:
    await stage.hear(meta_message(1, at=LONG_AGO))

    outcome = await send(stage)

    assert (outcome.status, outcome.warnings) == ("sent", ("window_closed",))


async def test_of_somebody_who_has_never_written_nobody_knows(stage: Stage) -> None:
    assert (await send(stage)).warnings == ()


async def test_a_template_needs_no_window(stage: Stage) -> None:
    await stage.whole.know(template())
    await stage.hear(meta_message(1, at=LONG_AGO))
    await enforce(stage)
    content = TemplateContent(name="order_shipped", language="en_US", variables=("Asha",))

    outcome = await send(stage, content=content)

    assert (outcome.status, outcome.warnings) == ("sent", ())


@pytest.mark.parametrize("has_written", [True, False])
async def test_a_number_that_enforces_its_window_refuses_and_names_what_may_be_sent(
    stage: Stage, has_written: bool
) -> None:
    await stage.whole.know(template())
    if has_written:
        await stage.hear(meta_message(1, at=LONG_AGO))
    await enforce(stage)

    with pytest.raises(InvalidInputError, match="order_shipped") as refused:
        await send(stage)

    assert refused.value.code == "window_closed"
    assert stage.whole.meta.calls == []


async def test_a_message_of_the_customers_opens_the_window_again(stage: Stage) -> None:
    await stage.hear(meta_message(1, at=LONG_AGO))
    await enforce(stage)
    await stage.hear(meta_message(2, at=NOON))

    assert (await send(stage)).status == "sent"
