"""Campaigns made through the dashboard API while processes die: paused, cancelled and opted out of on their way."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import orjson

from shared.clock import utc_now
from tests.crash.insisting import PAUSE_SECONDS, Insistent
from tests.crash.load import MARKETING_TEMPLATE, Load
from tests.product.running import Product
from tests.product.tenants import Tenant, add_tenant

TENANT_NUMBERS_FROM = 800  # a tenant of their own: their messages are none that the load has asked for
RECIPIENTS = 120
MESSAGES_PER_SECOND = 10  # so slow that a large campaign is on its way for a quarter of a minute
FEW = 10  # recipients of a small campaign
SMALL_PAUSE_SECONDS = 1.0  # between small campaigns: often enough that each crash point is soon passed
OPT_OUTS = 4
CREDITS = 1_000_000

Role = Literal["plain", "paused", "cancelled", "opted_out", "uploaded", "small"]
ROLES: tuple[Role, ...] = ("paused", "cancelled", "opted_out", "uploaded", "plain")


@dataclass(frozen=True, slots=True)
class Stop:
    """An answer after which nobody (or not this phone) may be addressed, perhaps until something else is asked for."""

    since: datetime
    until: datetime | None = None
    phone: str | None = None


@dataclass(slots=True)
class Made:
    """One campaign as whoever made it sees it."""

    key: str
    role: Role
    phones: tuple[str, ...]
    campaign_id: str = ""
    is_cancelled: bool = False
    contacts: dict[str, str] = field(default_factory=dict)  # of those who opt out, by phone
    stops: list[Stop] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)  # answers that nobody should get


def new_publisher(product: Product, number: int) -> Tenant:
    """A tenant with a slow number for each kind of campaign, a template, and credits enough."""
    return publishing(product, add_tenant(product.api, TENANT_NUMBERS_FROM + number, lines=len(ROLES) + 1))


def publishing(product: Product, tenant: Tenant) -> Tenant:
    """Give a tenant what its campaigns need: slow numbers, a template, credits enough."""
    body = {"type": "BODY", "text": "Hi {{1}}, spring is here!", "example": {"body_text": [["Ana"]]}}
    template = {"name": MARKETING_TEMPLATE, "language": "en_US", "category": "MARKETING", "components": [body]}
    product.api.control("POST", "templates", {"waba_id": tenant.waba_id, **template})
    product.api.made(*tenant.sync())
    for line in tenant.lines:
        path = f"/api/v1/phone-numbers/{line.phone_number_id}"
        answer = product.api.call("PATCH", path, {"messages_per_second": MESSAGES_PER_SECOND})
        assert answer.is_success, answer.text
    product.api.made(f"/admin/users/{tenant.user_id}/credits", {"credits": CREDITS})
    return tenant


@dataclass(frozen=True, slots=True)
class Campaigns:
    """Large campaigns spread over the load, and small ones one after the other as long as it flows."""

    asking: Insistent
    load: Load
    tenant: Tenant
    count: int
    made: list[Made] = field(default_factory=list)

    async def run(self) -> None:
        """Make them all; returns when the last action on one has been answered."""
        if self.count == 0:
            return
        template_id = await template_id_of(self.asking, self.tenant)
        tasks = [asyncio.create_task(self._small_ones(template_id))]
        for number in range(self.count):
            await self.load.until_begun(self.load.count * number // (self.count + 1))
            tasks.append(asyncio.create_task(self._large_one(number, template_id)))
        await asyncio.gather(*tasks)

    async def _small_ones(self, template_id: str) -> None:
        number = self.count
        while self.load.begun < self.load.count:
            made = self._new(number, "small", FEW)
            await self._create(made, template_id, len(ROLES))
            await self._pause_for_a_moment(made, 0.2)
            number += 1
            await asyncio.sleep(SMALL_PAUSE_SECONDS)

    async def _large_one(self, number: int, template_id: str) -> None:
        role = ROLES[number % len(ROLES)]
        made = self._new(number, role, RECIPIENTS)
        await self._create(made, template_id, number % len(ROLES))
        await self._until_somebody_is_reached(made)
        if role == "opted_out":
            await asyncio.gather(*(self._opt_out(made, phone) for phone in made.phones[-OPT_OUTS:]))
        if role == "paused":
            await self._pause_for_a_moment(made, PAUSE_SECONDS * 4)
        if role == "cancelled" and await self._control(made, "cancel"):
            made.is_cancelled = True
            made.stops.append(Stop(utc_now()))

    def _new(self, number: int, role: Role, recipients: int) -> Made:
        first = f"+447{self.tenant.number % 100:02d}{number:04d}"
        phones = tuple(f"{first}{each:03d}" for each in range(recipients))
        self.made.append(Made(f"{self.tenant.user_id}-{number}", role, phones))
        return self.made[-1]

    async def _create(self, made: Made, template_id: str, line: int) -> None:
        contacts = [{"phone": phone, "variables": {"1": "Ana"}} for phone in made.phones]
        body = {
            "phone_number_id": self.tenant.lines[line].phone_number_id,
            "template_id": template_id,
            "name": made.key,
            "auto_start": made.role in {"plain", "cancelled"},
            "contacts": [] if made.role == "uploaded" else contacts,
        }
        data = await self.asking.insist("/api/v1/campaign", made.key, orjson.dumps(body), made.strange)
        made.campaign_id = data.get("campaign_id", "")
        if made.role == "uploaded":
            half = len(made.phones) // 2
            for part in (made.phones[:half], made.phones[half:]):
                await self._upload(made, part)
        if made.role == "opted_out":  # looked up before it starts, so that there is somebody left to opt out
            made.contacts |= {phone: await self._contact(phone) for phone in made.phones[-OPT_OUTS:]}
        if not body["auto_start"]:
            await self._control(made, "start")

    async def _upload(self, made: Made, phones: tuple[str, ...]) -> None:
        rows = "".join(f"{phone},Ana\n" for phone in phones)
        path, key = f"/api/v1/campaign/{made.campaign_id}/recipients", f"{made.key}-{phones[0]}"
        report = await self.asking.insist(path, key, f"phone,1\n{rows}".encode(), made.strange, content_type="text/csv")
        if report.get("accepted") != len(phones):
            made.strange.append(f"upload of {len(phones)}: {report}")

    async def _pause_for_a_moment(self, made: Made, seconds: float) -> None:
        if await self._control(made, "pause"):
            since = utc_now()
            await asyncio.sleep(seconds)
            made.stops.append(Stop(since, until=utc_now()))
            await self._control(made, "resume")

    async def _control(self, made: Made, action: str) -> bool:
        """Whether it was done; it is not when the campaign had come to its end before."""
        path = f"/api/v1/campaign/{made.campaign_id}/{action}"
        return bool(await self.asking.insist(path, f"{made.key}-{action}", b"", made.strange))

    async def _until_somebody_is_reached(self, made: Made) -> None:
        path = f"/api/v1/campaign/{made.campaign_id}"
        await self.asking.until(
            path, lambda data: data if data["sent_count"] or data["status"] == "COMPLETED" else None
        )

    async def _contact(self, phone: str) -> str:
        query = f"/api/v1/contacts?user_id={self.tenant.user_id}&search={phone.lstrip('+')}"
        found = await self.asking.until(query, lambda data: next(iter(data["contacts"]), None))
        return str(found["contact_id"])

    async def _opt_out(self, made: Made, phone: str) -> None:
        path = f"/api/v1/contacts/{made.contacts[phone]}/opt-out"
        await self.asking.insist(path, f"{made.key}-{phone}", b"", made.strange)
        made.stops.append(Stop(utc_now(), phone=phone))


async def template_id_of(asking: Insistent, tenant: Tenant, name: str = MARKETING_TEMPLATE) -> str:
    """Our id of a tenant's template."""
    path = f"/api/v1/templates?phone_number_id={tenant.lines[0].phone_number_id}"
    template = await asking.until(path, lambda data: next((each for each in data if each["name"] == name), None))
    return str(template["template_id"])
