"""What became of all that was done at the dashboard, told by Meta, by the API and by the database; and the verdict."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from services.messaging.domain.ledger import reserved
from services.messaging.rebuild import rebuild
from services.messaging.repositories.credits import CreditRepository
from shared.clock import utc_now
from shared.mongo import Database
from tests.crash.dashboard import GRANTED, RECIPIENTS, REFUSED, SUBMITTED, Asked, Dashboard, Done

DEFAULT_CREDITS = 100  # messaging's own default: the stack sets none
IN_HAND = ("QUEUED", "GROUPED", "CLAIMED", "DISPATCHING", "RETRY_WAIT")


@dataclass(frozen=True, slots=True)
class Balance:
    """A user's credits: three by the API, one summed up from open entries, and whether a rebuild changes anything."""

    granted: int
    free: int
    used: int
    reserved: int
    rebuild_changes_it: bool = False


@dataclass(frozen=True, slots=True)
class OfficeFacts:
    """Templates as (name, status) pairs, so that one that exists twice is seen twice."""

    done: Done
    at_meta: Sequence[tuple[str, str]]
    here: Sequence[tuple[str, str]]
    ids_here: Mapping[str, str]  # by name
    balance: Balance
    calls: Sequence[str]  # recipients of messages that Meta has acted on
    unknown: int  # messages of which nobody will ever know

    def numbers(self) -> dict[str, Any]:
        """What is counted of it."""
        return {
            "templates": len(self.done.templates),
            "deleted": len(self.done.deleted),
            "sends": len(self.done.sends),
            "refused": len(self.done.refused),
            "accepted": len(self.calls),
            "used": self.balance.used,
            "reserved": self.balance.reserved,
        }


@dataclass(frozen=True, slots=True)
class OfficeWitness:
    """Where the facts come from."""

    dashboard: Dashboard
    messaging: Database
    templates: Database

    async def open_ends(self) -> dict[str, int]:
        """What has not come to its end yet; empty when nothing is left to happen."""
        ours = {"user_id": self.dashboard.tenant.user_id}
        messages = self.messaging["messages"]
        unknown = await messages.count_documents(ours | {"state": "UNKNOWN"})
        waiting = {"$or": [{"status": "PENDING"}, {"submission": {"$exists": True}}]}
        counts = {
            "messages of the dashboard in hand": await messages.count_documents(ours | {"state": {"$in": IN_HAND}}),
            "credits that are neither free nor used": await self._reserved() - unknown,
            "templates that wait": await self.templates["templates"].count_documents(ours | waiting),
        }
        return {name: count for name, count in counts.items() if count}

    async def hear(self) -> OfficeFacts:
        """All of it, at the end of a run."""
        number_id, user_id = self.dashboard.number_id, self.dashboard.tenant.user_id
        found = await self.dashboard.get(f"/api/v1/templates?phone_number_id={number_id}&status=ALL")
        here = [each for each in found if each["name"].startswith(SUBMITTED)]
        state = {"user_id": user_id, "state": "UNKNOWN"}
        return OfficeFacts(
            done=self.dashboard.done,
            at_meta=await self._at_meta(),
            here=[(each["name"], each["status"]) for each in here],
            ids_here={each["name"]: each["template_id"] for each in here},
            balance=await self._balance(user_id),
            calls=await self._calls(),
            unknown=await self.messaging["messages"].count_documents(state),
        )

    async def _balance(self, user_id: str) -> Balance:
        shown = (await self.dashboard.get(f"/api/v1/users/{user_id}"))["credits"]
        kept = await self._reserved()
        (report,) = await rebuild(self.messaging, DEFAULT_CREDITS, [user_id])
        granted = report["before"]["total_granted"]
        return Balance(granted, shown["remaining_credits"], shown["total_used"], kept, report["changed"])

    async def _reserved(self) -> int:
        entries = await CreditRepository(self.messaging, utc_now).list_set_aside(self.dashboard.tenant.user_id)
        return sum(reserved(entry, ()) for entry in entries)

    async def _calls(self) -> list[str]:
        seen = orjson.loads(await self._read(f"{self.dashboard.api.sandbox}/_sandbox/calls"))["calls"]
        ours = (RECIPIENTS, REFUSED.lstrip("+"))
        return [call["to"] for call in seen if call["outcome"] != "refused" and call["to"].startswith(ours)]

    async def _at_meta(self) -> list[tuple[str, str]]:
        tenant = self.dashboard.tenant
        url: str | None = f"{self.dashboard.api.sandbox}/v25.0/{tenant.waba_id}/message_templates?limit=200"
        found: list[tuple[str, str]] = []
        while url:
            page = orjson.loads(await self._read(url, tenant.access_token))
            found += [(each["name"], each["status"]) for each in page["data"] if each["name"].startswith(SUBMITTED)]
            url = page.get("paging", {}).get("next")
        return found

    async def _read(self, url: str, token: str | None = None) -> bytes:
        headers = {"Authorization": f"Bearer {token}"} if token else None
        async with self.dashboard.http.get(url, headers=headers) as answer:
            answer.raise_for_status()
            return await answer.read()


def badly_answered(facts: OfficeFacts) -> Iterator[str]:
    """Calls that got an answer which nobody should ever get, or none."""
    for asked in (*facts.done.others, *facts.done.sends):
        if not asked.is_done:
            yield _said(asked)
    for asked in facts.done.refused:
        if asked.status not in {202, 502}:
            yield _said(asked)


def _said(asked: Asked) -> str:
    return f"{asked.key} ({asked.path}) was answered {asked.status or 'never'} {asked.code or ''}"


def astray(facts: OfficeFacts) -> Iterator[str]:
    """Templates that were submitted and do not exist exactly once, at Meta and here, with the same status.

    Those that were deleted must exist nowhere.
    """
    for name in sorted({name for name, _ in (*facts.at_meta, *facts.here)} | facts.done.templates.keys()):
        at_meta = [status for known, status in facts.at_meta if known == name]
        here = [status for known, status in facts.here if known == name]
        if name in facts.done.deleted and not at_meta and not here:
            continue
        if len(at_meta) != 1 or at_meta != here or name in facts.done.deleted:
            was = "was deleted and " if name in facts.done.deleted else ""
            yield f"{name} {was}is {' and '.join(at_meta) or 'unknown'} at Meta, {' and '.join(here) or 'unknown'} here"
        if facts.done.templates.get(name) != facts.ids_here.get(name):
            yield f"{name} was drafted as {facts.done.templates.get(name)} and is {facts.ids_here.get(name)}"


def miscounted(facts: OfficeFacts) -> Iterator[str]:
    """Where the ledger differs from what was granted, from what Meta accepted, or from itself."""
    balance, accepted = facts.balance, len(facts.calls)
    granted = DEFAULT_CREDITS + (GRANTED if facts.done.others else 0)
    if balance.granted != granted:
        yield f"{granted} credits were granted once; the ledger says {balance.granted}"
    if balance.free + balance.reserved + balance.used != balance.granted:
        yield f"free, reserved and used are not what was granted: {balance}"
    if balance.used != accepted:
        yield f"Meta accepted {accepted} messages; {balance.used} credits are used"
    if balance.reserved != facts.unknown:
        yield f"{balance.reserved} credits are reserved for {facts.unknown} UNKNOWN messages"
    if balance.rebuild_changes_it:
        yield "a rebuild from the entries gives another balance"
    yield from (
        f"{to} was written to {facts.calls.count(to)} times" for to in set(facts.calls) if facts.calls.count(to) > 1
    )
