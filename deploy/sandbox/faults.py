"""The faults and rules that are switched on by name, and the two profiles that set them all at once."""

import random
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Rate = Annotated[float, Field(ge=0, le=1)]


class LoseNext(BaseModel):
    """Lose the replies of the next `next` sends."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    next: int = Field(ge=0)


class FaultState(BaseModel):
    """Everything that can be switched on; the defaults are the calm sandbox."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    latency_ms: float = Field(default=0, ge=0, description="added to every answer of the Graph routes")
    lose_reply: Rate | LoseNext = Field(default=0, description="act, then cut the connection")
    error_rate: Rate = Field(default=0, description="sends answered 500/131000 without acting")
    duplicate_webhooks: Rate = Field(default=0, description="webhook posts that come twice")
    reorder_webhooks: Rate = Field(default=0, description="messages of which two statuses change places")
    repeat_statuses: Rate = Field(default=0, description="statuses that come five times, in any order")
    repeat_within_seconds: float = Field(default=10, ge=0, description="over which such repetitions are spread")
    rate_limit_per_second: float = Field(default=1_000, gt=0, description="of one number; more is 130429")
    enforce_window: bool = Field(default=False, description="free-form outside 24 h fails with 131047")
    marketing_cap: int | None = Field(default=None, ge=0, description="per user and 24 h; more fails with 131049")
    portfolio_limit: int | None = Field(default=None, ge=0, description="users per 24 h; more is 131048")
    us_marketing_rule: bool = Field(default=False, description="no marketing to the US: fails with 131049")
    reject_templates: Rate = Field(default=0, description="templates that review rejects")
    strict_carousel: bool = Field(default=False, description="a card has either a URL button or quick replies")
    status_webhooks: bool = Field(default=True, description="whether statuses happen and are posted at all")
    bare_sends: bool = Field(default=False, description="sends answered as /bench does: nothing checked or kept")
    profile: Literal["calm", "meta"] = Field(default="calm", description="sets all others, and the timing")


PROFILES: Mapping[str, FaultState] = {
    "calm": FaultState(),
    "meta": FaultState(
        lose_reply=0.0005,
        error_rate=0.001,
        duplicate_webhooks=0.015,
        reorder_webhooks=0.05,
        rate_limit_per_second=80,
        enforce_window=True,
        marketing_cap=2,
        portfolio_limit=10_000,
        us_marketing_rule=True,
        reject_templates=0.05,
        strict_carousel=True,
        profile="meta",
    ),
}


class FaultsError(ValueError):
    """A change that names an unknown fault or a value of the wrong type; `name` is the fault."""

    def __init__(self, name: str, problem: str) -> None:
        self.name = name
        super().__init__(f"{name}: {problem}")


class Faults:
    """The faults in force now."""

    def __init__(self) -> None:
        self.now = FaultState()

    def merge(self, change: Mapping[str, Any]) -> FaultState:
        """Apply a partial change; a profile replaces everything the change does not name itself."""
        profile = change.get("profile")
        base = PROFILES[profile] if isinstance(profile, str) and profile in PROFILES else self.now
        try:
            self.now = FaultState.model_validate(base.model_dump() | dict(change))
        except ValidationError as error:
            first = error.errors()[0]
            problem = "there is no such fault" if first["type"] == "extra_forbidden" else first["msg"]
            raise FaultsError(str(first["loc"][0]), problem) from error
        return self.now

    def reset(self) -> None:
        """Back to calm."""
        self.now = FaultState()

    def loses_reply(self) -> bool:
        """Whether this send's reply is lost; counts down when the next few were asked for."""
        lose = self.now.lose_reply
        if isinstance(lose, LoseNext):
            if lose.next == 0:
                return False
            self.now = self.now.model_copy(update={"lose_reply": LoseNext(next=lose.next - 1)})
            return True
        return bool(lose) and random.random() < lose
