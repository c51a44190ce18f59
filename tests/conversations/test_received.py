"""From what Meta tells of a customer to the events that the product hears."""

from datetime import timedelta

import pytest

from shared.errors import BusUnavailableError
from tests.conversations.stage import (
    AGENT,
    PHONE,
    Stage,
    at,
    delivered,
    inbound_id,
    meta_message,
    tap,
)
from tests.messaging.doubles import NOON
from tests.messaging.stage import NUMBER, USER, message_id, status, text

WAMID = "wamid.out"


async def test_a_text_is_kept_and_told_with_its_thread(stage: Stage) -> None:
    await stage.hear(meta_message())

    (item,) = stage.received()
    thread, contact = await stage.thread(), await stage.contact()
    assert (item.id, item.message_id) == (f"message.received:{inbound_id()}", inbound_id())
    assert (item.user_id, item.phone_number_id, item.channel) == (USER, NUMBER, "whatsapp")
    assert (item.conversation_id, item.contact_id) == (thread["_id"], contact["_id"])
    assert (item.sender, item.type, item.text, item.agent_id) == (PHONE, "text", "question 1", AGENT)
    assert (item.sequence, thread["sequence"]) == (1, 1)
    assert (contact["phone"], contact["name"]) == (PHONE, "Asha")


async def test_a_message_opens_the_window_for_a_day_from_the_moment_it_was_written(stage: Stage) -> None:
    await stage.hear(meta_message(1, at=at(60)), meta_message(2, at=at(-60)))

    thread = await stage.thread()
    assert thread["window_expires_at"] == at(60) + timedelta(hours=24)
    assert thread["last_message_at"] == at(60)
    assert thread["newest"]["wa_message_id"] == "wamid.in.1"


async def test_the_same_message_again_changes_nothing_and_is_not_told_again(stage: Stage) -> None:
    await stage.hear(meta_message())
    before = await stage.thread(), await stage.contact(), await stage.stored()

    await stage.hear(meta_message(), meta_message())
    await stage.follow_up()

    assert (await stage.thread(), await stage.contact(), await stage.stored()) == before
    assert [item.message_id for item in stage.received()] == [inbound_id()]


async def test_a_message_whose_event_did_not_get_away_is_told_later(stage: Stage) -> None:
    stage.bus.is_away = True
    with pytest.raises(BusUnavailableError):
        await stage.conversing.received.on_meta_messages_received([delivered(meta_message())])
    stage.bus.is_away = False
    stage.clock.pass_time(11)

    await stage.follow_up()
    await stage.follow_up()

    assert [(item.message_id, item.sequence) for item in stage.received()] == [(inbound_id(), 1)]
    assert "wake_at" not in await stage.stored()


async def test_a_message_to_a_number_that_is_not_ours_is_nobodys(stage: Stage) -> None:
    await stage.hear(meta_message(1, meta_phone_number_id="999"), meta_message(2))

    assert [item.text for item in stage.received()] == ["question 2"]


async def test_a_message_to_a_deleted_number_is_nobodys(stage: Stage) -> None:
    await stage.database["phone_numbers"].update_one({"_id": NUMBER}, {"$set": {"archived_at": NOON}})

    await stage.hear(meta_message())

    assert stage.received() == []


async def test_a_conversation_that_a_person_handles_is_told_without_the_agent(stage: Stage) -> None:
    await stage.hear(meta_message(1))
    await stage.database["conversations"].update_one({}, {"$set": {"handled_by": "human"}})

    await stage.hear(meta_message(2))

    assert [item.agent_id for item in stage.received()] == [AGENT, None]
    assert [item.sequence for item in stage.received()] == [1, 2]


@pytest.mark.parametrize("kind", ["reaction", "system", "unsupported", "deleted", "a_new_kind"])
async def test_what_no_agent_can_answer_outdates_no_answer(stage: Stage, kind: str) -> None:
    await stage.hear(meta_message(1))

    await stage.hear(meta_message(2, type=kind, text=None, content={}))

    (_, item) = stage.received()
    assert (item.type, item.sequence, item.agent_id) == (kind, 1, None)


@pytest.mark.parametrize("kind", ["system", "deleted"])
async def test_what_the_customer_did_not_write_opens_no_window(stage: Stage, kind: str) -> None:
    await stage.hear(meta_message(1, type=kind, text=None, content={}))

    assert "window_expires_at" not in await stage.thread()


async def test_a_name_that_somebody_gave_is_kept_and_a_profiles_follows_the_newest(stage: Stage) -> None:
    await stage.hear(meta_message(1, profile_name="Old", at=at(0)))
    await stage.hear(meta_message(2, profile_name="New", at=at(9)), meta_message(3, profile_name="Old", at=at(1)))
    by_profile = (await stage.contact())["name"]
    await stage.database["contacts"].update_one({}, {"$set": {"name": "Dr Asha Rao"}})

    await stage.hear(meta_message(4, profile_name="Newest", at=at(20)))

    assert by_profile == "New"
    assert (await stage.contact())["name"] == "Dr Asha Rao"


async def test_a_customer_without_a_number_has_a_contact_and_a_thread_of_their_own(stage: Stage) -> None:
    shown = {"sender": None, "sender_user_id": "IN.134912", "username": "@asha"}

    await stage.hear(meta_message(1, **shown))
    await stage.hear(meta_message(2, **shown))
    await stage.hear(meta_message(3, **(shown | {"sender_user_id": "IN.999"})))

    first, second, other = stage.received()
    assert first.sender == "IN.134912"
    assert (first.contact_id, first.conversation_id) == (second.contact_id, second.conversation_id)
    assert first.contact_id != other.contact_id
    contacts = await stage.database["contacts"].find({"phone": {"$exists": False}}).to_list()
    assert [contact["username"] for contact in contacts] == ["@asha", "@asha"]


async def test_a_scoped_id_that_came_with_a_number_finds_its_contact_when_the_number_is_hidden(stage: Stage) -> None:
    await stage.hear(meta_message(1, sender_user_id="IN.134912"))

    await stage.hear(meta_message(2, sender=None, sender_user_id="IN.134912"))

    (first, second) = stage.received()
    assert (second.contact_id, second.conversation_id, second.sender) == (
        first.contact_id,
        first.conversation_id,
        PHONE,
    )


async def test_a_number_that_meta_spells_otherwise_is_the_one_that_was_dialled(stage: Stage) -> None:
    await stage.database["contacts"].insert_one(
        {"_id": "contact_dialled", "user_id": USER, "phone": "+5511987654321", "aliases": ["551187654321"]}
    )

    await stage.hear(meta_message(1, sender="551187654321"))

    (item,) = stage.received()
    assert (item.contact_id, item.sender) == ("contact_dialled", "+5511987654321")


async def test_an_instagram_message_has_its_scoped_sender(stage: Stage) -> None:
    await stage.add_number("pn_ig", platform="instagram", meta_phone_number_id="17841405822304914")

    await stage.hear(
        meta_message(1, channel="instagram", meta_phone_number_id="17841405822304914", sender="1254459154682919")
    )

    (item,) = stage.received()
    assert (item.channel, item.phone_number_id, item.sender) == ("instagram", "pn_ig", "1254459154682919")
    assert (await stage.thread())["channel"] == "instagram"


async def test_the_same_text_to_two_numbers_of_ours_is_two_threads(stage: Stage) -> None:
    await stage.add_number("pn_2", meta_phone_number_id="222")

    await stage.hear(meta_message(1), meta_message(1, meta_phone_number_id="222"))

    assert len({item.conversation_id for item in stage.received()}) == 2
    assert len({item.contact_id for item in stage.received()}) == 1


async def test_a_tap_is_told_with_the_message_that_had_the_button(stage: Stage) -> None:
    message_id = await stage.add_sent()

    await stage.hear(tap(), tap())
    await stage.hear(tap())

    (click,) = stage.clicks()
    assert (click.message_id, click.template_id, click.campaign_id) == (message_id, "tpl_1", "cmp_1")
    assert (click.recipient_id, click.button_index) == ("rcp_1", 1)
    assert (click.payload, click.text, click.contact_phone) == ("track_order", "Track order", PHONE)
    assert (click.contact_name, click.clicked_at) == ("Asha", NOON)


async def test_a_tap_that_overtakes_its_message_is_told_once_the_message_is_known(stage: Stage) -> None:
    await stage.hear(tap())
    told_before = [item.type for item in stage.received()], stage.clicks()
    message_id = await stage.add_sent()
    stage.clock.pass_time(3)

    await stage.follow_up()
    await stage.follow_up()

    assert told_before == (["button"], [])
    assert [click.message_id for click in stage.clicks()] == [message_id]
    assert len(stage.received()) == 1


async def test_a_tap_on_a_message_that_never_becomes_known_is_told_without_it(stage: Stage) -> None:
    await stage.hear(tap())
    stage.clock.pass_time(3 * 60 + 1)

    await stage.follow_up()
    await stage.follow_up()

    (click,) = stage.clicks()
    assert (click.message_id, click.template_id, click.payload) == (None, None, "track_order")


async def test_a_tap_on_another_users_message_is_not_theirs(stage: Stage) -> None:
    await stage.add_sent(user_id="usr_2")
    await stage.hear(tap())
    stage.clock.pass_time(3 * 60 + 1)

    await stage.follow_up()

    assert [click.message_id for click in stage.clicks()] == [None]


async def test_a_reply_button_of_an_interactive_message_counts_without_a_template(stage: Stage) -> None:
    payload = '{"interactive":{"action":{"buttons":[{"reply":{"id":"a"}},{"reply":{"id":"cancel-button"}}]}}}'
    await stage.add_sent(payload=payload, template_id=None, campaign_id=None, recipient_id=None)
    content = {"type": "button_reply", "button_reply": {"id": "cancel-button", "title": "Cancel"}}

    await stage.hear(meta_message(1, type="interactive", text="Cancel", content=content, context_id=WAMID))

    (click,) = stage.clicks()
    assert (click.template_id, click.button_index, click.payload, click.text) == (None, 1, "cancel-button", "Cancel")


async def test_a_number_that_meta_spells_otherwise_in_a_status_is_known_when_it_writes(stage: Stage) -> None:
    outcome = await stage.whole.ask(text(1, "+5511987654321"))
    told = status("delivered", f"w1:{message_id(1)}:1", recipient_id="551187654321")

    await stage.whole.hear(told)
    await stage.hear(meta_message(1, sender="551187654321"))

    (item,) = stage.received()
    assert (item.sender, item.conversation_id) == ("+5511987654321", outcome.conversation_id)
    assert item.contact_id == outcome.contact_id


async def test_what_a_message_costs_is_kept_whichever_status_tells_it(stage: Stage) -> None:
    await stage.whole.ask(text(1))
    opaque = f"w1:{message_id(1)}:1"

    await stage.whole.hear(status("delivered", opaque, pricing="marketing/regular"))
    await stage.whole.hear(status("read", opaque), status("sent", opaque, pricing="marketing/regular"))

    assert (await stage.whole.document())["pricing"] == "marketing/regular"
