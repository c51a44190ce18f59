"""The rate of a key, shared by all gateways."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from services.gateway.repositories.key_rates import KeyRateRepository, Lease
from services.gateway.routes.rate_limit import PORTION, RateLimit
from shared.mongo import Database
from tests.gateway.conftest import Gateway, Tenant
from tests.gateway.schemas.bodies import TEXT

HARDLY_EVER = 0.001  # tokens a second: none comes back while a test runs


@dataclass
class Seconds:
    """A clock that a test moves."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True, slots=True)
class Counting(KeyRateRepository):
    """The repository, and how often it was asked."""

    asked: list[str] = field(default_factory=list)

    async def lease(self, key_id: str, wanted: int) -> Lease:
        """Count."""
        self.asked.append(key_id)
        return await KeyRateRepository.lease(self, key_id, wanted)


def limit_of(rates: KeyRateRepository, clock: Seconds | None = None) -> RateLimit:
    """One gateway."""
    return RateLimit(rates, clock or Seconds())


async def granted(limit: RateLimit, key_id: str, calls: int) -> int:
    """How many of so many calls at the same moment pass."""
    return (await asyncio.gather(*(limit.take(key_id) for _ in range(calls)))).count(0.0)


async def rest(database: Database, key_id: str, seconds: float) -> None:
    """Have the last call happen earlier."""
    passed = datetime.now(UTC) - timedelta(seconds=seconds)
    await database.key_rates.update_one({"_id": key_id}, {"$set": {"at": passed}})


async def test_two_gateways_let_one_burst_through_together(database: Database) -> None:
    rates = KeyRateRepository(database, per_second=HARDLY_EVER, burst=200)
    one, other = limit_of(rates), limit_of(rates)

    passed = await asyncio.gather(granted(one, "a", 8 * PORTION), granted(other, "a", 8 * PORTION))

    assert sum(passed) == 200


async def test_tokens_come_back_with_time_and_never_beyond_the_burst(database: Database) -> None:
    limit = limit_of(KeyRateRepository(database, per_second=100, burst=200))
    await granted(limit, "a", 200)

    await database.key_rates.update_one({"_id": "a"}, {"$set": {"level": 0.0}})
    limit = limit_of(KeyRateRepository(database, per_second=HARDLY_EVER, burst=200))
    await rest(database, "a", 50_000.5)
    after_a_while = await granted(limit, "a", 300)
    await rest(database, "a", 1_000_000)
    after_long = await granted(limit_of(limit.rates), "a", 300)

    assert (after_a_while, after_long) == (50, 200)


async def test_each_key_has_its_own(database: Database) -> None:
    limit = limit_of(KeyRateRepository(database, per_second=HARDLY_EVER, burst=1))

    assert [await limit.take("a") > 0, await limit.take("a") > 0, await limit.take("b") > 0] == [False, True, False]


async def test_most_calls_ask_nobody(database: Database) -> None:
    rates = Counting(database)
    limit = limit_of(rates)

    assert await granted(limit, "a", 5 * PORTION) == 5 * PORTION
    assert len(rates.asked) == 5


async def test_who_is_refused_is_told_how_long_and_the_database_is_left_alone_until_then(database: Database) -> None:
    clock, rates = Seconds(), Counting(database, per_second=HARDLY_EVER, burst=1)
    limit = limit_of(rates, clock)
    await limit.take("a")

    first = await limit.take("a")
    clock.now += 100
    second = await limit.take("a")
    asked_before = len(rates.asked)
    await rest(database, "a", 2000)
    clock.now += 1000
    third = await limit.take("a")

    assert (999 < first <= 1000, 899 < second <= 900, third) == (True, True, 0.0)
    assert (asked_before, len(rates.asked)) == (2, 3)


async def test_a_clock_that_was_set_back_takes_no_tokens_away(database: Database) -> None:
    limit = limit_of(KeyRateRepository(database, per_second=HARDLY_EVER, burst=2 * PORTION))
    await limit.take("a")

    await rest(database, "a", -3600)

    assert await granted(limit, "a", 2 * PORTION) == 2 * PORTION - 1


async def test_keys_that_rest_are_forgotten(database: Database) -> None:
    limit = limit_of(KeyRateRepository(database))
    await limit.rates.ensure_indexes()
    for number in range(10_000):
        limit._of(str(number))

    await limit.take("late")

    assert len(limit._held) == 1
    assert (await database.key_rates.index_information())["at_1"]["expireAfterSeconds"] == 3600


async def test_a_key_without_tokens_is_a_429_in_the_external_envelope(gateway: Gateway, tenant: Tenant) -> None:
    nothing = {"level": -1000.0, "at": datetime.now(UTC)}
    await gateway.database.key_rates.update_one({"_id": tenant.key_id}, {"$set": nothing}, upsert=True)

    answers = [
        await gateway.public.post(tenant.url, json=TEXT, headers=tenant.headers),
        await gateway.private.get(f"/api/external/templates/{tenant.encoded_phone_id}", headers=tenant.headers),
    ]

    for answer in answers:
        body = await answer.json()
        assert (answer.status, body["success"], body["code"]) == (429, False, "rate_limited")
        assert body["error"] == "This API key calls too often; slow down"
        assert 1 <= int(answer.headers["Retry-After"]) <= 11
        assert answer.headers["RateLimit-Reset"] == answer.headers["Retry-After"]
        assert (answer.headers["RateLimit-Limit"], answer.headers["RateLimit-Remaining"]) == ("100", "0")
    assert gateway.messaging.sends == []
