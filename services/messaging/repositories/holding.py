"""Messages that are held back, or ended, before any intent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.messaging.domain.messages import conversation_id
from services.messaging.domain.states import CLAIMED, FAILED, GROUPED, QUEUED, RETRY_WAIT, UNKNOWN
from services.messaging.domain.stops import OPTED_OUT
from services.messaging.repositories.groups import GroupRepository
from shared.clock import Clock
from shared.mongo import Database

_NOT_POSTED = [QUEUED, RETRY_WAIT, CLAIMED]
_MINE = [CLAIMED, GROUPED]
_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class HoldingRepository:
    """The messages collection as stops see it. `held` marks what waits for its campaign to go on.

    What a status has shown to be at Meta (rank above 0) is left alone: only a sweeper lifts it.
    """

    database: Database
    groups: GroupRepository
    now: Clock

    @property
    def _messages(self) -> Any:
        return self.database["messages"]

    async def hold_claimed(self, ids: Sequence[str], attempt_id: str) -> None:
        """Give claimed messages back until their campaign goes on, or their time is over."""
        await self._messages.update_many(self._own(ids, attempt_id), self._held())

    async def end_claimed(self, ids: Sequence[str], attempt_id: str, failure: str) -> None:
        """End claimed messages that will never be posted; the sweeper tells whoever waits."""
        await self._messages.update_many(self._own(ids, attempt_id), self._ended(failure))

    async def hold_campaign(self, campaign_id: str) -> None:
        """Give back what is claimed of a campaign, and keep back what is queued."""
        await self.groups.close_campaign(campaign_id)
        await self._messages.update_many(self._unposted(campaign_id), self._held(), hint="wake_at_1")

    async def cancel_campaign(self, campaign_id: str, failure: str) -> None:
        """End what has not been posted of a campaign."""
        await self.groups.close_campaign(campaign_id)
        await self._messages.update_many(self._unposted(campaign_id), self._ended(failure), hint="wake_at_1")

    async def let_go(self, campaign_id: str) -> None:
        """What was held of a campaign is due now."""
        held = {"wake_at": {"$gt": _ALWAYS}, "campaign_id": campaign_id, "held": True}
        due = {"$set": {"wake_at": self.now()}, "$unset": {"held": ""}}
        await self._messages.update_many(held, due, hint="wake_at_1")

    async def end_marketing(self, user_id: str, contact_id: str, phone: str) -> None:
        """End marketing messages to a contact that have not been posted, from any of the user's numbers."""
        numbers = self.database["phone_numbers"].find({"user_id": user_id}, {"_id": 1})
        threads = [conversation_id(number["_id"], phone) async for number in numbers]
        await self.groups.close_threads(threads)
        unposted = {"conversation_id": {"$in": threads}, "contact_id": contact_id, "class": "marketing"}
        still = {"state": {"$in": _NOT_POSTED}, "rank": 0}
        await self._messages.update_many(unposted | still, self._ended(OPTED_OUT))

    @staticmethod
    def _own(ids: Sequence[str], attempt_id: str) -> dict[str, Any]:
        return {"_id": {"$in": list(ids)}, "aid": attempt_id, "state": {"$in": _MINE}}

    def _unposted(self, campaign_id: str) -> dict[str, Any]:
        # By what is awake, which is what is in flight: an index of its own would cost every message of every campaign.
        return {
            "wake_at": {"$gt": _ALWAYS},
            "campaign_id": campaign_id,
            "state": {"$in": _NOT_POSTED},
            "rank": 0,
        }

    def _held(self) -> list[dict[str, Any]]:
        change = {"state": QUEUED, "held": True, "wake_at": "$expires_at"}
        return [{"$set": change}, {"$unset": ["aid"]}]

    def _ended(self, failure: str) -> list[dict[str, Any]]:
        # One that waits for its repetition was posted once, so nobody can say that it failed.
        now, is_resent = self.now(), {"$gt": [{"$ifNull": ["$resends", 0]}, 0]}
        state = {"$cond": [is_resent, UNKNOWN, FAILED]}
        return [{"$set": {"state": state, "failure": failure, "ended_at": now, "wake_at": now}}, {"$unset": ["aid"]}]
