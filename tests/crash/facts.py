"""What four witnesses say: the callers, the sandbox, the database and the vendor's receiver."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson

from services.messaging.domain.opaque import message_id_of
from shared.mongo import Database
from tests.crash.campaigns_facts import CampaignFacts
from tests.crash.load import Posted, recipients_of
from tests.crash.office import OfficeFacts
from tests.crash.retries_facts import RetryFacts
from tests.crash.taps import Clicks
from tests.product.api import Api
from tests.product.tenants import Tenant

READ_RANK = 5  # every phone of the sandbox reads
IN_HAND = "in an open state"


@dataclass(frozen=True, slots=True)
class Call:
    """One call that Meta acted on, whether it answered or not."""

    wamid: str
    to: str


@dataclass(frozen=True, slots=True)
class Stored:
    """One message as the database has it."""

    state: str
    message_class: str
    to: str
    wamid: str | None = None
    rank: int = 0
    resends: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that is known of a run's messages, by message id where it has one."""

    posted: Sequence[Posted]
    calls: Mapping[str, Sequence[Call]]
    stored: Mapping[str, Stored]
    events: Mapping[str, int]  # verified deliveries by event id
    unverified: int  # deliveries whose signature does not hold
    may_be_unknown: int  # messages that the kills of this run can have left without an answer for ever
    written: Mapping[str, Sequence[str]] = field(default_factory=dict)  # what customers wrote, by phone
    answers: Mapping[str, Sequence[str]] = field(default_factory=dict)  # what they were answered
    tapped: Mapping[str, Sequence[str]] = field(default_factory=dict)  # labels of the buttons they tapped, by phone
    clicks: Clicks = field(default_factory=Clicks)
    told: Mapping[str, Sequence[str]] = field(default_factory=dict)  # Meta's statuses of everybody's messages
    ranks: Mapping[str, int] = field(default_factory=dict)  # what is stored of these messages
    in_doubt: Mapping[str, Sequence[str]] = field(default_factory=dict)  # answers of which only Meta knows
    campaigns: CampaignFacts = field(default_factory=CampaignFacts)
    retries: RetryFacts = field(default_factory=RetryFacts)
    office: OfficeFacts | None = None  # what became of all that was done at the dashboard


@dataclass(frozen=True, slots=True)
class Witnesses:
    """Where the facts come from."""

    http: aiohttp.ClientSession
    api: Api
    database: Database
    tenant: Tenant
    users: Collection[str] = ()  # everybody whose messages get statuses

    async def hear(self, posted: Sequence[Posted], may_be_unknown: int) -> Facts:
        """All of it, at the end of a run."""
        events, unverified = await self.events()
        told, ranks = await self.statuses()
        return Facts(
            posted,
            await self.calls(),
            await self.stored(),
            events,
            unverified,
            may_be_unknown,
            told=told,
            ranks=ranks,
        )

    async def statuses(self) -> tuple[dict[str, list[str]], dict[str, int]]:
        """What Meta told of everybody's messages, and the rank that is stored of each."""
        found = self.database["messages"].find({"user_id": {"$in": list(self.users)}}, {"rank": 1})
        ranks = {each["_id"]: each["rank"] async for each in found}
        told: dict[str, list[str]] = {}
        for opaque, statuses in (await self._get("messages?by=statuses"))["told"]:
            if (message_id := message_id_of(opaque) or "") in ranks:
                told.setdefault(message_id, []).extend(statuses)  # several calls of one message: codes are resent
        return told, ranks

    async def pending(self) -> int:
        """How many of Meta's webhooks have still to come or to be taken, repetitions among them."""
        return int((await self._get("webhooks"))["pending"])

    async def calls(self) -> dict[str, list[Call]]:
        """The calls to our recipients that Meta acted on. One with an opaque text of another form gets id ""."""
        seen, ours = await self._get("calls"), recipients_of(self.tenant)
        found: defaultdict[str, list[Call]] = defaultdict(list)
        for call in seen["calls"]:
            if call["outcome"] != "refused" and call["to"].startswith(ours):
                found[message_id_of(call["opaque"]) or ""].append(Call(call["wamid"], f"+{call['to']}"))
        return found

    async def stored(self) -> dict[str, Stored]:
        """Our messages as they are stored."""
        wanted = ("state", "class", "to", "wamid", "rank", "resends")
        found = self.database["messages"].find({"user_id": self.tenant.user_id}, dict.fromkeys(wanted, 1))
        return {
            each["_id"]: Stored(
                each["state"],
                each["class"],
                each["to"],
                each.get("wamid"),
                each["rank"],
                each.get("resends", 0),
            )
            async for each in found
        }

    async def events(self) -> tuple[dict[str, int], int]:
        """Deliveries by event id, and how many were not signed as they should be."""
        seen = await self._get(f"receiver?by=event_id&path={self.tenant.receiver_path}")
        return seen["counts"], seen["unverified"]

    async def open_ends(self) -> dict[str, int]:
        """What has not come to its end yet, in numbers; empty when nothing is left to happen.

        Counted anew in the collection each time: estimated counts are wrong after a mongod was killed.
        """
        ours = {"user_id": self.tenant.user_id}
        conditions: dict[str, dict[str, Any]] = {
            IN_HAND: {"state": {"$in": ["QUEUED", "GROUPED", "CLAIMED", "DISPATCHING", "RETRY_WAIT"]}},
            "not announced": {"state": {"$in": ["SENT", "FAILED"]}, "wake_at": {"$exists": True}},
            "unknown with a status": {"state": "UNKNOWN", "rank": {"$gt": 0}},
            "unknown codes": {"state": "UNKNOWN", "class": "authentication", "reported_unknown": {"$ne": True}},
            "not read yet": {"state": "SENT", "rank": {"$lt": READ_RANK}},
        }
        messages = self.database["messages"]
        counts = {name: await messages.count_documents(ours | condition) for name, condition in conditions.items()}
        told, _ = await self.events()
        counts["not delivered"] = await messages.count_documents(ours | {"state": "SENT"}) - len(told)
        return {name: count for name, count in counts.items() if count > 0}

    async def has_nothing_in_hand(self) -> bool:
        """Whether every message is sent, failed or unknown."""
        return IN_HAND not in await self.open_ends()

    async def _get(self, path: str) -> Any:
        async with self.http.get(f"{self.api.sandbox}/_sandbox/{path}") as answer:
            answer.raise_for_status()
            return orjson.loads(await answer.read())
