"""What the API, the sandbox and messaging's database say of the campaigns of a run."""

import csv
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
import orjson

from shared.mongo import Database
from tests.crash.campaigns_load import CREDITS, Campaigns, Made
from tests.product.api import Api

DEFAULT_CREDITS = 100  # what every user begins with
OVER = {"COMPLETED", "CANCELLED"}


@dataclass(frozen=True, slots=True)
class Row:
    """What the API says of one recipient."""

    state: str
    error_class: str = ""


@dataclass(frozen=True, slots=True)
class Credits:
    """A user's credits."""

    granted: int = 0
    remaining: int = 0
    used: int = 0


@dataclass(frozen=True, slots=True)
class CampaignFacts:
    """Everything that is known of a run's campaigns; rows, calls and intents by phone."""

    made: Sequence[Made] = ()
    shown: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # by campaign id
    rows: Mapping[str, Row] = field(default_factory=dict)
    calls: Mapping[str, Sequence[datetime]] = field(default_factory=dict)  # that Meta acted on
    intents: Mapping[str, datetime] = field(default_factory=dict)  # the latest
    credits: Credits = Credits()
    may_be_unknown: int = 0
    in_doubt: frozenset[str] = frozenset()  # phones of which only Meta knows; their campaigns wait ten minutes for news

    @property
    def waiting(self) -> frozenset[str]:
        """Campaigns that have somebody to wait for."""
        return frozenset(made.campaign_id for made in self.made if self.in_doubt.intersection(made.phones))


@dataclass(frozen=True, slots=True)
class CampaignWitnesses:
    """Where the facts come from."""

    http: aiohttp.ClientSession
    api: Api
    database: Database
    campaigns: Campaigns

    async def is_resting(self) -> bool:
        """Whether nothing more can be heard of anybody, but for those of whom only Meta knows."""
        shown, in_doubt = await self._shown(), await self._in_doubt()
        return all(
            each["recipient_stats"]["pending"] + each["recipient_stats"]["sent"]
            <= len(in_doubt.intersection(self._phones_of(id_)))
            for id_, each in shown.items()
        )

    async def hear(self, may_be_unknown: int) -> CampaignFacts:
        """All of it."""
        if not self.campaigns.made:
            return CampaignFacts()
        shown = await self._shown()
        in_doubt = await self._in_doubt()
        rows = {phone: row for id_ in shown for phone, row in (await self._rows(id_)).items()}
        return CampaignFacts(
            self.campaigns.made,
            shown,
            rows,
            await self._calls(),
            await self._intents(),
            await self._credits(),
            may_be_unknown,
            in_doubt,
        )

    async def _shown(self) -> dict[str, Mapping[str, Any]]:
        shown: dict[str, Mapping[str, Any]] = {}
        cursor = ""
        while True:
            page = await self._data(f"/api/v1/campaign?user_id={self._user_id}&limit=200{cursor}")
            shown |= {each["campaign_id"]: each for each in page["campaigns"]}
            if (after := page["pagination"]["next_cursor"]) is None:
                return shown
            cursor = f"&cursor={after}"

    async def _rows(self, campaign_id: str) -> dict[str, Row]:
        url = f"{self.api.gateway}/api/v1/campaign/{campaign_id}/recipients"
        async with self.http.get(url, headers={"Accept": "text/csv"}) as answer:
            answer.raise_for_status()
            lines = csv.DictReader(io.StringIO(await answer.text()))
        return {line["phone"]: Row(line["state"], line["error_class"]) for line in lines}

    async def _calls(self) -> dict[str, list[datetime]]:
        ours = {phone for made in self.campaigns.made for phone in made.phones}
        found: defaultdict[str, list[datetime]] = defaultdict(list)
        async with self.http.get(f"{self.api.sandbox}/_sandbox/calls") as answer:
            for call in orjson.loads(await answer.read())["calls"]:
                if call["outcome"] != "refused" and (phone := f"+{call['to']}") in ours:
                    found[phone].append(datetime.fromisoformat(call["at"]))
        return found

    async def _intents(self) -> dict[str, datetime]:
        wanted = {"to": 1, "intended_at": 1}
        intended = {"user_id": self._user_id, "intended_at": {"$exists": True}}
        found = self.database["messages"].find(intended, wanted)
        return {each["to"]: each["intended_at"].replace(tzinfo=UTC) async for each in found}

    async def _in_doubt(self) -> frozenset[str]:
        found = self.database["messages"].find({"user_id": self._user_id, "state": "UNKNOWN"}, {"to": 1})
        return frozenset([each["to"] async for each in found])

    def _phones_of(self, campaign_id: str) -> Sequence[str]:
        return next((made.phones for made in self.campaigns.made if made.campaign_id == campaign_id), ())

    async def _credits(self) -> Credits:
        credits = (await self._data(f"/api/v1/users/{self._user_id}"))["credits"]
        return Credits(CREDITS + DEFAULT_CREDITS, credits["remaining_credits"], credits["total_used"])

    async def _data(self, path: str) -> Any:
        async with self.http.get(f"{self.api.gateway}{path}") as answer:
            answer.raise_for_status()
            return orjson.loads(await answer.read())["data"]

    @property
    def _user_id(self) -> str:
        return self.campaigns.tenant.user_id
