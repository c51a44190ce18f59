"""Places where a process can be told to die, so that the crash tests can hit every step of a protocol.

A crash between two writes is what the protocols are made for; waiting for chance to hit that instant proves little.
`CRASH_AT=messaging.posted:3` ends the process the third time that it gets there, as abruptly as SIGKILL does.
"""

import os
from collections.abc import Callable

from shared.settings import ConfigurationError

NAMES = frozenset(
    {
        "messaging.claimed",
        "messaging.intended",
        "messaging.posted",
        "messaging.recorded",
        "messaging.published",
        "messaging.swept",
        "messaging.statuses_applied",
        "messaging.credits_moved",
        "messaging.credits_completed",
        "messaging.capturing",
        "webhooks.stored",
        "webhooks.published",
        "webhooks.delivery_stored",
        "webhooks.delivered",
        "templates.synced",
        "templates.claimed",
        "templates.submitted",
        "templates.deleted",
        "templates.counted",
        "agents.received",
        "agents.claimed",
        "agents.answered",
        "agents.sent",
        "agents.closed",
        "gateway.requested",
        "gateway.replied",
        "campaigns.staged",
        "campaigns.starting",
        "campaigns.reserved",
        "campaigns.stepped",
        "campaigns.announced",
        "campaigns.hold_due",
        "campaigns.released",
        "campaigns.handed_over",
        "campaigns.outcomes_applied",
        "campaigns.swept",
    }
)

KILLED = 137  # the exit status of a process that SIGKILL ended: 128 + 9

_passes_left: dict[str, int] = {}  # at most one entry; empty means not armed
_deaths: dict[str, Callable[[int], object]] = {}  # how the armed point ends the process


def arm(text: str | None, *, die: Callable[[int], object] = os._exit) -> None:
    """Arm the crash point `name` or `name:n` (die at the n-th pass, default 1); None or "" disarms.

    `die` is given the exit status; a test within one process gives one that raises.

    Raises ConfigurationError when the name is unknown or n is not a positive number.
    """
    _passes_left.clear()
    if not text:
        return
    name, _, count = text.partition(":")
    if name not in NAMES:
        raise ConfigurationError(f"CRASH_AT: no crash point is called {name!r} (there are {', '.join(sorted(NAMES))})")
    if not (count or "1").isdecimal() or int(count or "1") < 1:
        raise ConfigurationError(f"CRASH_AT: {count!r} is not a positive number of passes")
    _passes_left[name] = int(count or "1")
    _deaths[name] = die


def crash_point(name: str) -> None:
    """Die here if armed for `name` and this is the pass asked for. One dictionary look-up otherwise."""
    if name not in _passes_left:
        return
    _passes_left[name] -= 1
    if _passes_left[name] == 0:
        _deaths[name](KILLED)  # no finally block, no flush, no goodbye to the broker: that is the point
