"""Strikes processes as planned, and watches them come back."""

import asyncio
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import aiohttp

from tests.crash.load import Load
from tests.crash.options import FREEZE_SECONDS
from tests.crash.plan import Strike
from tests.product.running import Product
from tests.product.waiting import comes_true

DEATH_SECONDS = 30.0  # an armed crash point is reached within, or the run says that it was missed
RECOVERY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Struck:
    """What became of a strike. `recovered_seconds`: until everything was ready again; None where nobody waited."""

    title: str
    at_seconds: float
    hit: bool
    recovered_seconds: float | None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Killer:
    """Strikes while the load flows, and lets it flow on only as the plan says."""

    product: Product
    load: Load
    http: aiohttp.ClientSession
    say: Callable[[str], None]

    async def run(self, strikes: tuple[Strike, ...]) -> list[Struck]:
        """Carry out the plan."""
        began = time.monotonic()
        struck = []
        for strike in strikes:
            await self.load.allow((strike.after + strike.until) // 2)
            await self.load.until_begun(strike.after)
            struck.append(await self._strike(strike, time.monotonic() - began))
            self.say(_line(struck[-1]))
        await self.load.allow(self.load.count)
        return struck

    async def _strike(self, strike: Strike, at_seconds: float) -> Struck:
        began = time.monotonic()
        blows = {"kill": self._kill, "point": self._aim, "freeze": self._freeze, "term": self._terminate}
        hit = await blows[strike.kind](strike)
        await self.load.allow(strike.until)
        if not strike.is_patient:
            return Struck(strike.title, at_seconds, hit, None)
        waiting = [name for name in self.product.services() if not await self._is_ready_in_time(name)]
        failure = f"{', '.join(waiting)} did not become ready again" if waiting else None
        return Struck(strike.title, at_seconds, hit, time.monotonic() - began, failure)

    async def _kill(self, strike: Strike) -> bool:
        starts = self.product.starts(strike.target)
        hit = self.product.kill(strike.target)
        return await self._started_again(strike.target, starts + 1) and hit

    async def _terminate(self, strike: Strike) -> bool:
        starts = self.product.starts(strike.target)
        hit = self.product.kill(strike.target, signal.SIGTERM)
        return await self._started_again(strike.target, starts + 1) and hit

    async def _aim(self, strike: Strike) -> bool:
        """Start the process anew with a crash point armed, and let messages flow until it has died there."""
        self.product.stack.supervisor.once(strike.target, {"CRASH_AT": strike.point})
        starts = self.product.starts(strike.target)
        await self._kill(strike)
        # What flows before it takes part again would be missing when the point has to be reached.
        await self._is_ready_in_time(strike.target, unless=lambda: self.product.starts(strike.target) >= starts + 2)
        await self.load.allow(strike.until)
        syncing = asyncio.create_task(self._sync()) if strike.point.startswith("templates.") else None
        hit = await self._started_again(strike.target, starts + 2)
        if not hit:
            await self._kill(strike)  # disarms it
        if syncing is not None:
            await syncing
        return hit

    async def _freeze(self, strike: Strike) -> bool:
        hit = self.product.kill(strike.target, signal.SIGSTOP)
        await self.load.allow(strike.until)
        await asyncio.sleep(FREEZE_SECONDS)
        return self.product.kill(strike.target, signal.SIGCONT) and hit

    async def _sync(self) -> None:
        """Ask for templates again and again until one request has been answered, so that the point is passed."""
        path, body = self.load.tenant.sync()
        for _ in range(10):
            with suppress(aiohttp.ClientError, TimeoutError, OSError):
                async with self.http.post(f"{self.product.api.gateway}{path}", json=body) as answer:
                    await answer.read()
                    if answer.status == 200:
                        return
            await asyncio.sleep(1)

    async def _started_again(self, name: str, starts: int) -> bool:
        return await comes_true(
            lambda: self.product.starts(name) >= starts and self.product.pid(name) is not None, DEATH_SECONDS
        )

    async def _is_ready_in_time(self, name: str, unless: Callable[[], bool] = lambda: False) -> bool:
        return await comes_true(lambda: asyncio.to_thread(self.product.is_ready, name), RECOVERY_SECONDS, unless=unless)


def _line(struck: Struck) -> str:
    end = "" if struck.recovered_seconds is None else f", ready after {struck.recovered_seconds:.1f} s"
    return f"  {struck.at_seconds:6.1f} s  {struck.title}{'' if struck.hit else ' (missed)'}{end}"
