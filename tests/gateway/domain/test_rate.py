"""The rate limit of a key."""

from dataclasses import dataclass

from services.gateway.domain.rate import RateLimit


@dataclass
class Seconds:
    """A clock that a test moves."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_passes_and_then_so_many_a_second() -> None:
    clock = Seconds()
    limit = RateLimit(clock, per_second=100, burst=200)

    assert [limit.take("a") for _ in range(200)] == [0.0] * 200
    assert limit.take("a") == 0.01
    clock.now += 0.5
    assert [limit.take("a") for _ in range(51)].count(0.0) == 50


def test_each_key_has_its_own() -> None:
    limit = RateLimit(Seconds(), per_second=1, burst=1)
    limit.take("a")

    assert (limit.take("a") > 0, limit.take("b")) == (True, 0.0)


def test_keys_that_rest_are_forgotten() -> None:
    clock = Seconds()
    limit = RateLimit(clock, per_second=1, burst=1)
    for number in range(10_001):
        limit.take(str(number))
    clock.now += 10

    limit.take("late")

    assert len(limit._buckets) == 1
