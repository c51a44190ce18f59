"""The states of campaigns and of their recipients, and which may follow which.

A recipient's row:

| state | meaning | rank |
|---|---|---|
| pending | to be sent when its turn comes | 0 |
| released | handed to messaging; no outcome yet | 0 |
| overdue | the same for long: handed over again under the same message id, and no longer waited for | 0 |
| parked | Meta asked to wait; sent later in a round of its own | 0 |
| held | accepted by Meta, which assesses the template first | 1 |
| failed | not accepted by Meta (`unknown`: as far as anybody knows) | 1 |
| sent | accepted by Meta, nothing heard since | 2 |
| bounced | accepted by Meta, failed later | 3 |
| delivered, read | what Meta told | 4, 5 |
| skipped | not to be sent: opted out, too late, cancelled | - |
| refused | a row that was no recipient; kept to be shown | - |

Ranks only rise within a round, so that any order and any number of outcomes end the same.
"""

from collections.abc import Mapping
from typing import Final, Literal

from shared.contracts.campaigns import Action, CampaignStatus, RecipientState

Status = CampaignStatus | Literal["CREATING"]

CREATING: Final = "CREATING"
DRAFT: Final = "DRAFT"
SCHEDULED: Final = "SCHEDULED"
RUNNING: Final = "RUNNING"
PAUSED: Final = "PAUSED"
COMPLETED: Final = "COMPLETED"
CANCELLED: Final = "CANCELLED"
FAILED: Final = "FAILED"

OVER: Final = (COMPLETED, CANCELLED, FAILED)
ABANDONED: Final = (CANCELLED, FAILED)  # nobody who was not sent to yet will be
IN_USE: Final = (DRAFT, SCHEDULED, RUNNING, PAUSED)
HOLDING: Final = (SCHEDULED, RUNNING, PAUSED)  # these keep their number from being deleted

UNSENT: Final = ("pending", "parked")
HANDED_OVER: Final = ("released", "overdue")
OPEN: Final = ("pending", *HANDED_OVER, "parked", "held")
RANKS: Final[Mapping[str, int]] = {"held": 1, "failed": 1, "sent": 2, "bounced": 3, "delivered": 4, "read": 5}
FAILURES: Final = ("failed", "bounced")

# What a status of Meta's makes of a row.
AFTER_STATUS: Final[Mapping[str, str]] = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "played": "read",
    "failed": "bounced",
}

# The states behind each name that the API shows.
SHOWN_STATES: Final[Mapping[RecipientState, tuple[str, ...]]] = {
    "pending": OPEN,
    "sent": ("sent",),
    "delivered": ("delivered", "read"),
    "read": ("read",),
    "failed": FAILURES,
    "skipped": ("skipped",),
    "refused": ("refused",),
}

# Which statuses an action starts from, and which show that it was done already.
STARTS_FROM: Final[Mapping[Action, tuple[Status, ...]]] = {
    "start": (DRAFT,),
    "pause": (RUNNING, SCHEDULED),
    "resume": (PAUSED,),
    "cancel": (DRAFT, SCHEDULED, RUNNING, PAUSED),
}
DONE_ALREADY: Final[Mapping[Action, tuple[Status, ...]]] = {
    "start": (SCHEDULED, RUNNING),
    "pause": (PAUSED,),
    "resume": (RUNNING, SCHEDULED),
    "cancel": (CANCELLED,),
}


def shown_state(state: str) -> str:
    """A row's state as the API calls it."""
    if state in OPEN:
        return "pending"
    return "failed" if state == "bounced" else state
