"""What happens to a message after Meta accepted it: which statuses come, and when."""

import math
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .agenda import Agenda
from .faults import Faults, FaultState
from .ledger import Message, StatusName
from .magic import Effect
from .media import MediaFetcher, local_links
from .webhooks.sender import WebhookSender
from .webhooks.updates import StatusUpdate

HELD_SECONDS = 5.0
REPEATED_TIMES = 5  # so often in all comes a status that a fault has repeated


@dataclass(frozen=True, slots=True)
class Step:
    """One status: when it happens, and when its webhook is posted; seconds after the answer."""

    status: StatusName
    happens: float
    posted: float
    priced: bool = False


def plan(effect: Effect, faults: FaultState, rng: random.Random) -> list[Step]:
    """The statuses of one message to come, in the order they are posted unless a fault says otherwise."""
    if effect.fail_with is not None:
        times = [_lognormal(rng, 0.8, 3.0) if faults.profile == "meta" else rng.uniform(0.01, 0.06)]
        steps = [Step("failed", times[0], times[0])]
    else:
        steps = _meta_steps(effect, rng) if faults.profile == "meta" else _calm_steps(effect, rng)
    if effect.reversed or (faults.reorder_webhooks and len(steps) > 1 and rng.random() < faults.reorder_webhooks):
        steps = _swapped(steps, everything=effect.reversed)
    if effect.twice:
        steps = [step for step in steps for _ in range(2)]
    delay = HELD_SECONDS if effect.held else 0.0
    if effect.slowness == 1 and not delay:
        return steps
    return [_later(step, effect.slowness, delay) for step in steps]


def _calm_steps(effect: Effect, rng: random.Random) -> list[Step]:
    """Quick and complete: everybody reads."""
    at, steps = 0.0, []
    for status in effect.statuses:
        at += 0.01 + 0.04 * rng.random()
        steps.append(Step(status, at, at, _is_priced(status, effect)))
    return steps


def _meta_steps(effect: Effect, rng: random.Random) -> list[Step]:
    """As seen at Meta: some phones are off, some people never read, some reads have no `delivered`."""
    sent = 0.0 if rng.random() < 0.05 else _lognormal(rng, 0.3, 2.0)
    delivered = sent + _delivery_seconds(rng)
    read = delivered + _lognormal(rng, 40.0, 3_600.0)
    at = {"sent": sent, "delivered": delivered, "read": read}
    statuses = list(effect.statuses)
    if "delivered" in statuses and rng.random() < 0.01:
        statuses = ["sent"]
    if statuses[-1:] == ["read"] and rng.random() >= 0.65:
        statuses.pop()
    if "read" in statuses and "delivered" in statuses and rng.random() < 0.15:
        statuses.remove("delivered")
    return [Step(name, at[name], at[name], name == "sent" or name == statuses[1]) for name in statuses]


def _delivery_seconds(rng: random.Random) -> float:
    if rng.random() < 0.04:  # the phone is off
        return rng.uniform(60, 7_200)
    return _lognormal(rng, 1.2, 12.0)


def _lognormal(rng: random.Random, median: float, p99: float) -> float:
    return rng.lognormvariate(math.log(median), math.log(p99 / median) / 2.326)


def reply_seconds(faults: FaultState, rng: random.Random) -> float:
    """How long Meta takes to answer a send."""
    own = _lognormal(rng, 0.18, 1.5) if faults.profile == "meta" else 0.0
    return own + faults.latency_ms / 1_000


def _is_priced(status: StatusName, effect: Effect) -> bool:
    """`pricing` comes with `sent` and with the first of delivered and read."""
    return status in ("sent", "delivered") or (status == "read" and "delivered" not in effect.statuses)


def _swapped(steps: list[Step], *, everything: bool) -> list[Step]:
    """The same events, posted in another order."""
    order = list(reversed(steps)) if everything else [steps[1], steps[0], *steps[2:]]
    return [Step(step.status, step.happens, slot.posted, step.priced) for step, slot in zip(order, steps, strict=True)]


def _later(step: Step, slowness: float, delay: float) -> Step:
    return Step(step.status, step.happens * slowness + delay, step.posted * slowness + delay, step.priced)


@dataclass(frozen=True, slots=True)
class StatusFlow:
    """Plays the plan of each accepted message."""

    agenda: Agenda
    faults: Faults
    webhooks: WebhookSender
    media: MediaFetcher
    rng: random.Random

    def begin(self, message: Message, body: Mapping[str, Any], effect: Effect, reply_after: float) -> None:
        """Play the message's statuses, once its media was fetched; the caller has its answer `reply_after` seconds."""
        if not self.faults.now.status_webhooks:
            return
        links = list(local_links(body)) if b'"link"' in message.body and effect.fail_with is None else []
        if not links:
            self._schedule(message, effect, reply_after)
            return

        def go_on(media_is_good: bool) -> None:
            self._schedule(message, effect if media_is_good else Effect(fail_with=131053), reply_after)

        self.media.fetch(links, go_on)

    def _schedule(self, message: Message, effect: Effect, reply_after: float) -> None:
        since = time.time()
        for step in plan(effect, self.faults.now, self.rng):
            # A few `sent` are posted before the caller has read its answer.
            base = 0.0 if step.happens == 0.0 else reply_after
            self.agenda.after(base + step.posted, self._post, message, step, effect.fail_with, since + base)

    def _post(self, message: Message, step: Step, fail_with: int | None, since: float) -> None:
        code = fail_with if step.status == "failed" else None
        happened_at = min(since + step.happens, time.time())
        message.statuses.append((step.status, happened_at, code))
        faults = self.faults.now
        times = REPEATED_TIMES if faults.repeat_statuses and self.rng.random() < faults.repeat_statuses else 1
        update = StatusUpdate(message, step.status, happened_at, step.priced, code)
        self.webhooks.push(update, times=times, within_seconds=faults.repeat_within_seconds)
