"""From rows counted by state to the counters that the API shows."""

from collections.abc import Mapping

from services.campaigns.domain.states import OPEN
from shared.contracts.campaigns import Counters

_NO_RECIPIENT = "refused"


def counters_of(counts: Mapping[str, int]) -> Counters:
    """The counters of one instant; their identities hold because all come from one count."""
    rows = {state: number for state, number in counts.items() if state != _NO_RECIPIENT}
    sent, bounced, read = rows.get("sent", 0), rows.get("bounced", 0), rows.get("read", 0)
    delivered = rows.get("delivered", 0) + read
    return Counters(
        total=sum(rows.values()),
        pending=sum(rows.get(state, 0) for state in OPEN),
        waiting=sent,
        delivered=delivered,
        read=read,
        failed=rows.get("failed", 0) + bounced,
        skipped=rows.get("skipped", 0),
        reached=sent + delivered + bounced,
    )


def done(counters: Counters) -> int:
    """Recipients of whom nothing more has to be sent."""
    return counters.total - counters.pending
