"""The campaigns that send now, and which of them are worth a look.

Who has nobody to be sent to right now is asleep until there is news of it, and then until the next tick, so that many
are looked at together. News may have gone to another replica: after a while it is looked at anyway.
"""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from services.campaigns.domain.campaigns import StoredCampaign
from services.campaigns.repositories.campaigns import CampaignRepository

_TICK_SECONDS = 0.5
_ASLEEP_SECONDS = 2.0  # without news

Lanes = dict[str, list[StoredCampaign]]


@dataclass(slots=True)
class RunningCampaigns:
    """Reads those that are awake; of the others only a name is needed."""

    campaigns: CampaignRepository
    monotonic: Callable[[], float] = time.monotonic
    _known: dict[str, StoredCampaign] = field(default_factory=dict)
    _asleep: dict[str, float] = field(default_factory=dict)  # by id, until when
    _news: set[str] = field(default_factory=set)  # of those who were not asleep when they came
    _none_before: float = 0.0

    async def lanes(self) -> Lanes:
        """All that send now, by number. Who is asleep is as it was when it was read last."""
        if self._none_before > self.monotonic():
            return {}
        now = self.monotonic()
        self._asleep = {id_: until for id_, until in self._asleep.items() if until > now}
        self._news.clear()  # of who is looked at now
        sleeping = [id_ for id_ in self._asleep if id_ in self._known]
        awake = await self.campaigns.list_running(but=sleeping)
        self._known = {id_: self._known[id_] for id_ in sleeping} | {each.id: each for each in awake}
        if not self._known:
            self._none_before = self.monotonic() + _TICK_SECONDS
        lanes: defaultdict[str, list[StoredCampaign]] = defaultdict(list)
        for campaign in self._known.values():
            if not campaign.hold_due:  # messaging may still keep its messages back
                lanes[campaign.phone_number_id].append(campaign)
        return dict(lanes)

    def is_awake(self, campaign_id: str) -> bool:
        """Whether it may have somebody to be sent to, or be at its end."""
        return campaign_id not in self._asleep

    def sleep(self, campaign_id: str) -> None:
        """It has nobody to be sent to right now."""
        has_news = campaign_id in self._news
        self._asleep[campaign_id] = self._next_tick() if has_news else self.monotonic() + _ASLEEP_SECONDS

    def hear_of(self, campaign_ids: Iterable[str]) -> None:
        """These were changed, or something has become of their messages."""
        tick = self._next_tick()
        for id_ in campaign_ids:
            if id_ in self._asleep:
                self._asleep[id_] = min(self._asleep[id_], tick)
            else:
                self._news.add(id_)

    def _next_tick(self) -> float:
        return (math.floor(self.monotonic() / _TICK_SECONDS) + 1) * _TICK_SECONDS
