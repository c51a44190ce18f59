"""What campaigns promise, compared with what the witnesses say. Pure: facts in, violations out."""

from collections.abc import Callable, Iterator
from datetime import timedelta

from tests.crash.campaigns_facts import OVER, CampaignFacts, Row
from tests.crash.campaigns_load import Made, Stop
from tests.crash.options import FREEZE_SECONDS, TIMEOUT_SECONDS

REACHED = {"sent", "delivered", "read"}
UNKNOWN = Row("failed", "outcome_unknown")
# A call that was intended before the answer may be under way after it, in a process that is frozen even for longer.
UNDER_WAY = timedelta(seconds=FREEZE_SECONDS + TIMEOUT_SECONDS)


def _not_made(facts: CampaignFacts) -> Iterator[str]:
    for made in facts.made:
        yield from (f"{made.key} ({made.role}): {strange}" for strange in made.strange)
        shown = facts.shown.get(made.campaign_id)
        if shown is None:
            yield f"{made.key} ({made.role}) was answered {made.campaign_id!r}, which is not listed"
        elif shown["total_recipients"] != len(made.phones):
            yield f"{made.campaign_id} has {shown['total_recipients']} of {len(made.phones)} recipients"
    for unasked in facts.shown.keys() - {made.campaign_id for made in facts.made}:
        yield f"{unasked} is a campaign that nobody was told of"


def _not_over(facts: CampaignFacts) -> Iterator[str]:
    cancelled = {made.campaign_id for made in facts.made if made.is_cancelled}
    for campaign_id, shown in facts.shown.items():
        wanted = {"CANCELLED"} if campaign_id in cancelled else OVER - {"CANCELLED"}
        if campaign_id in facts.waiting:
            wanted = wanted | {"RUNNING"}
        if shown["status"] not in wanted:
            yield f"{campaign_id} is {shown['status']}, {shown['recipient_stats']}, {shown['paused_reason']}"


def _called_twice(facts: CampaignFacts) -> Iterator[str]:
    yield from (f"{phone} was called {len(calls)} times" for phone, calls in facts.calls.items() if len(calls) > 1)


def _wrong_rows(facts: CampaignFacts) -> Iterator[str]:
    unknown = 0
    for made in facts.made:
        may_be_skipped = set(made.phones) if made.is_cancelled else {stop.phone for stop in made.stops}
        for phone in made.phones:
            row = _row(facts, phone)
            unknown += row == UNKNOWN
            if (row.state in REACHED) != bool(facts.calls.get(phone)):
                yield f"{phone} of {made.campaign_id} is {row}, called {len(facts.calls.get(phone, ()))} times"
            elif not (row.state in REACHED or row == UNKNOWN or (row.state == "skipped" and phone in may_be_skipped)):
                yield f"{phone} of {made.campaign_id} ({made.role}) is {row}"
    if unknown > facts.may_be_unknown:
        yield f"{unknown} recipients are unknown; the kills explain no more than {facts.may_be_unknown}"


def _row(facts: CampaignFacts, phone: str) -> Row:
    """What is known of a recipient; one in doubt is pending until the campaign has waited long enough."""
    row = facts.rows.get(phone, Row("missing"))
    return UNKNOWN if row.state == "pending" and phone in facts.in_doubt else row


def _after_a_stop(facts: CampaignFacts) -> Iterator[str]:
    for made in facts.made:
        for stop in made.stops:
            for phone in made.phones if stop.phone is None else (stop.phone,):
                yield from _late(facts, made, stop, phone)


def _late(facts: CampaignFacts, made: Made, stop: Stop, phone: str) -> Iterator[str]:
    intent = facts.intents.get(phone)
    if intent is not None and intent > stop.since and (stop.until is None or intent < stop.until):
        yield f"{phone} of {made.campaign_id} ({made.role}) was intended at {intent}, stopped at {stop.since}"
    for call in facts.calls.get(phone, ()):
        if stop.until is None and call > stop.since + UNDER_WAY:
            yield f"{phone} of {made.campaign_id} ({made.role}) was called at {call}, stopped at {stop.since}"


def _wrong_counters(facts: CampaignFacts) -> Iterator[str]:
    for made in facts.made:
        if (shown := facts.shown.get(made.campaign_id)) is None:
            continue
        stats = shown["recipient_stats"]
        parts = sum(stats.get(name, 0) for name in ("pending", "sent", "delivered", "failed", "skipped"))
        called = sum(phone in facts.calls for phone in made.phones)
        if parts != shown["total_recipients"]:
            yield f"{made.campaign_id}: {stats} do not make {shown['total_recipients']}"
        if {shown["sent_count"], shown["delivered_count"], shown["read_count"]} != {called}:
            yield f"{made.campaign_id}: {stats}, sent_count {shown['sent_count']}; Meta took {called}"


def _lost_credits(facts: CampaignFacts) -> Iterator[str]:
    """Whoever may or may not have got the message keeps a credit set aside; who was skipped until the campaign ends."""
    unknown = sum(_row(facts, phone) == UNKNOWN for phone in facts.rows)
    waiting = [phone for made in facts.made if made.campaign_id in facts.waiting for phone in made.phones]
    skipped = sum(_row(facts, phone).state == "skipped" for phone in waiting)
    set_aside = facts.credits.granted - facts.credits.used - facts.credits.remaining
    if not unknown <= set_aside <= unknown + skipped:
        yield f"{facts.credits}, {unknown} unknown, {skipped} skipped in campaigns that wait"
    if facts.credits.used != len(facts.calls):
        yield f"{facts.credits}, but Meta took {len(facts.calls)}"


CAMPAIGN_PROMISES: dict[str, Callable[[CampaignFacts], Iterator[str]]] = {
    "campaigns are made once, as asked for": _not_made,
    "campaigns come to their end": _not_over,
    "campaigns address nobody twice": _called_twice,
    "campaigns address everybody": _wrong_rows,
    "nothing is intended after pause, cancel or opt-out": _after_a_stop,
    "counters of campaigns are the truth": _wrong_counters,
    "credits are conserved": _lost_credits,
}


def campaign_violations(facts: CampaignFacts) -> dict[str, list[str]]:
    """What campaigns did not keep, by promise."""
    found = {promise: list(broken(facts)) for promise, broken in CAMPAIGN_PROMISES.items()}
    return {promise: examples for promise, examples in found.items() if examples}
