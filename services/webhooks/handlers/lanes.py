"""The endpoints that this process serves, each in a lane of its own, so that a slow one holds up nobody else."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from contextvars import copy_context

import structlog

from services.webhooks.handlers.lane import Lane, LaneTools
from services.webhooks.repositories.endpoints import EndpointRepository

LANES = 2000  # endpoints at a time; the others' deliveries wait in the database
TAKEN_TOGETHER = 500
STOP_SECONDS = 20.0  # an attempt ends within 15

log = structlog.get_logger()


class DeliveryLanes:
    """Takes endpoints that have something due, serves them, and gives them back. `owner` names this process."""

    def __init__(self, tools: LaneTools, endpoints: EndpointRepository, owner: str) -> None:
        self._tools = tools
        self._endpoints = endpoints
        self._owner = owner
        self._lanes: dict[str, Lane] = {}
        self._wanted: set[str] = set()
        self._taking: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._is_stopping = False
        self._context = copy_context()  # a lane goes on after the message that woke it

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Deliver while the block lasts; then let attempts under way end, and give the endpoints back."""
        try:
            yield
        finally:
            await self._stop()

    def wake(self, webhook_ids: Iterable[str]) -> None:
        """Start on these webhooks now."""
        for webhook_id in webhook_ids:
            if (lane := self._lanes.get(webhook_id)) is not None:
                lane.wake()
            else:
                self._wanted.add(webhook_id)
        if self._wanted and not self._is_stopping and not self._is_taking:
            self._taking = asyncio.create_task(self._take_wanted(), context=self._context.copy())

    @property
    def _is_taking(self) -> bool:
        return self._taking is not None and not self._taking.done()

    async def sweep(self) -> None:
        """Look after what is served, and start on what has something due: retries, and what a crash left behind."""
        await self._refresh()
        due = set(await self._tools.deliveries.list_webhooks_due(self._tools.now()))
        self.wake(due & self._lanes.keys())
        waiting = list(due - self._lanes.keys())
        random.shuffle(waiting)  # when there are more than lanes, nobody is always the last
        await self._take(waiting[: max(LANES - len(self._lanes), 0)])
        await self._forget_orphans(set(waiting) - self._lanes.keys())

    async def rested(self) -> bool:
        """Wait until no endpoint is served; whether one was."""
        was_serving = False
        while busy := {*self._running, *((self._taking,) if self._is_taking else ())}:
            was_serving = True
            await asyncio.wait(busy)
        return was_serving

    async def _refresh(self) -> None:
        """Renew leases, and see what became of the webhooks meanwhile."""
        if not self._lanes:
            return
        served = dict(self._lanes)
        own = await self._endpoints.list_own(tuple(served), self._owner, self._tools.now())
        now_is = {endpoint.webhook_id: endpoint for endpoint in own}
        for webhook_id, lane in served.items():
            if webhook_id in now_is:
                lane.refresh(now_is[webhook_id])
            else:  # deleted, or taken over by another process after a lapse of ours
                lane.close()

    async def _forget_orphans(self, webhook_ids: set[str]) -> None:
        """Deliveries whose webhook was deleted by a process that died before it could forget them."""
        if webhook_ids:
            orphans = webhook_ids - await self._endpoints.list_known(webhook_ids)
            if orphans:
                await self._tools.deliveries.delete_untold(orphans)

    async def _take_wanted(self) -> None:
        try:
            while self._wanted and not self._is_stopping and len(self._lanes) < LANES:
                some = list(self._wanted)[:TAKEN_TOGETHER]
                self._wanted.difference_update(some)
                await self._take([webhook_id for webhook_id in some if webhook_id not in self._lanes])
        except Exception as error:  # the database may be away; the next sweep finds everything again
            log.warning("endpoints_not_taken", error=f"{type(error).__name__}: {error}")
        self._wanted.clear()

    async def _take(self, webhook_ids: Sequence[str]) -> None:
        if not webhook_ids or self._is_stopping:
            return
        for endpoint in await self._endpoints.take(webhook_ids, self._owner, self._tools.now()):
            if endpoint.webhook_id not in self._lanes and not self._is_stopping:
                lane = self._lanes[endpoint.webhook_id] = Lane.of(endpoint, self._tools)
                task = asyncio.create_task(self._serve(lane), context=self._context.copy())
                self._running.add(task)
                task.add_done_callback(self._running.discard)

    async def _serve(self, lane: Lane) -> None:
        webhook_id, has_more = lane.endpoint.webhook_id, False
        try:
            await lane.run()
            if not lane.has_failed:
                may_go_on = not lane.is_over  # before the release, after which a sweep finds the lane not ours any more
                await self._endpoints.release(webhook_id, self._owner, lane.health)
                # Another process that stored something meanwhile found the endpoint taken, and left it to us.
                has_more = may_go_on and (lane.has_more or await self._is_due(webhook_id))
        except Exception as error:  # the database may be away; once the lease is over, a sweep goes on
            log.warning("lane_interrupted", webhook_id=webhook_id, error=f"{type(error).__name__}: {error}")
        finally:
            del self._lanes[webhook_id]
        if has_more:
            self.wake([webhook_id])

    async def _is_due(self, webhook_id: str) -> bool:
        return await self._tools.deliveries.is_due(webhook_id, self._tools.now())

    async def _stop(self) -> None:
        self._is_stopping = True
        if self._taking is not None:
            await asyncio.wait({self._taking})
        for lane in self._lanes.values():
            lane.close()
        if self._running:
            await asyncio.wait(self._running, timeout=STOP_SECONDS)
        for lane in self._lanes.values():
            lane.cancel()
        if self._running:
            await asyncio.wait(self._running)
