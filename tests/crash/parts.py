"""Everybody who does something in a run beside the killer, and what is open and known of it all."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tests.crash.campaign import Campaign
from tests.crash.campaigns_facts import CampaignWitnesses
from tests.crash.campaigns_verdicts import campaign_violations
from tests.crash.customers import Customers
from tests.crash.facts import Facts, Witnesses
from tests.crash.load import Load, Posted
from tests.crash.office import OfficeWitness
from tests.crash.retries_facts import RetryWitnesses
from tests.crash.retries_verdicts import retry_violations
from tests.crash.taps import Tapping, missing
from tests.crash.verdicts import wrong_statuses


@dataclass(frozen=True, slots=True)
class Parts:
    """All of them."""

    load: Load
    campaign: Campaign
    customers: Customers
    tapping: Tapping
    made: CampaignWitnesses
    retries: RetryWitnesses
    office: OfficeWitness
    witnesses: Witnesses
    may_be_unknown: int  # messages that the kills can have left without an answer for ever

    async def run(self) -> list[Posted]:
        """Everything that ends with the load; returns what was promised of its messages."""
        singles, batched, *_ = await asyncio.gather(
            self.load.run(),
            self.campaign.run(),
            self.customers.run(),
            self.tapping.run(),
            self.made.campaigns.run(),
            self.office.dashboard.run(),
        )
        return [*singles, *batched]

    async def open_ends(self) -> dict[str, int]:
        """What has still to come to its end, in numbers; empty when nothing is left to happen."""
        open_ends = await self.witnesses.open_ends()
        open_ends["webhooks of Meta's to come"] = await self.witnesses.pending()
        open_ends["not answered by agents"] = len(await self.customers.unanswered())
        open_ends |= await self._open_campaigns() | await self.office.open_ends()
        open_ends = {name: count for name, count in open_ends.items() if count}
        return open_ends or await self._late_ends()

    async def hear(self, posted: Sequence[Posted]) -> Facts:
        """All that is known, at the end of a run."""
        return replace(
            await self.witnesses.hear(posted, self.may_be_unknown),
            written=self.customers.written | self.tapping.tapped,
            answers=await self.customers.answers(),
            in_doubt=await self.customers.in_doubt(),
            tapped=self.tapping.tapped,
            clicks=await self.tapping.clicks(),
            campaigns=await self.made.hear(self.may_be_unknown),
            retries=await self.retries.hear(self.may_be_unknown),
            office=await self.office.hear(),
        )

    async def _open_campaigns(self) -> dict[str, int]:
        if not await self.made.is_resting():
            return {"campaigns on their way": 1}
        found = campaign_violations(await self.made.hear(self.may_be_unknown))
        return {f"where {promise}": len(examples) for promise, examples in found.items()}

    async def _late_ends(self) -> dict[str, int]:
        """What takes long to be told, and is not asked before everything else has come to rest."""
        told, ranks = await self.witnesses.statuses()
        counts = {
            "messages without the last of their statuses": sum(1 for _ in wrong_statuses(told, ranks)),
            "taps that are not counted": missing(self.tapping.tapped, await self.tapping.clicks()),
        }
        found = retry_violations(await self.retries.hear(self.may_be_unknown))
        counts |= {f"where {promise}": len(examples) for promise, examples in found.items()}
        return {name: count for name, count in counts.items() if count}
