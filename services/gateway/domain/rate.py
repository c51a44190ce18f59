"""How fast one API key may call: a bucket of tokens for each.

Each gateway process counts for itself, so n replicas let n times as much through. A limit shared by all would lease
tokens in portions from one document for each key.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

TOKENS_PER_SECOND = 100.0
BURST = 200.0

_MANY_BUCKETS = 10_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


@dataclass(frozen=True, slots=True)
class RateLimit:
    """The buckets of all keys seen lately; `monotonic` gives seconds that only rise."""

    monotonic: Callable[[], float]
    per_second: float = TOKENS_PER_SECOND
    burst: float = BURST
    _buckets: dict[str, _Bucket] = field(default_factory=dict)

    def take(self, key_id: str) -> float:
        """Take one token; 0 when there was one, else the seconds until there will be."""
        now = self.monotonic()
        if len(self._buckets) > _MANY_BUCKETS:
            self._forget_full(now)
        bucket = self._buckets.setdefault(key_id, _Bucket(self.burst, now))
        bucket.tokens, bucket.at = self._filled(bucket, now), now
        if bucket.tokens < 1:
            return (1 - bucket.tokens) / self.per_second
        bucket.tokens -= 1
        return 0.0

    def _filled(self, bucket: _Bucket, now: float) -> float:
        return min(self.burst, bucket.tokens + (now - bucket.at) * self.per_second)

    def _forget_full(self, now: float) -> None:
        """A full bucket says as much as none, so forgetting it changes nothing."""
        for key_id in [key_id for key_id, bucket in self._buckets.items() if self._filled(bucket, now) >= self.burst]:
            del self._buckets[key_id]
