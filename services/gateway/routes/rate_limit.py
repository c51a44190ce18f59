"""Whether a key may call now: tokens leased from what all gateways share, in portions, so that most calls ask nobody.

What a gateway has leased and not used stays with it. So a key that has rested may go over its burst by less than a
portion for each gateway, and never over its rate.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from services.gateway.repositories.key_rates import KeyRateRepository

PORTION = 20

_MANY_KEYS = 10_000


@dataclass(slots=True)
class _Held:
    tokens: int = 0
    empty_until: float = 0.0  # nothing is to be had before
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """One gateway's share of every key's tokens; `monotonic` gives seconds that only rise."""

    rates: KeyRateRepository
    monotonic: Callable[[], float]
    _held: dict[str, _Held] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        """How many calls a key has a second, in the long run."""
        return self.rates.per_second

    async def take(self, key_id: str) -> float:
        """Take one token; 0 when there was one, else the seconds until there will be."""
        held = self._of(key_id)
        if held.tokens < 1:
            async with held.asking:  # whoever comes meanwhile waits for this portion instead of leasing another
                if held.tokens < 1 and (wait := await self._lease(key_id, held)):
                    return wait
        held.tokens -= 1
        return 0.0

    async def _lease(self, key_id: str, held: _Held) -> float:
        now = self.monotonic()
        if now < held.empty_until:
            return held.empty_until - now
        lease = await self.rates.lease(key_id, PORTION)
        held.tokens, held.empty_until = lease.tokens, self.monotonic() + lease.wait_seconds
        return lease.wait_seconds

    def _of(self, key_id: str) -> _Held:
        if len(self._held) >= _MANY_KEYS and key_id not in self._held:
            for resting in [each for each, held in self._held.items() if not held.asking.locked()]:
                del self._held[resting]
        return self._held.setdefault(key_id, _Held())
