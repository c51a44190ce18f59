"""How much of a campaign may be in messaging's hands at once.

Enough that messaging never waits for the next batch, and so little that a pause, a cancelled campaign or another
campaign of the number does not stand behind it: two seconds of what the number may send.
"""

from datetime import datetime, timedelta
from typing import Final

_CAMPAIGN_SHARE: Final = 0.85 * 0.9  # of Meta's figure, as messaging lets campaigns use it
_WINDOW_SECONDS: Final = 2.0
_SMALLEST_WINDOW: Final = 20
_LARGEST_WINDOW: Final = 2000
_SMALL_BATCH: Final = 50
_LARGE_BATCH: Final = 100
_FAST: Final = 500  # messages per second from which large batches save more than they delay

RELEASED_AGAIN_AFTER: Final = timedelta(minutes=3)
_LONGEST_WAIT: Final = timedelta(minutes=30)


def campaign_rate(messages_per_second: float) -> float:
    """Messages a second that campaigns of a number may send."""
    return messages_per_second * _CAMPAIGN_SHARE


def window_of(messages_per_second: float) -> int:
    """Recipients of a number that may be released without an outcome."""
    wanted = round(campaign_rate(messages_per_second) * _WINDOW_SECONDS)
    return max(_SMALLEST_WINDOW, min(wanted, _LARGEST_WINDOW))


def batch_size_of(messages_per_second: float) -> int:
    """Recipients in one command."""
    largest = _LARGE_BATCH if messages_per_second >= _FAST else _SMALL_BATCH
    return min(largest, window_of(messages_per_second))


def portion_of(messages_per_second: float) -> int:
    """How many recipients of a number are handed over at a time: less would cost more than it hurries.

    A quarter of a second's worth is what messaging may send at once. Of more than that, some would wait there for their
    rate, and the batches of other numbers behind them.
    """
    window = window_of(messages_per_second)
    return max(window // 8, min(batch_size_of(messages_per_second), window // 2))


def share_out(available: int, wanting: int) -> list[int]:
    """Divide a number's free window among its campaigns, as evenly as it goes; the first get the remainder."""
    if wanting == 0:
        return []
    each, rest = divmod(max(available, 0), wanting)
    return [each + (1 if place < rest else 0) for place in range(wanting)]


def next_release(now: datetime, releases: int, patience: timedelta = RELEASED_AGAIN_AFTER) -> datetime:
    """When a recipient without outcome is handed over again under the same message id."""
    return now + min(patience * (1 << max(releases - 1, 0)), _LONGEST_WAIT)
