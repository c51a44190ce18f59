"""Phone numbers: added once, kept apart by user, subscribed to in the background; and the credits beside them."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from shared.contracts.messaging import (
    Credits,
    GetCredits,
    GetNumberAccess,
    GetPhoneNumber,
    ListPhoneNumbers,
    PhoneNumber,
)
from shared.errors import ConflictError, NotFoundError
from tests.messaging.doubles import NOON
from tests.messaging.stage import KEYS, META_ID, NUMBER, TOKEN, USER, WABA, Stage, add_number, stage_on

OTHER_WABA = "102290129340399"


async def add(stage: Stage, phone_number_id: str = "pn_2", **changes: Any) -> PhoneNumber:
    fields = {"meta_phone_number_id": "107", "waba_id": OTHER_WABA} | changes
    return await stage.bus.request(add_number(phone_number_id, **fields), timeout_seconds=30)


async def test_an_added_number_is_shown_without_its_token(stage: Stage) -> None:
    number = await stage.bus.request(GetPhoneNumber(phone_number_id=NUMBER), timeout_seconds=30)

    assert number == PhoneNumber(
        id=NUMBER,
        user_id=USER,
        platform="whatsapp",
        meta_phone_number_id=META_ID,
        display_name="Acme",
        waba_id=WABA,
        messages_per_second=1000,
        created_at=NOON,
        updated_at=NOON,
    )


async def test_adding_a_number_again_returns_it_and_changes_nothing(stage: Stage) -> None:
    first = await add(stage)
    stage.clock.pass_time(60)

    second = await add(stage, display_name="Other")

    assert second == first
    assert await stage.database["phone_numbers"].count_documents({}) == 2


@pytest.mark.parametrize("user_id", [USER, "usr_2"])
async def test_a_meta_id_that_another_number_has_is_refused(stage: Stage, user_id: str) -> None:
    with pytest.raises(ConflictError, match=f"meta_phone_number_id {META_ID} already exists"):
        await add(stage, user_id=user_id, meta_phone_number_id=META_ID)


async def test_a_refused_number_does_not_claim_its_waba_for_its_user(stage: Stage) -> None:
    with pytest.raises(ConflictError):
        await add(stage, user_id="usr_2", meta_phone_number_id=META_ID)

    number = await add(stage, user_id="usr_3")

    assert number.waba_id == OTHER_WABA


async def test_the_same_id_on_another_platform_is_another_account(stage: Stage) -> None:
    number = await add(stage, platform="instagram", meta_phone_number_id=META_ID, waba_id=None)

    assert number.platform == "instagram"


async def test_a_waba_of_another_user_is_refused(stage: Stage) -> None:
    with pytest.raises(ConflictError, match="belongs to another user"):
        await add(stage, user_id="usr_2", waba_id=WABA)

    assert await stage.database["phone_numbers"].count_documents({}) == 1


async def test_a_user_may_add_many_numbers_of_one_waba_at_the_same_time(stage: Stage) -> None:
    adding = (add(stage, f"pn_{number}", meta_phone_number_id=str(number)) for number in range(10, 20))

    added = await asyncio.gather(*adding)

    assert {number.waba_id for number in added} == {OTHER_WABA}


async def test_one_of_two_users_gets_the_waba_that_both_ask_for_at_the_same_time(stage: Stage) -> None:
    adding = (
        add(stage, f"pn_{number}", meta_phone_number_id=str(number), user_id=f"usr_{number}") for number in (10, 11)
    )

    results = await asyncio.gather(*adding, return_exceptions=True)

    assert sorted(type(result).__name__ for result in results) == ["ConflictError", "PhoneNumber"]


async def test_the_token_is_plain_nowhere(stage: Stage) -> None:
    await stage.bus.request(GetNumberAccess(phone_number_id=NUMBER), timeout_seconds=30)

    stored = [document async for document in stage.database["phone_numbers"].find()]
    travelled = [*stage.bus.published, *stage.bus.answers]
    assert TOKEN not in repr(stored)
    assert TOKEN not in repr(travelled)
    assert KEYS.open(stored[0]["sealed_access_token"], owner_id=NUMBER, field="access_token") == TOKEN


async def test_a_users_numbers_are_listed_newest_first_and_by_platform(stage: Stage) -> None:
    stage.clock.pass_time(1)
    await add(stage, "pn_2")
    await add(stage, "pn_3", platform="instagram", meta_phone_number_id="108", waba_id=None)
    await add(stage, "pn_4", user_id="usr_2", meta_phone_number_id="109", waba_id="103")

    every = await stage.bus.request(ListPhoneNumbers(user_id=USER), timeout_seconds=30)
    whatsapp = await stage.bus.request(ListPhoneNumbers(user_id=USER, platform="whatsapp"), timeout_seconds=30)
    nobodys = await stage.bus.request(ListPhoneNumbers(user_id="usr_9"), timeout_seconds=30)

    assert [number.id for number in every.items] == ["pn_3", "pn_2", "pn_1"]
    assert [number.id for number in whatsapp.items] == ["pn_2", "pn_1"]
    assert nobodys.items == ()


async def test_an_unknown_number_is_not_found(stage: Stage) -> None:
    with pytest.raises(NotFoundError):
        await stage.bus.request(GetPhoneNumber(phone_number_id="pn_unknown"), timeout_seconds=30)
    with pytest.raises(NotFoundError):
        await stage.bus.request(GetNumberAccess(phone_number_id="pn_unknown"), timeout_seconds=30)


async def test_each_new_number_has_its_waba_subscribed_to_once(stage: Stage) -> None:
    await add(stage)

    await stage.messaging.numbers.subscribe_wabas()
    await stage.messaging.numbers.subscribe_wabas()

    assert sorted(stage.meta.subscriptions) == [WABA, OTHER_WABA]


async def test_a_number_without_a_waba_and_an_instagram_account_are_not_subscribed(stage: Stage) -> None:
    await stage.messaging.numbers.subscribe_wabas()
    await add(stage, "pn_2", waba_id=None)
    await add(stage, "pn_3", platform="instagram", meta_phone_number_id="108")

    await stage.messaging.numbers.subscribe_wabas()

    assert stage.meta.subscriptions == [WABA]


@pytest.mark.parametrize(
    ("status", "body", "wait_seconds", "reason"),
    [
        (502, b"<html>", 30, "Meta answered 502 without a reason"),
        (403, b'{"error":{"message":"no permission","code":200}}', 600, "no permission (code 200)"),
    ],
    ids=["Meta does not answer in its terms", "Meta refuses"],
)
async def test_a_subscription_that_fails_is_tried_again_and_its_reason_kept(
    stage: Stage, status: int, body: bytes, wait_seconds: int, reason: str
) -> None:
    stage.meta.subscription_answers.append((status, body))

    await stage.messaging.numbers.subscribe_wabas()
    failed = await stage.database["phone_numbers"].find_one({"_id": NUMBER})
    stage.clock.pass_time(wait_seconds - 1)
    await stage.messaging.numbers.subscribe_wabas()
    tried_too_early = len(stage.meta.subscriptions) > 1
    stage.clock.pass_time(1)
    await stage.messaging.numbers.subscribe_wabas()

    subscribed = await stage.database["phone_numbers"].find_one({"_id": NUMBER})
    assert failed is not None
    assert subscribed is not None
    assert failed["subscribe_error"] == reason
    assert not tried_too_early
    assert stage.meta.subscriptions == [WABA, WABA]
    assert {"subscribe_at", "subscribe_error"}.isdisjoint(subscribed)


async def test_a_worker_that_dies_while_it_subscribes_leaves_it_to_another(stage: Stage) -> None:
    await stage.messaging.numbers.numbers.claim_unsubscribed()

    stage.clock.pass_time(timedelta(seconds=30).total_seconds())
    await stage.messaging.numbers.subscribe_wabas()

    assert stage.meta.subscriptions == [WABA]


async def test_the_first_look_at_credits_opens_the_account_with_the_default_grant(stage: Stage) -> None:
    async with stage_on(stage.database, default_credits=25) as generous:
        first, second = await asyncio.gather(
            *(generous.bus.request(GetCredits(user_id="usr_new"), timeout_seconds=30) for _ in range(2))
        )

    assert first == second == Credits(remaining_credits=25, total_used=0, total_granted=25)
    entries = [document["_id"] async for document in stage.database["credit_entries"].find()]
    assert entries == ["grant:initial:usr_new"]
