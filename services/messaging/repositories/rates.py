"""The sending rate of a number, shared by every worker: one document, one atomic update a lease of tokens.

Meta counts inbound and outbound messages of a number together (80 a second by default) and answers 130429 above it
(WhatsApp Cloud API, throughput). 85 % of the figure is used, and of that campaigns take at most 90 %. After a 130429 a
number stops for a second, goes on at half its rate, and gains a tenth of the full one for every five quiet seconds.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from shared.mongo import UNSAFE_WRITES, Database

Lane = Literal["one_to_one", "campaign"]

_SHARE_OF_METAS_FIGURE = 0.85
_CAMPAIGN_SHARE = 0.9
_BURST_SECONDS = 0.25  # what may be saved up

_SLOWER = 0.5  # after each second in which Meta has refused
_SLOWEST = 1 / 16
_STOPPED_MS = 1000  # also how long further refusals of the same burst count as one
_RECOVERY_MS = 5000
_RECOVERY_STEP = 0.1
_SWEEPER_LEASE_MS = 1000  # four of its rounds
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Grant:
    """How many messages may be sent now, and when it is worth asking for more."""

    count: int
    wait: timedelta
    spacing: timedelta  # what one message takes at this rate: messages that wait need not all ask at once
    is_ours: bool = True  # False: another sweeper looks after what waits for this number


@dataclass(frozen=True, slots=True)
class RateRepository:
    """The rates collection. Losing it costs a quarter of a second's worth of tokens, so writes need no journal."""

    database: Database

    @property
    def _rates(self) -> Any:
        return self.database.get_collection("rates", write_concern=UNSAFE_WRITES)

    async def take(
        self, phone_number_id: str, wanted: int, *, messages_per_second: float, lane: Lane, sweeper: str | None = None
    ) -> Grant:
        """Take up to `wanted` tokens of a number; the time is the database's, so that all workers agree.

        `sweeper` names a worker who sends what has waited. One at a time does that for a number: two would take tokens
        for the same messages, and put off what the other is about to claim.
        """
        rate = messages_per_second * _SHARE_OF_METAS_FIGURE
        update = _refill_and_take(wanted, rate, lane, sweeper)
        try:
            document = await self._rates.find_one_and_update(
                {"_id": phone_number_id}, update, upsert=True, return_document=ReturnDocument.AFTER
            )
        except DuplicateKeyError:  # two workers made the document at the same moment
            return await self.take(
                phone_number_id, wanted, messages_per_second=messages_per_second, lane=lane, sweeper=sweeper
            )
        taken = int(document["taken"])
        missing = wanted - taken
        lane_rate = rate * document["pace"] * (_CAMPAIGN_SHARE if lane == "campaign" else 1.0)
        wait = min(missing, max(lane_rate * _BURST_SECONDS, 1.0)) / lane_rate if missing else 0.0
        is_ours = sweeper is None or document["sweeper"] == sweeper
        return Grant(taken, timedelta(seconds=wait), timedelta(seconds=1 / lane_rate), is_ours)

    async def slow_down(self, phone_number_id: str) -> None:
        """Meta has refused a message because the number was too fast: a second's rest, then half the rate.

        The other refusals of the same second say nothing new. Every worker's next lease meets the change.
        """
        is_new = {"$lt": [{"$ifNull": ["$slowed_at", _LONG_AGO]}, {"$subtract": ["$$NOW", _STOPPED_MS]}]}
        halved = {"$max": [_SLOWEST, {"$multiply": [_pace(), _SLOWER]}]}
        slowed = {
            "slowed_pace": {"$cond": [is_new, halved, "$slowed_pace"]},
            "slowed_at": {"$cond": [is_new, "$$NOW", "$slowed_at"]},
        }
        emptied = {
            "level": 0,
            "campaign_level": 0,
            # tokens grow from when the rest is over
            "at": {"$add": ["$slowed_at", _STOPPED_MS]},
        }
        await self._rates.update_one({"_id": phone_number_id}, [{"$set": slowed}, {"$set": emptied}])


def _pace() -> dict[str, Any]:
    """The share of its full rate that a number may use now: it recovers step by step, by the time alone."""
    quiet_ms = {"$subtract": ["$$NOW", {"$ifNull": ["$slowed_at", _LONG_AGO]}]}
    steps = {"$floor": {"$divide": [quiet_ms, _RECOVERY_MS]}}
    recovered = {"$add": [{"$ifNull": ["$slowed_pace", 1.0]}, {"$multiply": [steps, _RECOVERY_STEP]}]}
    return {"$min": [1.0, recovered]}


def _refill_and_take(wanted: int, rate: float, lane: Lane, sweeper: str | None) -> list[dict[str, Any]]:
    """A pipeline: refill both buckets for the time passed, then take what the lane may have."""
    passed = {"$divide": [{"$subtract": ["$$NOW", {"$ifNull": ["$at", "$$NOW"]}]}, 1000]}
    seconds = {"$max": [0, passed]}  # a clock that was set back must not take tokens away
    bounded = "$level" if lane == "one_to_one" else {"$min": ["$level", "$campaign_level"]}
    is_resting = {"$gt": [{"$ifNull": ["$at", "$$NOW"]}, "$$NOW"]}
    ends_soon = {"$lte": [{"$ifNull": ["$at", "$$NOW"]}, {"$add": ["$$NOW", _STOPPED_MS]}]}
    may_take: Any = wanted
    leased: dict[str, Any] = {"pace": _pace()}
    if sweeper is not None:
        is_free = {"$lt": [{"$ifNull": ["$swept_until", _LONG_AGO]}, "$$NOW"]}
        is_ours = {"$or": [is_free, {"$eq": ["$sweeper", {"$literal": sweeper}]}]}
        leased |= {
            "sweeper": {"$cond": [is_ours, {"$literal": sweeper}, "$sweeper"]},
            "swept_until": {"$cond": [is_ours, {"$add": ["$$NOW", _SWEEPER_LEASE_MS]}, "$swept_until"]},
        }
        may_take = {"$cond": [{"$eq": ["$sweeper", {"$literal": sweeper}]}, wanted, 0]}
    return [
        {"$set": leased},
        {
            "$set": {
                "level": _refilled("$level", rate, seconds),
                "campaign_level": _refilled("$campaign_level", rate * _CAMPAIGN_SHARE, seconds),
                # A rest is kept to its end; anything further ahead is a clock that was set back.
                "at": {"$cond": [{"$and": [is_resting, ends_soon]}, "$at", "$$NOW"]},
            }
        },
        {"$set": {"taken": {"$max": [0, {"$min": [may_take, {"$floor": bounded}]}]}}},
        {
            "$set": {
                "level": {"$subtract": ["$level", "$taken"]},
                "campaign_level": {"$subtract": ["$campaign_level", "$taken" if lane == "campaign" else 0]},
            }
        },
    ]


def _refilled(level: str, rate: float, seconds: dict[str, Any]) -> dict[str, Any]:
    paced = {"$multiply": [rate, "$pace"]}
    capacity = {"$max": [{"$multiply": [paced, _BURST_SECONDS]}, 1.0]}
    grown = {"$add": [{"$ifNull": [level, capacity]}, {"$multiply": [seconds, paced]}]}
    return {"$min": [capacity, grown]}
