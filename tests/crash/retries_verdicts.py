"""What is promised of recipients who go again, compared with what the witnesses say. Pure: facts in, violations out."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from services.campaigns.domain.recipients import message_id_of, recipient_id_of
from tests.crash.retries_facts import RetryFacts
from tests.crash.retries_load import CLASSES, OVER, Retried


def _badly_made(facts: RetryFacts) -> Iterator[str]:
    for made in facts.made:
        yield from (f"{made.key}: {strange}" for strange in made.strange)
        shown = facts.shown.get(made.campaign_id, {})
        # It waits ten minutes for somebody in doubt, which is a part of a long run.
        if shown.get("status") not in ({"RUNNING", OVER} if doubted(facts, made) else {OVER}):
            yield f"{made.key} is {shown.get('status')}, {shown.get('recipient_stats')}, {shown.get('paused_reason')}"
        if not made.is_retried and not doubted(facts, made):
            yield f"{made.key} was never retried"


def _called_otherwise(facts: RetryFacts) -> Iterator[str]:
    """One call in each round that somebody has a part in, and none in any other."""
    for made in facts.made:
        for phone, fate in made.fates.items():
            wanted = [message_id(made, phone, round_) for round_ in range(made.rounds_of(phone))]
            calls = Counter(facts.calls.get(phone, ()))
            for round_, id_ in enumerate(wanted):
                if calls[id_] != 1 and not (calls[id_] == 0 and id_ in facts.in_doubt):
                    yield f"{phone} ({fate}) of {made.key} was called {calls[id_]} times in round {round_}"
            if others := calls.keys() - set(wanted):
                yield f"{phone} ({fate}) of {made.key} has {len(wanted)} rounds and was called in others: {others}"


def _wrong_rows(facts: RetryFacts) -> Iterator[str]:
    for made in facts.made:
        doubts = doubted(facts, made)
        for phone, fate in made.fates.items():
            row = facts.rows.get(made.campaign_id, {}).get(phone, {})
            said = (row.get("state"), row.get("error_class"), row.get("round"))
            ended = ("read", None) if fate == "reached" else ("failed", CLASSES[fate])
            if phone not in doubts and said != (*ended, made.rounds_of(phone) - 1):
                yield f"{phone} ({fate}) of {made.key} is {said} after {made.rounds_of(phone)} rounds"
    if len(facts.in_doubt) > facts.may_be_unknown:
        yield f"{len(facts.in_doubt)} are in doubt; the kills explain no more than {facts.may_be_unknown}"


def _wrong_counters(facts: RetryFacts) -> Iterator[str]:
    for made in facts.made:
        if (shown := facts.shown.get(made.campaign_id)) is None:
            continue
        doubts = doubted(facts, made)
        if doubts and shown["status"] == OVER:  # by then they count as failed
            continue
        fates = Counter(fate for phone, fate in made.fates.items() if phone not in doubts)
        reached, bounced = fates["reached"], fates["bounced"] + fates["parked"]  # Meta had accepted these
        wanted = {
            "total_recipients": len(made.fates),
            "sent_count": reached + bounced,
            "delivered_count": reached,
            "read_count": reached,
            "failed_count": fates["refused"] + bounced,
        }
        if (said := {name: shown.get(name) for name in wanted}) != wanted:
            yield f"{made.key} counts {said}; it should be {wanted}"
        if shown["recipient_stats"]["pending"] != len(doubts):
            yield f"{made.key}: {shown['recipient_stats']}, in doubt {len(doubts)}"
        classes = Counter({each["error_class"]: each["count"] for each in shown["error_classes"]})
        if classes != (failed := Counter(CLASSES[fate] for fate in fates.elements() if fate in CLASSES)):
            yield f"{made.key} names {dict(classes)} as reasons; it should be {dict(failed)}"


def _lost_credits(facts: RetryFacts) -> Iterator[str]:
    """Who was reached costs one credit, whatever it took; who may have been keeps one set aside; nobody else any."""
    reached = sum(bool(calls) and _fate_of(facts, phone) == "reached" for phone, calls in facts.calls.items())
    doubts = sum(len(doubted(facts, made)) for made in facts.made)
    credits = facts.credits
    if (credits.used, credits.granted - credits.used - credits.remaining) != (reached, doubts):
        yield f"{credits}; {reached} were reached, {doubts} are in doubt"


def _fate_of(facts: RetryFacts, phone: str) -> str | None:
    return next((made.fates[phone] for made in facts.made if phone in made.fates), None)


def message_id(made: Retried, phone: str, round_: int) -> str:
    """The message of a recipient in a round."""
    return message_id_of(made.campaign_id, recipient_id_of(made.campaign_id, phone), round_)


def doubted(facts: RetryFacts, made: Retried) -> Mapping[str, str]:
    """Those of a campaign of whom nobody will ever know, by phone."""
    last = {phone: message_id(made, phone, made.rounds_of(phone) - 1) for phone in made.fates}
    return {phone: id_ for phone, id_ in last.items() if id_ in facts.in_doubt}


RETRY_PROMISES: dict[str, Callable[[RetryFacts], Iterator[str]]] = {
    "campaigns are retried as asked for": _badly_made,
    "who is parked or retried is called once in each round": _called_otherwise,
    "recipients say what became of their last round": _wrong_rows,
    "counters of retried campaigns are the truth": _wrong_counters,
    "retries cost what they reach": _lost_credits,
}


def retry_violations(facts: RetryFacts) -> dict[str, list[str]]:
    """What was not kept to those who go again, by promise."""
    found = {promise: list(broken(facts)) for promise, broken in RETRY_PROMISES.items()}
    return {promise: examples for promise, examples in found.items() if examples}
