"""Granting, reserving, capturing and releasing credits; domain/ledger.py says in which steps, and why.

Credits are set aside before a message is stored, captured when Meta has accepted it, and released when it has not.
What a crash left half-way is finished by the sweep, from the entries and the messages alone.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from services.messaging.domain.ledger import (
    NEW,
    Account,
    Entry,
    Settlement,
    affordable,
    balance,
    derived,
    initial_grant_id,
    message_entry_id,
    message_id_of,
    movement_of,
    run_entry_id,
    settled,
)
from services.messaging.repositories.charges import ChargeRepository
from services.messaging.repositories.credits import CreditRepository
from shared.contracts.credits import RunRelease
from shared.contracts.messaging import Credits
from shared.crashpoints import crash_point
from shared.errors import InsufficientCreditsError, NotFoundError
from shared.gathering import Gathering

_TOGETHER = 50
_ROUND = 200
_ORPHANED_AFTER = timedelta(minutes=5)  # by then a message that was to be paid for has been stored, or never will be
_LOOK_AGAIN = timedelta(seconds=10)
_COUNTED_A_SECOND = 20_000  # a run's messages are counted in the more time the more they are


@dataclass(frozen=True, slots=True)
class Ledger:
    """Every movement of credits. Each is idempotent by its entry's id."""

    credits: CreditRepository
    charges: ChargeRepository
    default_credits: int
    _reserving: Gathering[Entry, int | None] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_reserving", Gathering(self._reserve, limit=_TOGETHER))

    async def get(self, user_id: str) -> Credits:
        """A user's balance; the first look opens the account with the default grant."""
        while True:
            account = await self._account(user_id)
            entries = await self.credits.list_set_aside(user_id)
            if (await self._account(user_id)).version == account.version:
                return balance(account, entries)

    async def grant(self, user_id: str, grant_id: str, credits: int, note: str | None = None) -> Credits:
        """Add credits."""
        entry = Entry(f"grant:{user_id}:{grant_id}", user_id, "grant", credits, note=note)
        await self._account(user_id)
        await self.credits.add_entries([entry])
        await self._apply(user_id, [entry.id])
        return await self.get(user_id)

    async def reserve_message(self, user_id: str, message_id: str) -> int:
        """Set one credit aside for a message; returns how many are free then. Raises InsufficientCreditsError."""
        return await self._set_aside(Entry(message_entry_id(message_id), user_id, "reservation", 1))

    async def reserve_run(self, user_id: str, campaign_id: str, run: int, credits: int) -> Credits:
        """Set a campaign run's credits aside, all or nothing. Raises InsufficientCreditsError."""
        await self._set_aside(Entry(run_entry_id(campaign_id, run), user_id, "reservation", credits))
        return await self.get(user_id)

    async def release_run(self, user_id: str, campaign_id: str, run: int, released: int, *, closed: bool) -> None:
        """Free what a run will not use, `released` in all so far. Raises NotFoundError for a run that has nothing."""
        asked = RunRelease(user_id=user_id, campaign_id=campaign_id, run=run, released=released, closed=closed)
        await self.release_runs([asked])

    async def release_runs(self, releases: Sequence[RunRelease]) -> None:
        """The same of several runs. Raises NotFoundError when one has nothing; the others are released by then."""
        asked = {run_entry_id(each.campaign_id, each.run): each for each in releases}
        entries = await self.credits.list_entries(list(asked))
        if pending := [entry for entry in entries if entry.is_pending]:  # a release before this one must be through
            for entry in pending:
                await self._apply(entry.user_id, [entry.id])
            entries = await self.credits.list_entries(list(asked))
        own = [entry for entry in entries if entry.user_id == asked[entry.id].user_id]
        await self._settle_runs(
            own,
            at_least={entry.id: asked[entry.id].released for entry in own},
            closing={entry.id for entry in own if entry.closing or asked[entry.id].closed},
        )
        if len(own) < len(asked):
            raise NotFoundError("No credits are reserved for this run")

    async def capture_messages(self, message_ids: Sequence[str]) -> None:
        """Meta has accepted these messages: their credits are spent."""
        if message_ids:
            crash_point("messaging.capturing")
            await self.credits.capture_messages([message_entry_id(id_) for id_ in message_ids])

    async def release_message(self, message_id: str) -> None:
        """This message has failed: its credit is free again."""
        for entry in await self.credits.list_entries([message_entry_id(message_id)]):
            await self._settle([self._settlement(entry, now=self.credits.now(), charged=0, undecided=0, closing=True)])

    async def recount(self, message_ids: Sequence[str], entry_ids: Sequence[str]) -> None:
        """These messages' outcomes have changed after all; what they cost is counted again."""
        await self.credits.wake([*map(message_entry_id, message_ids), *entry_ids])

    async def sweep(self) -> None:
        """Finish what was left half-way, and capture or release what messages have become."""
        due = await self.credits.list_due(_ROUND)
        for entry in (entry for entry, _ in due if entry.is_pending):
            await self._finish(entry)
        still = [(entry, made_at) for entry, made_at in due if not entry.is_pending]
        await self._settle_messages([(entry, made_at) for entry, made_at in still if message_id_of(entry.id)])
        runs = [entry for entry, _ in still if message_id_of(entry.id) is None]
        await self._settle_runs(
            runs,
            at_least={entry.id: entry.released for entry in runs},
            closing={entry.id for entry in runs if entry.closing},
        )
        for account in await self.credits.list_stale_accounts(_ROUND):
            entry_ids = [token.partition("#")[0] for token in account.applying]
            await self._apply(account.user_id, entry_ids)
            await self._forget_completed(account)

    async def rebuild(self, user_id: str) -> tuple[Credits, Credits]:
        """Derive a user's balance from the entries alone; returns it as it was and as it is now."""
        before = await self.get(user_id)
        while True:
            account = await self._account(user_id)
            granted, free = derived(await self.credits.list_all(user_id), account.applying)
            if await self.credits.correct(account, granted, free):
                return before, await self.get(user_id)

    async def _account(self, user_id: str) -> Account:
        account = await self.credits.find_account(user_id)
        if account is None or account.version == 0:  # 0: somebody died before the first grant was through
            initial = Entry(initial_grant_id(user_id), user_id, "grant", self.default_credits)
            await self.credits.add_entries([initial])
            await self.credits.add_account(user_id)
            await self._apply(user_id, [initial.id])
            account = await self.credits.find_account(user_id)
        assert account is not None  # noqa: S101 - accounts are never deleted
        return account

    async def _set_aside(self, entry: Entry) -> int:
        free = await self._reserving.add(entry)
        if free is None:
            raise InsufficientCreditsError("Not enough credits")
        return free

    async def _reserve(self, entries: Sequence[Entry]) -> list[int | None]:
        """Reserve for each entry; how many credits are free then, or None where they do not suffice."""
        by_user: defaultdict[str, dict[str, Entry]] = defaultdict(dict)
        for entry in entries:
            by_user[entry.user_id][entry.id] = entry
        told = await asyncio.gather(
            *(self._reserve_of(user_id, list(own.values())) for user_id, own in by_user.items())
        )
        results = {entry_id: free for part in told for entry_id, free in part.items()}
        return [results.get(entry.id) for entry in entries]

    async def _reserve_of(self, user_id: str, entries: list[Entry]) -> dict[str, int]:
        account = await self._account(user_id)
        known = {entry.id for entry in await self.credits.list_entries([entry.id for entry in entries])}
        movements = [movement for entry in entries if (movement := movement_of(entry)) is not None]
        # Who cannot pay leaves no entry behind; who begins now may still find that somebody else was quicker.
        affordable_ids = {movement.entry_id for movement in affordable(movements, account)}
        begun = [entry for entry in entries if entry.id in affordable_ids and entry.id not in known]
        ids = [*known, *(entry.id for entry in begun)]
        if not ids:
            return {}
        await self.credits.add_entries(begun)
        free = await self._apply(user_id, ids)
        stored = await self.credits.list_entries(ids)
        for entry in stored:
            if entry.state == NEW:
                await self.credits.give_up(entry.id)
        return {entry.id: free for entry in stored if entry.state != NEW}

    async def _apply(self, user_id: str, entry_ids: Sequence[str]) -> int:
        """Take the movements that these entries have coming, as far as credits suffice; returns what is free then."""
        while True:
            # The account first: an entry that is seen pending after that, and whose token is not noted, cannot have
            # been taken unless the account's version has changed.
            account = await self.credits.find_account(user_id)
            pending = [entry for entry in await self.credits.list_entries(entry_ids) if entry.is_pending]
            if account is None:
                return 0
            movements = {entry.id: movement for entry in pending if (movement := movement_of(entry)) is not None}
            taken = affordable(movements.values(), account)
            if taken and not await self.credits.move(account, taken):
                continue
            if taken:
                crash_point("messaging.credits_moved")
            tokens = account.applying | {movement.token for movement in taken}
            done = [entry for entry in pending if movements[entry.id].token in tokens]
            if done:
                await self.credits.complete(done)
                crash_point("messaging.credits_completed")
                await self.credits.forget(user_id, [movements[entry.id].token for entry in done])
            return account.free + sum(movement.free for movement in taken)

    async def _finish(self, entry: Entry) -> None:
        """Go on with a movement; but nobody waits any longer for a reservation that was not taken."""
        account = await self._account(entry.user_id)
        if entry.kind == "reservation" and entry.state == NEW and entry.id not in account.applying:
            await self.credits.give_up(entry.id)
        else:
            await self._apply(entry.user_id, [entry.id])

    async def _forget_completed(self, account: Account) -> None:
        entries = await self.credits.list_entries([token.partition("#")[0] for token in account.applying])
        coming = {movement.token for entry in entries if (movement := movement_of(entry)) is not None}
        await self.credits.forget(account.user_id, [token for token in account.applying if token not in coming])

    async def _settle_messages(self, entries: Sequence[tuple[Entry, datetime]]) -> None:
        """Reservations of single messages, with the moment each was made."""
        if not entries:
            return
        charges = await self.charges.list_charges([message_id_of(entry.id) or "" for entry, _ in entries])
        settlements, now = [], self.credits.now()
        for entry, made_at in entries:
            charge = charges.get(message_id_of(entry.id) or "")
            is_orphan = charge is None and made_at <= now - _ORPHANED_AFTER
            is_decided = charge in {"charged", "free"} or is_orphan
            settlements.append(
                self._settlement(
                    entry,
                    now=now,
                    charged=int(charge == "charged"),
                    undecided=int(not is_decided),
                    closing=entry.closing or is_decided,
                )
            )
        await self._settle(settlements)

    async def _settle_runs(
        self, entries: Sequence[Entry], *, at_least: Mapping[str, int], closing: Collection[str]
    ) -> None:
        """Reservations of campaigns' runs: what their owner says of them, by entry id, and what is counted."""
        if not entries:
            return
        # In this order: one that is accepted meanwhile counts twice until the next look, not in neither.
        undecided = await self.charges.count_undecided([entry.id for entry in entries if entry.id in closing])
        charged, now = await self.charges.count_charged([entry.id for entry in entries]), self.credits.now()
        await self._settle(
            [
                self._settlement(
                    entry,
                    now=now,
                    charged=charged[entry.id],
                    undecided=undecided[entry.id],
                    closing=entry.id in closing,
                    at_least=at_least[entry.id],
                )
                for entry in entries
            ]
        )

    def _settlement(
        self, entry: Entry, *, now: datetime, charged: int, undecided: int, closing: bool, at_least: int = 0
    ) -> Settlement:
        """What is captured, and what no message can need any more (or what its owner does not)."""
        captured, released = settled(replace(entry, closing=closing), charged=charged, undecided=undecided)
        released = min(max(released, at_least), entry.amount - captured)
        pause = max(_LOOK_AGAIN, timedelta(seconds=charged / _COUNTED_A_SECOND))
        return Settlement(entry, captured, released, closing, now + pause)

    async def _settle(self, settlements: Sequence[Settlement]) -> None:
        """Write down what is captured, and release what is to be released."""
        # One thing at a time: the sweep comes back to what has a movement under way.
        due = [each for each in settlements if not each.entry.is_pending]
        await self.credits.settle([each for each in due if each.released <= each.entry.released])
        for each in due:
            if each.released > each.entry.released:
                await self.credits.begin_release(each)
                await self._apply(each.entry.user_id, [each.entry.id])
                await self.credits.rest(each.entry, each.look_at)
