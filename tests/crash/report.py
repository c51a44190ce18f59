"""What a run has shown: a table for people, JSON for whatever compares runs."""

import dataclasses
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.crash.facts import Facts
from tests.crash.killer import Struck
from tests.crash.options import Options
from tests.crash.verdicts import SHOWN, calls_per_message, violations


@dataclass(frozen=True, slots=True)
class Report:
    """One run, judged."""

    options: Options
    began_at: datetime
    seconds: Mapping[str, float]  # load, drain
    struck: Sequence[Struck]
    answers: Mapping[str, int]  # of single tries, errors of the connection among them
    facts: Facts
    still_open: Mapping[str, int]  # what had not come to its end when patience was over
    waited_for: Mapping[str, int]  # what a run's end was waited for, and in how many looks
    errors_logged: Mapping[str, int]  # by event: no promise is broken by them, but somebody should look

    @property
    def violations(self) -> dict[str, list[str]]:
        """Promises that were not kept, and blows that did not fall: a test that aims and misses proves nothing."""
        found = violations(self.facts)
        if missed := [struck.title for struck in self.struck if not struck.hit]:
            found["every blow falls"] = missed
        if failures := [f"{struck.title}: {struck.failure}" for struck in self.struck if struck.failure]:
            found["everything comes back"] = failures
        if self.still_open:
            found["everything comes to its end"] = [f"{count} {name}" for name, count in self.still_open.items()]
        return found

    def numbers(self) -> dict[str, Any]:
        """Everything that is counted."""
        stored = self.facts.stored.values()
        retried = [each for each in self.facts.retries.made if each.is_retried]
        final = Counter(str(posted.status) for posted in self.facts.posted)
        return {
            "messages": len(self.facts.posted),
            "answers": dict(sorted(final.items())),
            "tries": dict(sorted(self.answers.items())),
            "kinds": dict(sorted(Counter(posted.kind for posted in self.facts.posted).items())),
            "states": dict(sorted(Counter(each.state for each in stored).items())),
            "calls": sum(map(len, self.facts.calls.values())),
            "calls_per_message": calls_per_message(self.facts),
            "declared_resends": sum(each.resends for each in stored),
            "unknown": sum(each.state == "UNKNOWN" for each in stored),
            "may_be_unknown": self.facts.may_be_unknown,
            "events": len(self.facts.events),
            "campaigns": dict(Counter(made.role for made in self.facts.campaigns.made)),
            "recipients": dict(Counter(row.state for row in self.facts.campaigns.rows.values())),
            "retried": dict(Counter(fate for each in retried for fate in each.fates.values())),
            "parked": sum(len(each.parked) for each in self.facts.retries.made),
            "customers": len(self.facts.written),
            "taps": sum(map(len, self.facts.tapped.values())),
            "answers_of_agents": sum(map(len, self.facts.answers.values())),
            "dashboard": self.facts.office.numbers() if self.facts.office else {},
            "waited_for": dict(self.waited_for),
            "errors_logged": dict(self.errors_logged),
            "deliveries": sum(self.facts.events.values()) + self.facts.unverified,
        }

    def write(self, folder: Path) -> Path:
        """Keep it as JSON; returns the file."""
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{self.began_at:%Y%m%dT%H%M%S}.json"
        content = {
            "seed": self.options.seed,
            "options": dataclasses.asdict(self.options),
            "began_at": self.began_at.isoformat(),
            "seconds": {name: round(value, 1) for name, value in self.seconds.items()},
            **self.numbers(),
            "strikes": [dataclasses.asdict(struck) for struck in self.struck],
            "violations": self.violations,
        }
        file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        return file

    def table(self) -> str:
        """For a terminal."""
        rows = {name: _flat(value) for name, value in self.numbers().items()}
        rows["strikes"] = f"{len(self.struck)} ({_flat(Counter(each.title.split(' at ')[0] for each in self.struck))})"
        rows["time"] = ", ".join(f"{name} {value:.0f} s" for name, value in self.seconds.items())
        lines = [f"  {name:<18} {value}" for name, value in rows.items()]
        return "\n".join([*lines, *self._verdict()])

    def _verdict(self) -> list[str]:
        found = self.violations
        if not found:
            return ["  every promise kept"]
        lines = []
        for promise, examples in found.items():
            lines += [f"  BROKEN: {promise} ({len(examples)} times)", *(f"    {each}" for each in examples[:SHOWN])]
        return lines


def _flat(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(
            f"{name} {f'({_flat(each)})' if isinstance(each, Mapping) else each}" for name, each in value.items()
        )
    return str(value)
