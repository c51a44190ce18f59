"""What the API, the sandbox and messaging's database say of campaigns of which some recipients go again."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from services.messaging.domain.opaque import message_id_of
from tests.crash.campaigns_facts import DEFAULT_CREDITS, Credits
from tests.crash.campaigns_load import CREDITS
from tests.crash.retries_load import Retried, Retries


@dataclass(frozen=True, slots=True)
class RetryFacts:
    """Everything that is known of them; shown and rows by campaign id, calls by phone."""

    made: Sequence[Retried] = ()
    shown: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    rows: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)  # then by phone
    calls: Mapping[str, Sequence[str]] = field(default_factory=dict)  # message ids, refused calls among them
    in_doubt: frozenset[str] = frozenset()  # message ids of which nobody will ever know
    credits: Credits = field(default_factory=Credits)
    may_be_unknown: int = 0


@dataclass(frozen=True, slots=True)
class RetryWitnesses:
    """Where the facts come from."""

    retries: Retries

    async def hear(self, may_be_unknown: int) -> RetryFacts:
        """All of it, once every campaign exists."""
        made = [each for each in self.retries.made if each.campaign_id]
        if not made:
            return RetryFacts()
        return RetryFacts(
            made=self.retries.made,
            shown={each.campaign_id: await self._data(f"/api/v1/campaign/{each.campaign_id}") for each in made},
            rows={each.campaign_id: await self.retries.rows(each) for each in made},
            calls=await self._calls({phone for each in made for phone in each.fates}),
            in_doubt=await self.retries.in_doubt(),
            credits=await self._credits(),
            may_be_unknown=may_be_unknown,
        )

    async def _calls(self, phones: set[str]) -> dict[str, list[str]]:
        found: defaultdict[str, list[str]] = defaultdict(list)
        async with self.retries.asking.http.get(f"{self.retries.asking.api.sandbox}/_sandbox/calls") as answer:
            for call in orjson.loads(await answer.read())["calls"]:
                if (phone := f"+{call['to']}") in phones:
                    found[phone].append(message_id_of(call["opaque"]) or "")
        return found

    async def _credits(self) -> Credits:
        credits = (await self._data(f"/api/v1/users/{self.retries.tenant.user_id}"))["credits"]
        return Credits(CREDITS + DEFAULT_CREDITS, credits["remaining_credits"], credits["total_used"])

    async def _data(self, path: str) -> Any:
        return await self.retries.asking.until(path, lambda data: data)
