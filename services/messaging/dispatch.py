"""The send protocol: claim, intent, call, record, announce — each step once for a whole group.

The order is the promise. Whatever dies between two lines leaves every message in a state that the sweeper understands:

1. take rate tokens and do all that may refuse, before the first write;
2. claim: stored as ours, nothing posted; then whoever may forbid it is asked: holds and consents;
3. intent: stored before the first byte leaves; from here on a message is never posted again by mistake;
4. post, and record what was seen, calls that end together in one write;
5. answer callers, announce, and only then forget that an announcement was due.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from services.messaging.clients.meta import MetaClient
from services.messaging.domain.messages import OutboundMessage
from services.messaging.domain.results import judge
from services.messaging.domain.states import Timing
from services.messaging.groups import Group, Groups
from services.messaging.recording import Recorder, Result
from services.messaging.repositories.messages import MessageRepository
from services.messaging.repositories.numbers import SendingNumber
from services.messaging.stopping import Stopping
from shared.crashpoints import crash_point
from shared.ids import new_id
from shared.insist import insist
from shared.sealing import KeyRing, SealingError

log = structlog.get_logger()

LINGER_SECONDS = 0.25
_NO_ACCESS = timedelta(minutes=1)  # until a number is looked for again that is gone, or whose token does not open

Calls = set[asyncio.Task[None]]  # each ends when its outcome is recorded and announced


@dataclass(frozen=True, slots=True)
class _Access:
    """How a number's messages are posted; the token is open only here."""

    meta_phone_number_id: str
    sealed_access_token: str
    authorization: str = field(repr=False)
    on_instagram: bool = False


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What all calls of a group have in common."""

    id: str
    timing: Timing
    together: Group | None


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """Walks groups of rendered messages of one timing through the protocol."""

    messages: MessageRepository
    meta: MetaClient
    recorder: Recorder
    stopping: Stopping
    groups: Groups
    keys: KeyRing
    monotonic: Callable[[], float] = time.monotonic
    _calls: Calls = field(default_factory=set)

    async def send_new(
        self, group: Sequence[OutboundMessage], numbers: dict[str, SendingNumber], timing: Timing
    ) -> dict[str, Calls]:
        """Claim messages that are not stored yet, and start their calls.

        Returns the ids that were ours, each with its call (none if it was given back). The documents are the truth by
        then: whoever waits for the calls does so for order or back-pressure, not for safety.
        """
        attempt_id, claiming_at = new_id("try_"), self.monotonic()
        once = _each_once(group)
        claimed = await insist(lambda: self.messages.claim_new(once, attempt_id, timing))
        crash_point("messaging.claimed")
        mine = [message for message in once if message.id in claimed]
        calls = await self.send_claimed(mine, numbers, attempt_id, timing, claiming_at=claiming_at)
        return {id_: calls.get(id_, set()) for id_ in claimed}

    async def send_grouped(
        self, group: Sequence[OutboundMessage], numbers: dict[str, SendingNumber], timing: Timing
    ) -> dict[str, Calls]:
        """The same with one document that holds lease and intent for all: for many messages nobody waits for."""
        claiming_at, once = self.monotonic(), _each_once(group)
        together = await self.groups.begin(new_id("grp_"), once, timing)
        claimed = await insist(lambda: self.messages.claim_grouped(once, together.id))
        crash_point("messaging.claimed")
        mine = [message for message in once if message.id in claimed]
        calls = await self.send_claimed(mine, numbers, together.id, timing, claiming_at=claiming_at, together=together)
        together.keep(calls)
        return {id_: calls.get(id_, set()) for id_ in claimed}

    async def send_claimed(
        self,
        group: Sequence[OutboundMessage],
        numbers: dict[str, SendingNumber],
        attempt_id: str,
        timing: Timing,
        *,
        claiming_at: float,
        together: Group | None = None,
    ) -> dict[str, Calls]:
        """Carry claimed messages through the intent and start their calls; what is recorded follows by itself.

        `claiming_at` is the monotonic time from before they were claimed: the claim's lease covers the calls as well,
        since an intent that moved it would cost each message a change of the index by which the sweeper finds it.
        """
        accesses = self._open_accesses(numbers)
        going = [message for message in group if message.phone_number_id in accesses]
        await self._give_back([message.id for message in group if message.phone_number_id not in accesses], attempt_id)
        going = await self.stopping.allowed(going, attempt_id)
        if not going:
            return {}
        ids = [message.id for message in going]
        intended = await self._intend(ids, attempt_id, together)
        crash_point("messaging.intended")
        mine = [message for message in going if message.id in intended]
        attempt = _Attempt(attempt_id, timing, together)
        if await self._is_too_late(mine, attempt, claiming_at):
            return {}
        return {
            message.id: {self._start(message.next_attempt(), accesses[message.phone_number_id], attempt)}
            for message in mine
        }

    async def _intend(self, ids: list[str], attempt_id: str, together: Group | None) -> set[str]:
        """Store the intents; returns the messages that are still ours."""
        if together is None:
            return await insist(lambda: self.messages.intend(ids, attempt_id))
        if await self.groups.intend(together):
            return set(ids)
        # Somebody had to know that nothing of it is posted any more; what they did not take is due again.
        await insist(lambda: self.messages.release(ids, attempt_id, self.messages.now()))
        return set()

    async def _is_too_late(self, intended: Sequence[OutboundMessage], attempt: _Attempt, claiming_at: float) -> bool:
        """Whether storing the intents took so long that nothing is posted after all; then they are taken back."""
        if self.monotonic() - claiming_at <= attempt.timing.guard_seconds:
            return False
        # Too much of the lease has passed: somebody may soon take these for lost. Nothing was posted.
        await insist(lambda: self.messages.withdraw([message.id for message in intended], attempt.id))
        log.warning("intent_withdrawn", messages=len(intended))
        return True

    async def drain(self) -> None:
        """Wait until every call that was started has an outcome that is recorded."""
        while self._calls:
            await asyncio.wait(self._calls)

    def _open_accesses(self, numbers: dict[str, SendingNumber]) -> dict[str, _Access]:
        """Open the tokens before the intent: afterwards a failure would look like a call whose answer was lost."""
        accesses = {}
        for phone_number_id, number in numbers.items():
            access = number.access
            try:
                token = self.keys.open(access.sealed_access_token, owner_id=phone_number_id, field="access_token")
            except SealingError as error:
                log.warning("token_not_opened", phone_number_id=phone_number_id, error=str(error))
                continue
            accesses[phone_number_id] = _Access(
                access.meta_phone_number_id,
                access.sealed_access_token,
                f"Bearer {token}",
                on_instagram=access.platform == "instagram",
            )
        return accesses

    async def _give_back(self, ids: list[str], attempt_id: str) -> None:
        if ids:
            due_at = self.messages.now() + _NO_ACCESS
            await insist(lambda: self.messages.release(ids, attempt_id, due_at))

    def _start(self, message: OutboundMessage, access: _Access, attempt: _Attempt) -> asyncio.Task[None]:
        """The call lives on its own: a group that is cut short when the service stops loses no result."""
        call = asyncio.create_task(self._call(message, access, attempt))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        return call

    async def _call(self, message: OutboundMessage, access: _Access, attempt: _Attempt) -> None:
        observation = await self.meta.send(
            access.meta_phone_number_id,
            access.authorization,
            message.posted_body(),
            timeout_seconds=attempt.timing.http_timeout_seconds,
            on_instagram=access.on_instagram,
        )
        crash_point("messaging.posted")
        verdict = judge(observation, tries=message.tries, is_resent=message.resends > 0)
        try:
            await self.recorder.record(
                Result(message, verdict, attempt.id, access.sealed_access_token, group=attempt.together)
            )
        except Exception:  # nobody above can do more than this
            # The document says DISPATCHING, or its group's that it was intended: when the lease ends, it is unknown.
            log.exception("result_not_recorded", message_id=message.id)


def _each_once(group: Sequence[OutboundMessage]) -> list[OutboundMessage]:
    return list({message.id: message for message in group}.values())  # the same twice in a group is one message


async def linger(calls: Calls) -> None:
    """Wait for the first of a group's calls to end, and a moment for the others.

    So a group keeps its place in the queue while Meta is slow, yet one hanging call does not hold it.
    """
    if not calls:
        return
    ended, pending = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
    if pending:
        more, _ = await asyncio.wait(pending, timeout=LINGER_SECONDS)
        ended |= more
    for call in ended:
        call.result()
