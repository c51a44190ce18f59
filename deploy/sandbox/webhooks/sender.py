"""Posts webhooks to the product, signed, in batches, and again and again until it answers 200."""

import asyncio
import hashlib
import hmac
import logging
import random
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass

import aiohttp

from ..agenda import Agenda
from ..faults import Faults
from .updates import Update, envelope, escape

log = logging.getLogger(__name__)

CONNECTIONS = 8
# Meta allows 1,000 updates in a post; at load it is seen to send some tens.
UPDATES_PER_POST = 50
TIMEOUT_SECONDS = 10
RETRY_SECONDS = (0, 1, 2, 5, 15, 60)
META_RETRY_SECONDS = (0, 15, 60, 300, 900, 3_600)
# While nobody answers, this often one new post tries whether the receiver is back.
PROBE_SECONDS = 1.0


@dataclass(slots=True)
class Batch:
    """The exact bytes of one post; every retry sends the same again."""

    body: bytes
    attempts: int = 0


class WebhookSender:
    """A queue of updates and the connections that empty it."""

    def __init__(self, url: str, app_secret: str, agenda: Agenda, faults: Faults) -> None:
        self.url = url
        self._secret = app_secret.encode()
        self._agenda = agenda
        self._faults = faults
        self._updates: deque[Update] = deque()
        self._due: deque[Batch] = deque()
        self._waiting: dict[int, Batch] = {}
        self._to_come = 0  # repetitions of updates whose moment has not come yet
        self._on_the_wire = 0
        self._work = asyncio.Event()
        self._unreachable = False
        self._probe_at = 0.0
        self._probe_is_planned = False
        self._generation = 0

    def push(self, update: Update, *, times: int = 1, within_seconds: float = 0) -> None:
        """Queue one update; it is posted as soon as a connection is free.

        Posted `times` times: at once, and again at moments drawn from the next `within_seconds`, so that repetitions
        come in any order, among other updates and in other bytes than before.
        """
        self._queue(update)
        for _ in range(times - 1):
            if within_seconds:
                self._to_come += 1
                self._agenda.after(random.uniform(0, within_seconds), self._repeat, update)
            else:
                self._queue(update)

    def _repeat(self, update: Update) -> None:
        self._to_come -= 1
        self._queue(update)

    def _queue(self, update: Update) -> None:
        self._updates.append(update)
        if not self._work.is_set():
            self._work.set()

    def push_post(self, body: bytes) -> None:
        """Queue a post that stands alone: another object's webhooks cannot share one with WhatsApp's."""
        self._due.append(Batch(escape(body)))
        if not self._work.is_set():
            self._work.set()

    def count_pending(self) -> int:
        """Updates and batches that the receiver has not confirmed yet, repetitions to come among them."""
        return len(self._updates) + len(self._due) + len(self._waiting) + self._to_come + self._on_the_wire

    def reset(self) -> None:
        """Drop everything that is queued; the agenda, which holds the retries, is cleared by its owner."""
        self._generation += 1
        self._updates.clear()
        self._due.clear()
        self._waiting.clear()
        self._to_come = 0
        self._unreachable = False
        self._probe_is_planned = False

    async def run(self) -> None:
        """Post until cancelled."""
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        connector = aiohttp.TCPConnector(limit=CONNECTIONS)
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session, asyncio.TaskGroup() as group:
            for _ in range(CONNECTIONS):
                group.create_task(self._keep_posting(session))

    async def _keep_posting(self, session: aiohttp.ClientSession) -> None:
        while True:
            batch = self._next_batch()
            if batch is None:
                self._work.clear()
                await self._work.wait()
                continue
            generation = self._generation
            batch.attempts += 1
            self._on_the_wire += 1
            try:
                delivered = await self._post(session, batch)
            finally:
                self._on_the_wire -= 1
            if generation != self._generation:  # a reset came meanwhile: the batch belongs to the past
                continue
            if delivered:
                self._on_success(batch)
            else:
                self._retry_later(batch)

    def _next_batch(self) -> Batch | None:
        if self._due:
            return self._due.popleft()
        if not self._updates or not self._may_probe():
            return None
        count = min(len(self._updates), UPDATES_PER_POST)
        return Batch(envelope([self._updates.popleft() for _ in range(count)]))

    def _may_probe(self) -> bool:
        """New batches wait while the receiver is away, so that a pile of tiny ones does not build up."""
        if not self._unreachable:
            return True
        now = time.monotonic()
        if now < self._probe_at:
            if not self._probe_is_planned:
                self._probe_is_planned = True
                self._agenda.after(self._probe_at - now, self._probe)
            return False
        self._probe_at = now + PROBE_SECONDS
        return True

    def _probe(self) -> None:
        self._probe_is_planned = False
        self._work.set()

    async def _post(self, session: aiohttp.ClientSession, batch: Batch) -> bool:
        signature = hmac.new(self._secret, batch.body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "facebookexternalua",
            "X-Hub-Signature-256": f"sha256={signature}",
        }
        with suppress(aiohttp.ClientError, TimeoutError, OSError):
            async with session.post(self.url, data=batch.body, headers=headers, allow_redirects=False) as answer:
                await answer.read()
                self._note_reachable()
                return answer.status == 200
        if not self._unreachable:
            log.warning("the webhook receiver does not answer: %s", self.url)
            self._probe_at = time.monotonic() + PROBE_SECONDS
        self._unreachable = True
        return False

    def _note_reachable(self) -> None:
        if not self._unreachable:
            return
        log.warning("the webhook receiver answers again: %s", self.url)
        self._unreachable = False
        self._due.extend(self._waiting.values())
        self._waiting.clear()
        self._work.set()

    def _on_success(self, batch: Batch) -> None:
        if batch.attempts == 1 and random.random() < self._faults.now.duplicate_webhooks:
            self._due.append(Batch(batch.body, attempts=1))
            self._work.set()

    def _retry_later(self, batch: Batch) -> None:
        delays = META_RETRY_SECONDS if self._faults.now.profile == "meta" else RETRY_SECONDS
        self._waiting[id(batch)] = batch
        self._agenda.after(delays[min(batch.attempts, len(delays)) - 1], self._retry_now, batch)

    def _retry_now(self, batch: Batch) -> None:
        # Gone when a recovered receiver has released everything that waited.
        if self._waiting.pop(id(batch), None) is not None:
            self._due.append(batch)
            self._work.set()
