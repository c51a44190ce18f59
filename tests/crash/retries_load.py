"""Campaigns of which some recipients fail: who was parked goes again, and retry-failed sends to the rest again.

Who is parked waits for a day, and no setting makes that shorter. So a day passes for them by a change in the database,
of their `due_at` and their campaign's `look_at`: everything that follows from it is the product's own doing.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson
from pymongo.errors import PyMongoError

from services.messaging.domain.opaque import message_id_of
from shared.clock import utc_now
from shared.mongo import Database
from tests.crash.campaigns_load import publishing, template_id_of
from tests.crash.insisting import Insistent
from tests.product.running import Product
from tests.product.tenants import Tenant, add_tenant

TENANT_NUMBERS_FROM = 600  # a tenant of their own, since here people are called more than once
REACHED, REFUSED, BOUNCED, PARKED = 20, 6, 4, 4  # recipients of each fate
LOOK_SECONDS = 1.0
OVER = "COMPLETED"

Fate = Literal["parked", "refused", "bounced", "reached"]
When = Literal["at once", "after the kills"]
# Whom a retry asks for: once some of those that failed, once all of them.
ASKED: dict[When, tuple[str, ...]] = {"at once": ("undeliverable",), "after the kills": ()}
CLASSES: dict[Fate, str] = {"parked": "marketing_cap", "refused": "undeliverable", "bounced": "undeliverable"}


@dataclass(slots=True)
class Retried:
    """One campaign as whoever made it sees it."""

    key: str
    when: When  # it is to be tried again
    fates: dict[str, Fate]  # by phone
    campaign_id: str = ""
    parked: set[tuple[str, int]] = field(default_factory=set)  # phone and round, for each day that has passed
    is_retried: bool = False
    strange: list[str] = field(default_factory=list)

    def rounds_of(self, phone: str) -> int:
        """In how many rounds somebody has to be called: first, after each day in the park, and by the retry."""
        asked, fate = ASKED[self.when], self.fates[phone]
        again = self.is_retried and fate in CLASSES and (not asked or CLASSES[fate] in asked)
        return 1 + sum(parked == phone for parked, _ in self.parked) + again


def new_retrier(product: Product, number: int) -> Tenant:
    """The tenant of these campaigns, with a slow number for each."""
    return publishing(product, add_tenant(product.api, TENANT_NUMBERS_FROM + number, lines=len(ASKED)))


@dataclass(frozen=True, slots=True)
class Retries:
    """Two campaigns, both made when the load begins: one is retried while processes die, one after that."""

    asking: Insistent
    tenant: Tenant
    messaging: Database
    campaigns: Database
    is_wanted: bool = True
    made: list[Retried] = field(default_factory=list)
    kills_are_over: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Make both and see them through; returns when each has come to rest after its retry."""
        if not self.is_wanted:
            return
        template_id = await template_id_of(self.asking, self.tenant)
        await asyncio.gather(*(self._see_through(line, when, template_id) for line, when in enumerate(ASKED)))

    async def _see_through(self, line: int, when: When, template_id: str) -> None:
        made = Retried(f"{self.tenant.user_id}-{line}", when, _fates(self.tenant, line))
        self.made.append(made)
        await self._create(made, line, template_id)
        is_over = await self._until_all_is_heard(made)
        if when == "after the kills":
            await self.kills_are_over.wait()
        if not is_over:  # it waits ten minutes for news of somebody in doubt, and cannot be retried before
            return
        path = f"/api/v1/campaign/{made.campaign_id}/retry-failed"
        body = orjson.dumps({"error_classes": ASKED[when]})
        made.is_retried = bool(await self.asking.insist(path, f"{made.key}-retry", body, made.strange))
        await self._until_all_is_heard(made)

    async def _create(self, made: Retried, line: int, template_id: str) -> None:
        body = {
            "phone_number_id": self.tenant.lines[line].phone_number_id,
            "template_id": template_id,
            "name": made.key,
            "auto_start": True,
            "contacts": [{"phone": phone, "variables": {"1": "Ana"}} for phone in made.fates],
        }
        data = await self.asking.insist("/api/v1/campaign", made.key, orjson.dumps(body), made.strange)
        made.campaign_id = data.get("campaign_id", "")

    async def _until_all_is_heard(self, made: Retried) -> bool:
        """Look until everybody is as far as possible; meanwhile days pass for those who are parked.

        Returns whether the campaign is over: it is not while it has somebody of whom nobody knows.
        """
        while made.campaign_id:
            with suppress(PyMongoError):  # the database is struck, too
                await self._let_a_day_pass(made)
                if (is_over := await self._is_over(made)) is not None:
                    return is_over
            await asyncio.sleep(LOOK_SECONDS)
        return False

    async def _let_a_day_pass(self, made: Retried) -> None:
        rows, now = self.campaigns["recipients"], utc_now()
        waiting = {"campaign_id": made.campaign_id, "state": "parked", "due_at": {"$gt": now}}
        async for row in rows.find(waiting, {"phone": 1, "round": 1}):
            # Noted first: the update may be done although its answer is lost.
            made.parked.add((row["phone"], row["round"]))
            await rows.update_one({"_id": row["_id"], "round": row["round"]} | waiting, {"$set": {"due_at": now}})
            # A day later the campaign would long have been looked at.
            await self.campaigns["campaigns"].update_one({"_id": made.campaign_id}, {"$set": {"look_at": now}})

    async def _is_over(self, made: Retried) -> bool | None:
        """True at the end, False while nobody but those in doubt is waited for, None while somebody else is."""
        path = f"/api/v1/campaign/{made.campaign_id}"
        shown, rows = await self.asking.until(path, _itself), await self.rows(made)
        doubts = await self.in_doubt()
        in_doubt = {phone for phone, row in rows.items() if row["message_id"] in doubts}
        waiting = {phone for phone, row in rows.items() if row["state"] != _END.get(made.fates[phone], "failed")}
        if waiting - in_doubt:
            return None
        return False if in_doubt else shown["status"] == OVER or None

    async def rows(self, made: Retried) -> dict[str, Any]:
        """What the API says of each recipient, by phone."""
        path = f"/api/v1/campaign/{made.campaign_id}/recipients?limit=200"
        return {row["phone"]: row for row in (await self.asking.until(path, _itself))["recipients"]}

    async def in_doubt(self) -> frozenset[str]:
        """Messages of which no status will ever tell, since they did not reach Meta, and which nobody knows of."""
        unknown = {"user_id": self.tenant.user_id, "state": "UNKNOWN"}
        doubted = {each["_id"] async for each in self.messaging["messages"].find(unknown, {"_id": 1})}
        if not doubted:
            return frozenset()
        async with self.asking.http.get(f"{self.asking.api.sandbox}/_sandbox/messages?by=statuses") as answer:
            told = orjson.loads(await answer.read())["told"]
        return frozenset(doubted - {message_id_of(opaque) for opaque, _ in told})


_END: dict[Fate, str] = {"reached": "read"}


def _fates(tenant: Tenant, line: int) -> dict[str, Fate]:
    """Those who will be parked come first, so that the campaign is still under way when Meta says so."""
    first = 20 + line * 10  # the first ones are the dashboard's
    parked: dict[str, Fate] = {f"+9991131049{first + each:02d}": "parked" for each in range(PARKED)}
    refused: dict[str, Fate] = {f"+9990131026{first + each:02d}": "refused" for each in range(REFUSED)}
    bounced: dict[str, Fate] = {f"+9991131026{first + each:02d}": "bounced" for each in range(BOUNCED)}
    people = f"+44769{tenant.number % 100:02d}{line}"
    reached: dict[str, Fate] = {f"{people}{each:04d}": "reached" for each in range(REACHED)}
    return parked | refused | bounced | reached


def _itself(data: Any) -> Any:
    return data
