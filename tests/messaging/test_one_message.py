"""One message, from the command to the answer, the event and the document."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from shared.contracts.base import ErrorReply
from shared.contracts.messaging import ContactInput, MessageOutcome, SendMessage
from shared.errors import InvalidInputError, NotFoundError, WaapiError
from tests.eventually import eventually
from tests.messaging.doubles import NOON
from tests.messaging.meta import held
from tests.messaging.stage import (
    CODE_TEMPLATE,
    NUMBER,
    TO,
    USER,
    Stage,
    address,
    code,
    message_id,
    received,
    text,
)


async def test_a_text_reaches_meta_and_its_caller_is_told_the_wamid(stage: Stage) -> None:
    outcome = await stage.ask(text())

    assert (outcome.status, outcome.wa_message_id, outcome.message_id) == ("sent", "wamid.1", message_id())
    (call,) = stage.meta.calls
    assert call.meta_phone_number_id == "106540352242922"
    assert call.authorization == "Bearer EAAtoken"
    assert call.body == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": TO,
        "type": "text",
        "text": {"body": "hello 1", "preview_url": False},
        "biz_opaque_callback_data": f"w1:{message_id()}:1",
    }


async def test_a_sent_message_is_announced_once_and_nothing_is_left_to_do(stage: Stage) -> None:
    outcome = await stage.ask(text())

    document = await stage.document()
    assert (document["state"], document["wamid"], document["attempt"]) == ("SENT", "wamid.1", 1)
    assert "wake_at" not in document
    assert "reply" not in document
    (item,) = stage.sent()
    assert item.id == f"message.sent:{message_id()}"
    assert (item.conversation_id, item.to, item.source) == (outcome.conversation_id, TO, "external_api")


async def test_the_contact_and_the_conversation_exist_afterwards(stage: Stage) -> None:
    contact = ContactInput(name="Asha", company="Acme")

    outcome = await stage.ask(text(contact=contact))

    stored = await stage.database["contacts"].find_one({"_id": outcome.contact_id})
    conversation = await stage.database["conversations"].find_one({"_id": outcome.conversation_id})
    assert stored is not None
    assert (stored["user_id"], stored["phone"], stored["name"], stored["company"]) == (USER, TO, "Asha", "Acme")
    assert conversation is not None
    assert (conversation["phone_number_id"], conversation["contact_id"]) == (NUMBER, outcome.contact_id)


async def test_a_redelivered_command_is_told_the_same_outcome_and_meta_is_not_called_again(stage: Stage) -> None:
    first = await stage.ask(text())

    second = await stage.ask(text())

    assert second == first
    assert stage.meta.opaques() == [f"w1:{message_id()}:1"]
    assert len(stage.sent()) == 1


async def test_the_same_message_twice_in_a_group_is_sent_once_and_both_callers_are_told(stage: Stage) -> None:
    await stage.messaging.sends.send_messages([received(text(), address("one")), received(text(), address("two"))])
    await stage.sweep()  # which answers those who joined a message that was under way

    assert len(stage.meta.calls) == 1
    assert stage.answers_to("one") == stage.answers_to("two")
    assert [answer.status for answer in stage.answers_to("one") if isinstance(answer, MessageOutcome)] == ["sent"]


async def test_a_repetition_with_another_caller_while_meta_is_being_called_is_answered_later(stage: Stage) -> None:
    meta_answers = asyncio.Event()
    stage.meta.will(held(meta_answers))
    first = asyncio.create_task(stage.ask(text()))
    await eventually(lambda: len(stage.meta.calls) == 1)

    second = asyncio.create_task(stage.ask(text()))
    await eventually(stage.has_caller)
    meta_answers.set()
    await first
    await stage.sweep()

    assert await second == await first
    assert len(stage.meta.calls) == 1
    assert {"wake_at", "callers"}.isdisjoint(await stage.document())


async def test_a_repetition_of_a_sent_message_whose_template_has_gone_is_told_that_it_was_sent(stage: Stage) -> None:
    sent = await stage.ask(code())
    await stage.know(CODE_TEMPLATE.model_copy(update={"status": "PAUSED", "updated_at": NOON + timedelta(1)}))
    stage.own_templates()

    again = await stage.ask(code())

    assert again == sent


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"phone_number_id": "pn_unknown"}, NotFoundError),
        ({"user_id": "usr_2"}, NotFoundError),
        ({"phone_number_id": "pn_instagram"}, InvalidInputError),
    ],
    ids=["an unknown number", "another user's number", "an Instagram account"],
)
async def test_a_number_that_cannot_send_is_refused_and_nothing_is_stored(
    stage: Stage, changes: dict[str, Any], error: type[WaapiError]
) -> None:
    await stage.add_number("pn_instagram", platform="instagram", waba_id=None)

    with pytest.raises(error):
        await stage.ask(text(**changes))

    assert await stage.states() == []
    assert stage.meta.calls == []


async def test_a_refused_message_that_nobody_waits_for_is_kept_as_failed_and_announced(stage: Stage) -> None:
    await stage.bus.send(text(phone_number_id="pn_unknown"))

    await stage.sweep()

    assert await stage.state() == "FAILED"
    (item,) = stage.failed()
    assert (item.id, item.failure) == (f"message.failed:{message_id()}", "Phone number not found")
    assert item.conversation_id is None  # the number's threads are not this user's


async def test_a_refused_message_whose_caller_has_given_up_is_kept_as_failed(stage: Stage) -> None:
    gone = address("gone", until=NOON - timedelta(seconds=1))

    await stage.messaging.sends.send_messages([received(text(user_id="usr_2"), gone)])

    assert await stage.state() == "FAILED"
    assert stage.answers_to("gone") == []


async def test_a_refusal_does_not_hold_up_the_others_of_its_group(stage: Stage) -> None:
    group = [
        received(text(1, user_id="usr_2"), address("refused")),
        received(text(2), address("sent")),
    ]

    await stage.messaging.sends.send_messages(group)

    (refusal,) = stage.answers_to("refused")
    assert isinstance(refusal, ErrorReply)
    assert refusal.error == "NotFoundError"
    assert [type(answer) for answer in stage.answers_to("sent")] == [MessageOutcome]
    assert len(stage.meta.calls) == 1


@pytest.mark.parametrize(
    ("command", "minutes"), [(text, 60), (code, 10)], ids=["a message after an hour", "a code after ten minutes"]
)
async def test_what_comes_too_late_is_never_posted(
    stage: Stage, command: Callable[[], SendMessage], minutes: int
) -> None:
    stage.clock.pass_time(minutes * 60)

    outcome = await stage.ask(command())
    await stage.sweep()

    assert (outcome.status, outcome.failure) == ("failed", "expired")
    assert stage.meta.calls == []
    assert [item.failure for item in stage.failed()] == ["expired"]
    assert "wake_at" not in await stage.document()


async def test_a_message_in_time_by_a_second_is_posted(stage: Stage) -> None:
    stage.clock.pass_time(60 * 60 - 1)

    outcome = await stage.ask(text())

    assert outcome.status == "sent"


async def test_a_group_is_claimed_by_one_write_and_sent_at_the_same_time(stage: Stage) -> None:
    meta_answers = asyncio.Event()
    stage.meta.will(*[held(meta_answers)] * 5)

    sending = asyncio.create_task(stage.messaging.sends.send_messages([received(text(n)) for n in range(1, 6)]))
    await eventually(lambda: len(stage.meta.calls) == 5)
    attempts = await stage.database["messages"].distinct("aid")
    meta_answers.set()
    await sending
    await stage.drain()

    assert len(attempts) == 1
    assert await stage.states() == ["SENT"] * 5
    assert sorted(item.message_id for item in stage.sent()) == sorted(map(message_id, range(1, 6)))


async def test_a_hanging_call_does_not_hold_up_the_answers_of_its_group(stage: Stage) -> None:
    meta_answers = asyncio.Event()
    stage.meta.will(held(meta_answers))

    await stage.messaging.sends.send_messages([received(text(n), address(str(n))) for n in (1, 2, 3)])

    assert sum(len(stage.answers_to(str(n))) for n in (1, 2, 3)) == 2
    assert sorted(await stage.states()) == ["DISPATCHING", "SENT", "SENT"]
    meta_answers.set()
    await stage.drain()
    assert await stage.states() == ["SENT"] * 3
    assert [len(stage.answers_to(str(n))) for n in (1, 2, 3)] == [1, 1, 1]


async def test_a_group_that_is_cut_short_when_the_service_stops_loses_no_result(stage: Stage) -> None:
    meta_answers = asyncio.Event()
    stage.meta.will(held(meta_answers))
    sending = asyncio.create_task(stage.messaging.sends.send_messages([received(text())]))
    await eventually(lambda: len(stage.meta.calls) == 1)

    sending.cancel()
    meta_answers.set()
    await stage.drain()

    assert await stage.state() == "SENT"
    assert len(stage.sent()) == 1
