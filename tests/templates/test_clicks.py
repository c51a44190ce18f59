"""Taps on buttons: each counted once, under its button's id, however often and in whatever order it is told."""

import random
from datetime import timedelta
from typing import Any

import pytest

from shared.contracts.button_clicks import (
    ButtonClicks,
    GetLeadButtonActivity,
    GetTemplateButtonClicks,
    LeadButtonActivity,
    ListButtonClicks,
    TemplateButtonClicks,
)
from shared.contracts.conversations import ButtonsClicked, ClickedButton
from shared.errors import NotFoundError
from shared.mongo import Database
from tests.templates.drafting import SOUND, create, draft
from tests.templates.stage import NOON, MetaStub, Stage, set_stage

PHONE, OTHER_PHONE = "+14155551234", "+14155559999"
BUTTONS = {
    "type": "BUTTONS",
    "buttons": [
        {"type": "QUICK_REPLY", "text": "Get Started"},
        {"type": "QUICK_REPLY", "text": "Learn More"},
        {"type": "URL", "text": "Shop", "url": "https://shop.example.com/"},
    ],
}


@pytest.fixture
async def stage(database: Database) -> Stage:
    """The service with template tpl_1, which has buttons, and tpl_2."""
    stage = await set_stage(database, MetaStub())
    await create(stage, draft(name="promo_offer", components=(SOUND, BUTTONS), variables=()))
    await create(stage, draft("tpl_2", name="follow_up", components=(SOUND, BUTTONS), variables=()))
    return stage


def tap(number: int = 1, **changes: Any) -> ClickedButton:
    """The number-th tap, a minute after the one before it, on Get Started of tpl_1."""
    fields: dict[str, Any] = {
        "click_id": f"click_{number}",
        "user_id": "usr_1",
        "phone_number_id": "pn_1",
        "conversation_id": None,
        "message_id": None,
        "template_id": "tpl_1",
        "campaign_id": None,
        "recipient_id": None,
        "button_index": 0,
        "payload": "get_started",
        "text": "Get Started",
        "contact_phone": PHONE,
        "clicked_at": NOON + timedelta(minutes=number),
    }
    return ClickedButton(**(fields | changes))


async def hear(stage: Stage, *taps: ClickedButton) -> None:
    await stage.bus.publish(ButtonsClicked(items=taps))


async def counts(stage: Stage, template_id: str = "tpl_1") -> TemplateButtonClicks:
    return await stage.bus.request(GetTemplateButtonClicks(template_id=template_id), timeout_seconds=30)


async def page(stage: Stage, **query: Any) -> ButtonClicks:
    return await stage.bus.request(ListButtonClicks(**({"user_id": "usr_1"} | query)), timeout_seconds=30)


async def activity(stage: Stage, phone: str = PHONE, user_id: str = "usr_1") -> LeadButtonActivity:
    query = GetLeadButtonActivity(user_id=user_id, customer_phone=phone)
    return await stage.bus.request(query, timeout_seconds=30)


async def test_untapped_buttons_are_listed_with_zeros(stage: Stage) -> None:
    found = await counts(stage)

    assert found.template_name == "promo_offer"
    assert [
        (one.button_id, one.button_text, one.type, one.total_clicks, one.unique_clicks) for one in found.buttons
    ] == [
        ("get_started", "Get Started", "QUICK_REPLY", 0, 0),
        ("learn_more", "Learn More", "QUICK_REPLY", 0, 0),
        ("shop", "Shop", "URL", 0, 0),
    ]
    assert found.total_clicks == 0


async def test_taps_are_counted_once_whatever_comes_again_and_in_any_order(stage: Stage) -> None:
    taps = [tap(number, contact_phone=PHONE if number % 3 else OTHER_PHONE) for number in range(1, 10)]
    learn = {"payload": "learn_more", "text": "Learn More", "button_index": 1}
    told = [*taps, tap(10, **learn), *taps, tap(10, **learn)]
    random.Random(7).shuffle(told)

    for start in range(0, len(told), 4):
        await hear(stage, *told[start : start + 4])

    found = await counts(stage)
    assert [(one.button_id, one.total_clicks, one.unique_clicks) for one in found.buttons] == [
        ("get_started", 9, 2),
        ("learn_more", 1, 1),
        ("shop", 0, 0),
    ]
    assert found.total_clicks == 10


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, "get_started", id="our payload"),
        pytest.param({"payload": "learn_more", "text": "?"}, "learn_more", id="our payload alone"),
        pytest.param({"payload": "abc", "text": "Learn More", "button_index": None}, "learn_more", id="the label"),
        pytest.param({"payload": "abc", "text": "Mehr", "button_index": 1}, "learn_more", id="the place"),
        pytest.param({"payload": "abc", "text": "Old One", "button_index": None}, "old_one", id="a former button"),
        pytest.param({"payload": None, "text": "Ja!", "template_id": None}, "ja", id="no template"),
        pytest.param({"payload": None, "text": "हाँ", "template_id": None, "button_index": 2}, "button_2", id="script"),
    ],
)
async def test_a_tap_is_traced_to_its_button(stage: Stage, changes: dict[str, Any], expected: str) -> None:
    await hear(stage, tap(**changes))

    (click,) = (await page(stage)).items
    assert click.button_id == expected


async def test_buttons_of_cards_have_ids_of_their_own(stage: Stage) -> None:
    card = {"components": [{"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Buy"}]}]}
    carousel = {"type": "CAROUSEL", "cards": [card, card]}
    await create(stage, draft("tpl_3", name="cards", components=(SOUND, carousel), variables=()))

    await hear(stage, tap(template_id="tpl_3", payload="buy_2", text="Buy", button_index=0))

    assert [(one.button_id, one.total_clicks) for one in (await counts(stage, "tpl_3")).buttons] == [
        ("buy", 0),
        ("buy_2", 1),
    ]


async def test_former_buttons_stand_after_the_present_ones(stage: Stage) -> None:
    await hear(stage, tap(payload="x", text="Old One", button_index=None))

    last = (await counts(stage)).buttons[-1]

    assert (last.button_id, last.button_text, last.type, last.total_clicks) == ("old_one", "Old One", None, 1)


async def test_an_unknown_template_has_no_taps_to_show(stage: Stage) -> None:
    with pytest.raises(NotFoundError, match="Template not found"):
        await counts(stage, "tpl_unknown")


async def test_taps_are_listed_newest_first_page_by_page_and_by_template(stage: Stage) -> None:
    await hear(stage, *(tap(number) for number in range(1, 6)), tap(6, template_id="tpl_2"), tap(7, user_id="usr_2"))

    first, second = await page(stage, limit=4), await page(stage, limit=4, offset=4)
    of_template = await page(stage, template_id="tpl_2")

    assert [one.click_id for one in first.items] == ["click_6", "click_5", "click_4", "click_3"]
    assert [one.click_id for one in second.items] == ["click_2", "click_1"]
    assert (first.total, second.total) == (6, 6)
    assert [one.click_id for one in of_template.items] == ["click_6"]
    assert (await page(stage, user_id="usr_unknown")).model_dump() == {"items": (), "total": 0}


async def test_a_customers_activity_shows_each_button_once_and_counts_every_tap(stage: Stage) -> None:
    demo = {"template_id": "tpl_2", "text": "Learn More", "payload": "learn_more", "button_index": 1}
    await hear(stage, tap(1), tap(2, **demo), tap(3), tap(4), tap(5, template_id=None, text="Yes", payload="y"))
    await hear(stage, tap(6, contact_phone=OTHER_PHONE), tap(7, user_id="usr_2"))

    found = await activity(stage)

    assert [(one.template_name, one.button_text, one.clicked_at) for one in found.buttons_clicked] == [
        (None, "Yes", NOON + timedelta(minutes=5)),
        ("promo_offer", "Get Started", NOON + timedelta(minutes=4)),
        ("follow_up", "Learn More", NOON + timedelta(minutes=2)),
    ]
    assert found.total_clicks == 5
    assert (await activity(stage, "+19995550000")).total_clicks == 0
    assert (await activity(stage, user_id="usr_unknown")).buttons_clicked == ()
