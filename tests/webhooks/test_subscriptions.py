"""Vendors' webhooks through the bus: made, listed, deleted."""

import pytest

from shared.contracts.webhooks import DeleteSubscription, ListSubscriptions
from shared.errors import InvalidInputError, NotFoundError
from shared.mongo import Database
from shared.outbound.addresses import AddressPolicy
from shared.outbound.guard import UrlGuard
from tests.webhooks.receiver import Receiver, answering
from tests.webhooks.stage import NOON, SECRET, OutboundStage, create_subscription, sent

URL = "http://127.0.0.1:9/hook"


async def urls_of(outbound: OutboundStage, user_id: str = "usr_1") -> list[str]:
    listed = await outbound.bus.request(ListSubscriptions(user_id=user_id), timeout_seconds=30)
    return [item.url for item in listed.items]


async def test_a_subscription_is_active_and_never_shows_its_secret(outbound: OutboundStage) -> None:
    made = await outbound.subscribe(URL, events=("message.sent", "*"), description="orders")

    assert (made.status, made.events, made.description, made.created_at) == (
        "active",
        ("message.sent", "*"),
        "orders",
        NOON,
    )
    assert SECRET not in str(await outbound.database["subscriptions"].find_one())


async def test_the_same_command_twice_makes_one_subscription(outbound: OutboundStage) -> None:
    first = await outbound.subscribe(URL)
    outbound.clock.pass_by(minutes=1)

    assert await outbound.subscribe(URL) == first
    assert await urls_of(outbound) == [URL]


async def test_subscriptions_are_listed_newest_first_to_their_own_user(outbound: OutboundStage) -> None:
    for number in (1, 2, 3):
        await outbound.subscribe(f"{URL}/{number}", f"wh_{number}")
        outbound.clock.pass_by(seconds=1)
    await outbound.subscribe(f"{URL}/other", "wh_other", user_id="usr_2")

    assert await urls_of(outbound) == [f"{URL}/3", f"{URL}/2", f"{URL}/1"]
    assert await urls_of(outbound, "usr_2") == [f"{URL}/other"]
    assert await urls_of(outbound, "usr_unknown") == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"events": ()}, "events"),
        ({"events": ("message.sent", "message.typo")}, "events[1]"),
        ({"url": "ftp://example.com"}, "url"),
        ({"url": "https://10.0.0.1/hook"}, "url"),
        ({"url": "https://169.254.169.254/latest/meta-data"}, "url"),
        ({"url": "http://1.1.1.1/hook"}, "url"),
        ({"url": "http://2130706433:80/"}, None),  # another spelling of 127.0.0.1, which is allowed here
        ({"url": "https://" + "a" * 70 + ".example/"}, "url"),
    ],
)
async def test_what_may_not_be_subscribed_is_refused_naming_the_field(
    outbound: OutboundStage, changes: dict[str, str], field: str | None
) -> None:
    command = create_subscription(**({"url": URL} | changes))
    if field is None:
        assert (await outbound.bus.request(command, timeout_seconds=30)).status == "active"
        return

    with pytest.raises(InvalidInputError) as refused:
        await outbound.bus.request(command, timeout_seconds=30)

    assert refused.value.details[0]["field"] == field
    assert await urls_of(outbound) == []


@pytest.mark.parametrize(
    "url",
    ["https://localhost/", "https://127.1/", "https://0x7f.1/", "https://2130706433/", "https://[::ffff:7f00:1]/"],
)
async def test_in_production_no_spelling_of_loopback_passes(url: str) -> None:
    guard = UrlGuard(AddressPolicy())

    with pytest.raises(InvalidInputError, match="public internet"):
        await guard.check(url)

    await guard.resolver.close()


async def test_a_name_that_does_not_resolve_yet_may_be_subscribed() -> None:
    guard = UrlGuard(AddressPolicy())

    await guard.check("https://not-yet.invalid/hook")

    await guard.resolver.close()


async def test_deleting_forgets_what_was_not_told_and_keeps_the_log(
    outbound: OutboundStage, receiver: Receiver
) -> None:
    await outbound.subscribe(receiver.url())
    await outbound.bus.publish(sent(1))
    await outbound.settled(1)
    receiver.answers["/hook"] = answering(500)
    await outbound.bus.publish(sent(2))

    await outbound.bus.request(DeleteSubscription(webhook_id="wh_1"), timeout_seconds=30)

    assert [delivery["state"] for delivery in await outbound.all_deliveries()] == ["delivered"]
    assert await urls_of(outbound) == []
    with pytest.raises(NotFoundError):
        await outbound.bus.request(DeleteSubscription(webhook_id="wh_1"), timeout_seconds=30)


async def test_a_user_id_that_looks_like_a_query_finds_nothing(outbound: OutboundStage, database: Database) -> None:
    await outbound.subscribe(URL)

    with pytest.raises(ValueError, match="user_id"):
        ListSubscriptions(user_id='{"$ne": ""}')
    assert await database["subscriptions"].count_documents({}) == 1
