"""Campaigns made through the dashboard API while processes die: paused, cancelled and opted out of on their way."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import aiohttp
import orjson

from shared.clock import utc_now
from tests.crash.load import COME_AGAIN, MARKETING_TEMPLATE, Load
from tests.product.api import Api
from tests.product.running import Product
from tests.product.tenants import Tenant, add_tenant

TENANT_NUMBERS_FROM = 800  # a tenant of their own: their messages are none that the load has asked for
RECIPIENTS = 120
MESSAGES_PER_SECOND = 10  # so slow that a large campaign is on its way for a quarter of a minute
FEW = 10  # recipients of a small campaign
SMALL_PAUSE_SECONDS = 1.0  # between small campaigns: often enough that each crash point is soon passed
OPT_OUTS = 4
CREDITS = 1_000_000
GIVE_UP_SECONDS = 240.0
PAUSE_SECONDS = 0.5

Role = Literal["plain", "paused", "cancelled", "opted_out", "uploaded", "small"]
ROLES: tuple[Role, ...] = ("paused", "cancelled", "opted_out", "uploaded", "plain")
TOO_LATE = "wrong_campaign_status"


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
    tenant = add_tenant(product.api, TENANT_NUMBERS_FROM + number, lines=len(ROLES) + 1)
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

    http: aiohttp.ClientSession
    api: Api
    load: Load
    tenant: Tenant
    count: int
    made: list[Made] = field(default_factory=list)

    async def run(self) -> None:
        """Make them all; returns when the last action on one has been answered."""
        if self.count == 0:
            return
        template_id = await self._template_id()
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
        data = await self._insist(made, "/api/v1/campaign", made.key, orjson.dumps(body))
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
        report = await self._insist(made, path, key, f"phone,1\n{rows}".encode(), content_type="text/csv")
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
        return bool(await self._insist(made, path, f"{made.key}-{action}", b""))

    async def _until_somebody_is_reached(self, made: Made) -> None:
        path = f"/api/v1/campaign/{made.campaign_id}"
        await self._until(path, lambda data: data if data["sent_count"] or data["status"] == "COMPLETED" else None)

    async def _contact(self, phone: str) -> str:
        query = f"/api/v1/contacts?user_id={self.tenant.user_id}&search={phone.lstrip('+')}"
        found = await self._until(query, lambda data: next(iter(data["contacts"]), None))
        return str(found["contact_id"])

    async def _opt_out(self, made: Made, phone: str) -> None:
        path = f"/api/v1/contacts/{made.contacts[phone]}/opt-out"
        await self._insist(made, path, f"{made.key}-{phone}", b"")
        made.stops.append(Stop(utc_now(), phone=phone))

    async def _template_id(self) -> str:
        path = f"/api/v1/templates?phone_number_id={self.tenant.lines[0].phone_number_id}"
        template = await self._until(
            path, lambda data: next((each for each in data if each["name"] == MARKETING_TEMPLATE), None)
        )
        return str(template["template_id"])

    async def _until(self, path: str, pick: Callable[[Any], Any]) -> Any:
        """Look until there is what is looked for."""
        async with asyncio.timeout(GIVE_UP_SECONDS):
            while True:
                status, answer = await self._try("GET", path)
                if status == 200 and (picked := pick(answer["data"])) is not None:
                    return picked
                await asyncio.sleep(PAUSE_SECONDS)

    async def _insist(
        self, made: Made, path: str, key: str, body: bytes, *, content_type: str = "application/json"
    ) -> Mapping[str, Any]:
        """Post by the same key until it is answered; returns the answer's data, nothing where it came too late."""
        headers = {"Idempotency-Key": key} | ({"Content-Type": content_type} if body else {})
        deadline, status = time.monotonic() + GIVE_UP_SECONDS, 0
        while time.monotonic() < deadline:
            status, answer = await self._try("POST", path, body, headers)
            if status in {200, 201}:
                return dict(answer["data"])
            if status == 409 and TOO_LATE in str(answer):
                return {}
            if status and status not in COME_AGAIN:
                break
            await asyncio.sleep(PAUSE_SECONDS)
        made.strange.append(f"{path} was answered {status}: {str(answer)[:300]}")
        return {}

    async def _try(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Status and body; 0 when there was no answer."""
        url = f"{self.api.gateway}{path}"
        try:
            async with self.http.request(method, url, data=body or None, headers=headers) as answer:
                return answer.status, orjson.loads(await answer.read())
        except (aiohttp.ClientError, TimeoutError, OSError, orjson.JSONDecodeError) as error:
            return 0, type(error).__name__
