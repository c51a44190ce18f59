"""What stands between a valid send and the message: Meta's limits, and the refusals a recipient asks for."""

import random
from dataclasses import dataclass, field

from .errors import GraphError
from .faults import Faults
from .limits import Limits, is_us
from .magic import Effect
from .numbers import Number
from .templates.store import Template

_UNKNOWN_ERROR = "Message failed to send due to an unknown error."


class BadGatewayError(Exception):
    """Meta's proxy answers 502 with HTML: nothing was done, but the answer does not say so."""

    code = 502


@dataclass(frozen=True, slots=True)
class Gate:
    """Refuses sends, or says what they will fail with later."""

    limits: Limits
    faults: Faults
    rng: random.Random
    failures: dict[str, int] = field(default_factory=dict)

    def reset(self) -> None:
        """Forget which magic recipients have failed how often."""
        self.failures.clear()

    def check(self, number: Number, to: str, effect: Effect) -> None:
        """Refuse what Meta refuses whatever is sent: the rates, and what the recipient or a fault asks for."""
        faults = self.faults.now
        if to == number.display_phone_number:
            raise GraphError(131021, "Recipient phone number is the same as the sender's.")
        if not number.take(faults.rate_limit_per_second):
            raise GraphError(130429, "Cloud API message throughput has been reached.", subcode=2494055)
        if faults.profile == "meta" and not self.limits.take_pair(number.phone_number_id, to):
            raise GraphError(131056, "Too many messages sent from this phone number to the same phone number.")
        if effect.bad_gateway:
            raise BadGatewayError
        if effect.refuse_with is not None:
            raise GraphError(effect.refuse_with, f"Asked for by the recipient +{to}.")
        if self._fails(to, effect):
            raise GraphError(131000, _UNKNOWN_ERROR)

    def later_failure(self, number: Number, to: str, template: Template | None) -> int | None:
        """The code the message will fail with by webhook, if any; raises 131048 for what is refused at once."""
        faults, is_marketing = self.faults.now, template is not None and template.category == "MARKETING"
        window_is_open = self.limits.window_is_open(number.phone_number_id, to)
        if faults.enforce_window and template is None and not window_is_open:
            return 131047
        if is_marketing and faults.us_marketing_rule and is_us(to):
            return 131049
        limit, cap = faults.portfolio_limit, faults.marketing_cap
        if limit is not None and not window_is_open and not self.limits.take_portfolio(to, limit):
            raise GraphError(131048, "The messaging limit of the business portfolio has been reached.")
        if is_marketing and cap is not None and not self.limits.take_marketing(to, cap):
            return 131049
        return None

    def _fails(self, to: str, effect: Effect) -> bool:
        if effect.fail_first and self.failures.setdefault(to, 0) < effect.fail_first:
            self.failures[to] += 1
            return True
        error_rate = self.faults.now.error_rate
        return bool(error_rate) and self.rng.random() < error_rate
