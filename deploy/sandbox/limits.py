"""Meta's limits that count people: the pair rate, the service window, marketing caps, the portfolio's limit."""

import re
import time
from collections import deque

DAY_SECONDS = 24 * 3600
PAIR_BURST = 45
PAIR_SECONDS_PER_MESSAGE = 6

# +1 is shared: area codes of Canada and of the Caribbean and Pacific members of the numbering plan.
_ELSEWHERE = (
    r"204|226|236|249|250|257|263|289|306|343|354|365|367|368|382|387|403|416|418|428|431|437|438|450"
    r"|460|468|474|506|514|519|537|548|579|581|584|587|604|613|639|647|672|683|705|709|742|753|778|780"
    r"|782|807|819|825|867|873|879|902|905|942|242|246|264|268|284|345|441|473|649|658|664|721|758|767"
    r"|784|809|829|849|868|869|876|340|670|671|684|787|939"
)
_US_NUMBER = re.compile(rf"^1(?!(?:{_ELSEWHERE}))[2-9]\d{{9}}$")


def is_us(digits: str) -> bool:
    """Whether a number (without `+`) belongs to the United States by its area code."""
    return _US_NUMBER.match(digits) is not None


class Limits:
    """Who was reached when; each question is asked only while its rule is switched on."""

    def __init__(self) -> None:
        self._inbound_at: dict[tuple[str, str], float] = {}
        self._pair_free_at: dict[tuple[str, str], float] = {}
        self._marketing_at: dict[str, deque[float]] = {}
        self._reached_at: dict[str, float] = {}

    def reset(self) -> None:
        """Forget everybody."""
        for memory in (self._inbound_at, self._pair_free_at, self._marketing_at, self._reached_at):
            memory.clear()

    def note_inbound(self, phone_number_id: str, user: str) -> None:
        """A user wrote: the service window opens for 24 hours."""
        self._inbound_at[phone_number_id, user] = time.time()

    def window_is_open(self, phone_number_id: str, user: str) -> bool:
        """Whether free-form messages still reach this user."""
        return time.time() - self._inbound_at.get((phone_number_id, user), 0) < DAY_SECONDS

    def take_pair(self, phone_number_id: str, user: str) -> bool:
        """Take one message from the pair's bucket: 45 at once, then one in six seconds."""
        now = time.monotonic()
        free_at = max(self._pair_free_at.get((phone_number_id, user), now), now)
        if free_at - now > (PAIR_BURST - 1) * PAIR_SECONDS_PER_MESSAGE:
            return False
        self._pair_free_at[phone_number_id, user] = free_at + PAIR_SECONDS_PER_MESSAGE
        return True

    def take_marketing(self, user: str, cap: int) -> bool:
        """Count a marketing template against the user's cap of 24 hours; False when it is used up."""
        now = time.time()
        recent = self._marketing_at.setdefault(user, deque())
        while recent and now - recent[0] >= DAY_SECONDS:
            recent.popleft()
        if len(recent) >= cap:
            return False
        recent.append(now)
        return True

    def take_portfolio(self, user: str, limit: int) -> bool:
        """Count a user reached outside the window; False when this one would exceed the limit of 24 hours."""
        now = time.time()
        oldest_first = iter(list(self._reached_at.items()))
        for reached, at in oldest_first:
            if now - at < DAY_SECONDS:
                break
            del self._reached_at[reached]
        if user not in self._reached_at and len(self._reached_at) >= limit:
            return False
        self._reached_at.setdefault(user, now)
        return True
