"""The deliberate bugs, each with the conditions that bring it to light quickly and every time."""

from dataclasses import dataclass, replace

from tests.crash.options import Options
from tests.crash.plan import MESSAGING

_QUICK = Options(
    messages=300,
    kills=0,
    brokers=0,
    databases=0,
    freezes=0,
    customers=0,
    campaigns=0,
    dashboard=False,
    batches=2,
    per_second=90,
    drain_seconds=15,
    seed=1,
)
_LOST = frozenset({"G1 nothing that was accepted is lost"})
_DOUBLED = frozenset({"G2 Meta is called at most once", "G3 a code is repeated only as declared"})
_UNTOLD = frozenset({"G5 one message.sent for each SENT message"})


@dataclass(frozen=True, slots=True)
class Mutant:
    """How one bug is looked for, and by which promises it must be noticed: any other might be broken by chance."""

    options: Options
    breaks: frozenset[str]


MUTANTS = {
    # Acknowledged, then written: whoever dies in between has lost what it held.
    "ack_before_write": Mutant(
        replace(_QUICK, mutant="ack_before_write", kills=2, points=(), targets=MESSAGING),
        breaks=_LOST,
    ),
    # A read time-out taken for "not sent".
    "blind_retry": Mutant(replace(_QUICK, mutant="blind_retry", lose_reply=0.1), breaks=_DOUBLED),
    # A lease that ended after the intent taken for "never posted"; a status that is there already would show it.
    "requeue_dispatching": Mutant(
        replace(_QUICK, mutant="requeue_dispatching", kills=2, points=("messaging.posted",) * 2, late_statuses=True),
        breaks=_DOUBLED,
    ),
    # The event is only in the worker's memory, not in the message's document.
    "event_outside_document": Mutant(
        replace(_QUICK, mutant="event_outside_document", kills=2, points=("messaging.recorded",) * 2),
        breaks=_UNTOLD,
    ),
}
