"""The promises, each compared with what the witnesses say. Pure: facts in, violations out."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from services.messaging.domain.states import RANKS
from tests.crash.campaigns_verdicts import campaign_violations
from tests.crash.customers import answered_again, unanswered
from tests.crash.facts import READ_RANK, Facts
from tests.crash.office import astray, badly_answered, miscounted
from tests.crash.retries_verdicts import retry_violations
from tests.crash.taps import miscounted_taps

ENDED = {"SENT", "FAILED", "UNKNOWN"}
RESEND_CLASS = "authentication"
SHOWN = 10  # examples of each kind in a report


def violations(facts: Facts) -> dict[str, list[str]]:
    """What was promised and not kept, by promise; empty when all was kept."""
    found = {promise: list(broken(facts)) for promise, broken in PROMISES.items()}
    broken_here = {promise: examples for promise, examples in found.items() if examples}
    return broken_here | campaign_violations(facts.campaigns) | retry_violations(facts.retries)


def _unanswered(facts: Facts) -> Iterator[str]:
    for posted in facts.posted:
        if posted.strange is not None:
            yield f"{posted.key} ({posted.kind}) was answered {posted.strange}"
        elif posted.status not in {200, 202}:
            yield f"{posted.key} ({posted.kind}) was never accepted, however often it was posted"


def _lost(facts: Facts) -> Iterator[str]:
    for posted in facts.posted:
        stored = facts.stored.get(posted.message_id or "")
        if posted.message_id and stored is None:
            yield f"{posted.message_id} ({posted.kind}) was answered {posted.status} and is not stored"
        elif stored and stored.state not in ENDED:
            yield f"{posted.message_id} ({posted.kind}) is still {stored.state}"


def _not_as_answered(facts: Facts) -> Iterator[str]:
    for posted in facts.posted:
        stored = facts.stored.get(posted.message_id or "")
        if posted.wamid and stored and (stored.state, stored.wamid) != ("SENT", posted.wamid):
            yield f"{posted.message_id} was answered sent as {posted.wamid}, stored is {stored.state} {stored.wamid}"


def _several_ids(facts: Facts) -> Iterator[str]:
    for posted in facts.posted:
        if len(posted.ids) > 1:
            yield f"{posted.key} got {len(posted.ids)} message ids: {', '.join(sorted(posted.ids))}"


def _not_asked_for(facts: Facts) -> Iterator[str]:
    asked = {posted.message_id for posted in facts.posted}
    for message_id in facts.calls.keys() | facts.stored.keys():
        if message_id not in asked:
            yield f"{message_id or 'a call without our opaque text'} belongs to no message that was accepted"


def _doubled_held(facts: Facts) -> Iterator[str]:
    for message_id, calls in facts.calls.items():
        stored = facts.stored.get(message_id)
        if len(calls) > 1 and (stored is None or stored.message_class != RESEND_CLASS):
            yield f"{message_id} ({stored.message_class if stored else 'not stored'}) was called {len(calls)} times"


def _undeclared_resends(facts: Facts) -> Iterator[str]:
    for message_id, calls in facts.calls.items():
        stored = facts.stored.get(message_id)
        if stored and stored.message_class == RESEND_CLASS and len(calls) > 1 + stored.resends:
            yield f"{message_id} was called {len(calls)} times and declares {stored.resends} resends"


def _doubled_recipients(facts: Facts) -> Iterator[str]:
    """Nobody is written to twice under different message ids either."""
    ids_of: dict[str, set[str]] = {}
    for message_id, calls in facts.calls.items():
        for call in calls:
            ids_of.setdefault(call.to, set()).add(message_id)
    for to, ids in ids_of.items():
        if len(ids) > 1:
            yield f"{to} was sent {len(ids)} messages: {', '.join(sorted(ids))}"


def _sent_without_call(facts: Facts) -> Iterator[str]:
    for message_id, stored in facts.stored.items():
        if stored.state == "SENT" and stored.wamid not in {call.wamid for call in facts.calls.get(message_id, ())}:
            yield f"{message_id} is SENT as {stored.wamid}, which Meta never gave out for it"


def _not_announced(facts: Facts) -> Iterator[str]:
    sent = {f"message.sent:{message_id}" for message_id, stored in facts.stored.items() if stored.state == "SENT"}
    yield from (f"{event_id} was never delivered" for event_id in sent - facts.events.keys())
    yield from (f"{event_id} was delivered for a message that is not SENT" for event_id in facts.events.keys() - sent)


def _unverified(facts: Facts) -> Iterator[str]:
    if facts.unverified:
        yield f"{facts.unverified} deliveries are not signed as they should be"


def _statuses_lost(facts: Facts) -> Iterator[str]:
    for message_id, stored in facts.stored.items():
        if facts.calls.get(message_id) and stored.rank < READ_RANK:
            yield f"{message_id} was read, but its rank is {stored.rank}"


def wrong_statuses(told: Mapping[str, Sequence[str]], ranks: Mapping[str, int]) -> Iterator[str]:
    """Messages whose status is not the last in Meta's order, however often and in whatever order statuses came."""
    for message_id, rank in ranks.items():
        last = max((RANKS[status] for status in told.get(message_id, ())), default=0)
        if rank != last:
            yield f"{message_id} was told {', '.join(told.get(message_id, ())) or 'nothing'}; its rank is {rank}"


def _statuses_wrong(facts: Facts) -> Iterator[str]:
    yield from wrong_statuses(facts.told, facts.ranks)


def _unknown_but_called(facts: Facts) -> Iterator[str]:
    for message_id, stored in facts.stored.items():
        if stored.state == "UNKNOWN" and facts.calls.get(message_id):
            yield f"{message_id} is UNKNOWN although its statuses have come"


def _unexplained(facts: Facts) -> Iterator[str]:
    unknown = sum(stored.state == "UNKNOWN" for stored in facts.stored.values())
    unknown += sum(map(len, facts.in_doubt.values()))
    failed = [message_id for message_id, stored in facts.stored.items() if stored.state == "FAILED"]
    if unknown > facts.may_be_unknown:
        yield f"{unknown} messages are UNKNOWN; the kills explain no more than {facts.may_be_unknown}"
    yield from (f"{message_id} FAILED, although Meta refused nothing" for message_id in failed)


def _not_answered(facts: Facts) -> Iterator[str]:
    yield from unanswered(facts.written, facts.answers, facts.in_doubt)


def _answered_again(facts: Facts) -> Iterator[str]:
    yield from answered_again(facts.written, facts.answers)


def _taps_miscounted(facts: Facts) -> Iterator[str]:
    yield from miscounted_taps(facts.tapped, facts.clicks)


def _badly_answered_there(facts: Facts) -> Iterator[str]:
    if facts.office is not None:
        yield from badly_answered(facts.office)


def _templates_astray(facts: Facts) -> Iterator[str]:
    if facts.office is not None:
        yield from astray(facts.office)


def _credits_miscounted(facts: Facts) -> Iterator[str]:
    if facts.office is not None:
        yield from miscounted(facts.office)


PROMISES: dict[str, Callable[[Facts], Iterator[str]]] = {
    "every request is accepted in the end": _unanswered,
    "G1 nothing that was accepted is lost": _lost,
    "G1 what was answered is what is stored": _not_as_answered,
    "one Idempotency-Key makes one message": _several_ids,
    "nothing is sent that nobody asked for": _not_asked_for,
    "G2 Meta is called at most once": _doubled_held,
    "G3 a code is repeated only as declared": _undeclared_resends,
    "nobody gets two messages for one": _doubled_recipients,
    "G4 nothing is SENT without a call": _sent_without_call,
    "G5 one message.sent for each SENT message": _not_announced,
    "deliveries are signed": _unverified,
    "no status is lost": _statuses_lost,
    "every message has the last of its statuses": _statuses_wrong,
    "G7 nothing called stays UNKNOWN": _unknown_but_called,
    "every UNKNOWN and FAILED is explained": _unexplained,
    "agents answer every message": _not_answered,
    "agents answer once": _answered_again,
    "a tap is one click": _taps_miscounted,
    "the dashboard gets the answers it should": _badly_answered_there,
    "a submitted template exists once, at Meta as here": _templates_astray,
    "free, reserved and used are what was granted": _credits_miscounted,
}


def calls_per_message(facts: Facts) -> dict[str, dict[str, int]]:
    """How many messages of each class were called how often: the histogram of a report."""
    histogram: dict[str, Counter[str]] = {}
    for message_id, stored in facts.stored.items():
        histogram.setdefault(stored.message_class, Counter())[str(len(facts.calls.get(message_id, ())))] += 1
    return {message_class: dict(sorted(counts.items())) for message_class, counts in sorted(histogram.items())}
