"""Customers who tap the buttons of a template while processes die: each tap is one click, and gets one answer."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson

from tests.crash.campaigns_load import template_id_of
from tests.crash.insisting import Insistent
from tests.crash.load import COME_AGAIN, GIVE_UP_SECONDS, Load
from tests.product.tenants import Line, Tenant

TEMPLATE = "how_was_it"
LABELS = ("Good", "Bad")
BODY = {"type": "BODY", "text": "Hi {{1}}, how was it?", "example": {"body_text": [["Ana"]]}}
BUTTONS = {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": label} for label in LABELS]}
REPLIES: dict[str, Any] = {"name": TEMPLATE, "language": "en_US", "category": "UTILITY", "components": [BODY, BUTTONS]}
# Who taps what, by turns: one button, both, or one twice.
TAPPED = (LABELS[:1], LABELS, LABELS[1:] * 2)
PAUSE_SECONDS = 0.5
ARRIVAL_SECONDS = 60.0  # a template that has not come by then is one of those of which only Meta would know
ON_A_PAGE = 200


@dataclass(frozen=True, slots=True)
class Clicks:
    """What the dashboard API says of taps."""

    listed: Sequence[tuple[str, str]] = ()  # phone and label of each
    totals: Mapping[str, tuple[int, int]] = field(default_factory=dict)  # by label: taps, and people who tapped


@dataclass(frozen=True, slots=True)
class Tapping:
    """Each gets the template, spread evenly over the load, and taps when it has come."""

    asking: Insistent
    tenant: Tenant
    load: Load
    count: int
    redelivered: Mapping[str, float]  # how Meta tells of each tap
    tapped: dict[str, list[str]] = field(default_factory=dict)  # labels by phone

    async def run(self) -> None:
        """Everybody's taps."""
        tasks = []
        for number in range(self.count):
            await self.load.until_begun(self.load.count * number // self.count)
            tasks.append(asyncio.create_task(self._one(number)))
        await asyncio.gather(*tasks)

    async def clicks(self) -> Clicks:
        """What the dashboard shows of them."""
        if not self.count:
            return Clicks()
        template_id = await template_id_of(self.asking, self.tenant, TEMPLATE)
        shown = await self.asking.until(f"/api/v1/templates/{template_id}/button-clicks", lambda data: data)
        listed: list[tuple[str, str]] = []
        while page := await self._page(template_id, len(listed)):
            listed += [(each["customer_phone"], each["button_text"]) for each in page]
        return Clicks(
            listed, {each["button_text"]: (each["total_clicks"], each["unique_clicks"]) for each in shown["buttons"]}
        )

    async def _page(self, template_id: str, offset: int) -> list[Any]:
        query = f"user_id={self.tenant.user_id}&template_id={template_id}&limit={ON_A_PAGE}&offset={offset}"
        page: list[Any] = await self.asking.until(f"/api/v1/button-clicks?{query}", lambda data: data)
        return page

    async def _one(self, number: int) -> None:
        customer = f"+49161{self.tenant.number % 1000:03d}{number:06d}"
        await self._send(customer)
        message = await self._come(customer)
        if message is None:
            return
        taps = {button["title"]: button["tap"] for button in message["buttons"]}
        self.tapped[customer] = []
        for label in TAPPED[number % len(TAPPED)]:
            self.tapped[customer].append(label)
            await self._tap(customer, message, taps[label])

    async def _send(self, customer: str) -> None:
        """Have the template sent; whoever asks comes again by the same key until it is accepted."""
        line: Line = self.tenant.lines[0]
        template = {"name": TEMPLATE, "body": {"variables": ["Ana"]}}
        headers = {"Authorization": f"Bearer {line.token}", "Idempotency-Key": f"{self.tenant.user_id}-{customer}"}
        body = {"to": customer, "type": "template", "template": template}
        deadline = time.monotonic() + GIVE_UP_SECONDS
        while time.monotonic() < deadline:
            with suppress(aiohttp.ClientError, TimeoutError, OSError):
                url = f"{self.asking.api.gateway}{line.path}"
                async with self.asking.http.post(url, json=body, headers=headers) as answer:
                    if answer.status not in COME_AGAIN:
                        assert answer.status in {200, 202}, await answer.text()
                        return
            await asyncio.sleep(PAUSE_SECONDS)

    async def _come(self, customer: str) -> Any:
        deadline = time.monotonic() + ARRIVAL_SECONDS
        url = f"{self.asking.api.sandbox}/_sandbox/phone/{customer.lstrip('+')}"
        while time.monotonic() < deadline:
            async with self.asking.http.get(url) as answer:
                shown = orjson.loads(await answer.read())["messages"]
            if found := next((each for each in shown if each["buttons"]), None):
                return found
            await asyncio.sleep(PAUSE_SECONDS)
        return None

    async def _tap(self, customer: str, message: Mapping[str, Any], tap: Mapping[str, Any]) -> None:
        body = {
            "phone_number_id": message["business"],
            "from": customer,
            "context_id": message["id"],
            "type": "button",
            "button": {"payload": tap["payload"], "text": tap["text"]},
        }
        url = f"{self.asking.api.sandbox}/_sandbox/inbound"
        async with self.asking.http.post(url, json=body | dict(self.redelivered)) as answer:
            answer.raise_for_status()


def missing(tapped: Mapping[str, Sequence[str]], clicks: Clicks) -> int:
    """How many taps are not counted yet."""
    return sum((_wanted(tapped) - Counter(clicks.listed)).values())


def miscounted_taps(tapped: Mapping[str, Sequence[str]], clicks: Clicks) -> Iterator[str]:
    """Taps that are not one click each, one by one and in the totals of the buttons."""
    wanted, listed = _wanted(tapped), Counter(clicks.listed)
    for phone, label in sorted(wanted.keys() | listed.keys()):
        if (taps := wanted[phone, label]) != (counted := listed[phone, label]):
            yield f"{phone} tapped {label!r} {taps} times; {counted} clicks are listed"
    people: defaultdict[str, set[str]] = defaultdict(set)
    for phone, label in wanted:
        people[label].add(phone)
    for label in sorted(people.keys() | clicks.totals.keys()):
        taps = sum(count for (_, tapped_label), count in wanted.items() if tapped_label == label)
        if clicks.totals.get(label) != (taps, len(people[label])):
            said = clicks.totals.get(label)
            yield f"{label!r} was tapped {taps} times by {len(people[label])} people; counted are {said}"


def _wanted(tapped: Mapping[str, Sequence[str]]) -> Counter[tuple[str, str]]:
    return Counter((phone, label) for phone, labels in tapped.items() for label in labels)
