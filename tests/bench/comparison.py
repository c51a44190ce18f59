"""Rounds of dispatch side by side: a round is compared with its neighbours alone, as the machine changes meanwhile."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

from tests.bench.dispatch import Round, WithStatuses
from tests.bench.report import Line, cost_text

TARGET_RATIO = 0.6
TARGET_DRAMATIQ = 4


@dataclass(slots=True)
class Comparison:
    """The same job in turn: by the product, by the grouped reference, and by dramatiq one message after the other."""

    product: list[Round] = field(default_factory=list)
    reference: list[Round] = field(default_factory=list)
    dramatiq: list[Round] = field(default_factory=list)

    def lines(self) -> Iterator[Line]:
        """For the report."""
        for name, rounds in (("product", self.product), ("reference", self.reference), ("dramatiq", self.dramatiq)):
            yield _line(f"dispatch, {name}", rounds)
        yield _ratio_line("dispatch / reference", self.product, self.reference, TARGET_RATIO)
        yield _ratio_line("dispatch / dramatiq", self.product, self.dramatiq, TARGET_DRAMATIQ)


def with_statuses_line(measured: WithStatuses) -> Line:
    """Dispatch while Meta tells what became of each message."""
    return Line(
        "with statuses",
        f"{measured.messages_per_second:7,.0f} messages/s\n"
        f"{measured.statuses_per_second:7,.0f} statuses/s received and applied\n{cost_text(measured.cost)}",
        {
            "messages_per_second": measured.messages_per_second,
            "statuses_per_second": measured.statuses_per_second,
            "cost_us": measured.cost.by_process,
        },
    )


def _line(name: str, rounds: Sequence[Round]) -> Line:
    rates = [each.messages_per_second for each in rounds]
    return Line(
        name,
        f"{median(rates):7,.0f} messages/s   ({', '.join(f'{rate:,.0f}' for rate in rates)})\n"
        f"{cost_text(rounds[-1].cost)}",
        {"messages_per_second": rates, "cost_us": [each.cost.by_process for each in rounds]},
    )


def _ratio_line(name: str, ours: Sequence[Round], theirs: Sequence[Round], target: float) -> Line:
    """The median of the rounds' ratios: our rate by theirs; and their processor time by ours, which a busy machine
    changes less."""
    pairs = list(zip(ours, theirs, strict=True))
    rate = median(our.messages_per_second / their.messages_per_second for our, their in pairs)
    cost = median(their.cost.total / our.cost.total for our, their in pairs)
    return Line(
        name, f"{rate:7.2f}   (target {target}); of processor time {cost:.2f}", {"ratio": rate, "cost_ratio": cost}
    )
