"""When a recipient may be written to: the campaign's time, in the recipient's own zone where asked, never at night."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import timezone as phone_zones

from shared.contracts.campaigns import QuietHours

# Zones are ahead of UTC by at most fourteen hours: so much earlier a campaign at local time begins.
EARLIEST_ZONE: Final = timedelta(hours=14)
_UNKNOWN: Final = "Etc/Unknown"
_FALLBACK: Final = "UTC"


@dataclass(frozen=True, slots=True)
class Calendar:
    """What a campaign says about hours. `wall_time` is the time of day that is meant in each recipient's own zone."""

    wall_time: datetime | None = None
    quiet_hours: QuietHours | None = None

    @property
    def needs_zones(self) -> bool:
        """Whether recipients' zones matter at all."""
        return self.wall_time is not None or self.quiet_hours is not None

    def is_open(self, zone: str, now: datetime) -> bool:
        """Whether recipients of a zone may be written to now."""
        local = now.astimezone(_zone(zone)).replace(tzinfo=None)
        if self.wall_time is not None and local < self.wall_time:
            return False
        return self.quiet_hours is None or not is_quiet(self.quiet_hours, local.time())

    def open_zones(self, zones: Iterable[str], now: datetime) -> list[str]:
        """Those of the zones in which recipients may be written to now."""
        return [zone for zone in zones if self.is_open(zone, now)]


def is_quiet(hours: QuietHours, local: time) -> bool:
    """Whether a local time lies in the quiet hours; equal ends mean that there are none."""
    start, end = time.fromisoformat(hours.start), time.fromisoformat(hours.end)
    if start <= end:
        return start <= local < end
    return local >= start or local < end


def zone_of(phone: str) -> str:
    """The zone of a number's country (and region, where the number tells it); UTC when it tells nothing."""
    zones = [zone for zone in phone_zones.time_zones_for_number(phonenumbers.parse(phone)) if zone != _UNKNOWN]
    return zones[0] if zones else _FALLBACK


def _zone(name: str) -> ZoneInfo:
    try:
        return _known_zone(name)
    except (KeyError, ValueError):  # the number plan knows a zone that this machine does not
        return _known_zone(_FALLBACK)


@lru_cache(maxsize=512)
def _known_zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
