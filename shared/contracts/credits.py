"""Credits: granted, reserved, captured, released. The ledger is messaging's; at every instant
reserved + used + free = granted."""

from typing import ClassVar

from pydantic import Field

from shared.contracts.base import Command, Contract, Done, Identifier, Reply
from shared.contracts.messaging import Credits


class GrantCredits(Command[Credits]):
    """Add credits to a user's account. Idempotent by `grant_id`."""

    message_type: ClassVar[str] = "messaging.grant_credits.v1"
    reply_type: ClassVar[type[Reply]] = Credits

    grant_id: Identifier
    user_id: Identifier
    credits: int = Field(gt=0)
    note: str | None = None


class ReserveCredits(Command[Credits]):
    """Set a campaign run's credits aside, all or nothing. Idempotent by campaign and run.

    Messaging captures one for each message of the run that Meta accepts, by itself. Raises InsufficientCreditsError.
    """

    message_type: ClassVar[str] = "messaging.reserve_credits.v1"
    reply_type: ClassVar[type[Reply]] = Credits

    user_id: Identifier
    campaign_id: Identifier
    run: int = Field(ge=0)  # 0 at start, one more at each retry-failed
    credits: int = Field(gt=0)


class ReleaseCredits(Command[Done]):
    """Free what a campaign run will not use. `released` is the run's total so far, so a repetition changes nothing."""

    message_type: ClassVar[str] = "messaging.release_credits.v1"
    reply_type: ClassVar[type[Reply]] = Done

    user_id: Identifier
    campaign_id: Identifier
    run: int = Field(ge=0)
    released: int = Field(ge=0)
    closed: bool = False  # nothing more of this run will be sent: what is neither captured nor released becomes free


class RunRelease(Contract):
    """What a campaign run will not use, as in ReleaseCredits."""

    user_id: Identifier
    campaign_id: Identifier
    run: int = Field(ge=0)
    released: int = Field(ge=0)
    closed: bool = False


class ReleaseRuns(Command[Done]):
    """Free what several campaign runs will not use. Idempotent.

    Raises NotFoundError when one of them has nothing reserved; all others are released by then.
    """

    message_type: ClassVar[str] = "messaging.release_runs.v1"
    reply_type: ClassVar[type[Reply]] = Done

    items: tuple[RunRelease, ...] = Field(min_length=1)
