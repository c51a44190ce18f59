"""What other services ask of messaging's phone numbers: changes, checks, and the links that guard them."""

from typing import ClassVar

from pydantic import Field

from shared.contracts.base import Command, Contract, Done, Identifier, Query, Reply
from shared.contracts.messaging import PhoneNumber


class UpdatePhoneNumber(Command[PhoneNumber]):
    """Change a number; None leaves a field as it is. Idempotent: it sets values.

    The token is sealed as in AddPhoneNumber. Raises NotFoundError, and ConflictError when the WABA is another user's.
    """

    message_type: ClassVar[str] = "messaging.update_phone_number.v1"
    reply_type: ClassVar[type[Reply]] = PhoneNumber

    phone_number_id: Identifier
    sealed_access_token: str | None = None
    display_name: str | None = None
    waba_id: str | None = None
    messages_per_second: int | None = Field(default=None, ge=1, le=1000)
    enforce_window: bool | None = None


class DeletePhoneNumber(Command[Done]):
    """Delete a number that has no agent and that no campaign holds: one conditional update.

    Raises NotFoundError, or ConflictError that says what stands against it.
    """

    message_type: ClassVar[str] = "messaging.delete_phone_number.v1"
    reply_type: ClassVar[type[Reply]] = Done

    phone_number_id: Identifier


class NumberCheck(Contract):
    """One thing that was asked of Meta; `message` says in plain words what is wrong and what to do."""

    name: str
    ok: bool
    message: str


class Verification(Reply):
    """Whether a number can be used, check by check."""

    ok: bool
    checks: tuple[NumberCheck, ...]


class VerifyPhoneNumber(Query[Verification]):
    """Ask Meta about a number's token, WABA and subscription. A refusal is a check that failed, never an error."""

    message_type: ClassVar[str] = "messaging.verify_phone_number.v1"
    reply_type: ClassVar[type[Reply]] = Verification

    phone_number_id: Identifier


class LinkAgent(Command[PhoneNumber]):
    """Give a number its one agent: one conditional update. Idempotent for the same agent.

    Raises NotFoundError (number unknown or another user's), ConflictError when it has another agent.
    """

    message_type: ClassVar[str] = "messaging.link_agent.v1"
    reply_type: ClassVar[type[Reply]] = PhoneNumber

    phone_number_id: Identifier
    agent_id: Identifier
    user_id: Identifier


class UnlinkAgent(Command[Done]):
    """Take a number's agent away, if it is this one. Idempotent, also when number or agent are gone."""

    message_type: ClassVar[str] = "messaging.unlink_agent.v1"
    reply_type: ClassVar[type[Reply]] = Done

    phone_number_id: Identifier
    agent_id: Identifier


class HoldNumber(Command[Done]):
    """Keep a number from being deleted while `holder` (a campaign) needs it. Idempotent by holder.

    Raises NotFoundError when the number is unknown or another user's.
    """

    message_type: ClassVar[str] = "messaging.hold_number.v1"
    reply_type: ClassVar[type[Reply]] = Done

    phone_number_id: Identifier
    user_id: Identifier
    holder: Identifier


class ReleaseNumber(Command[Done]):
    """`holder` no longer needs the number. Idempotent."""

    message_type: ClassVar[str] = "messaging.release_number.v1"
    reply_type: ClassVar[type[Reply]] = Done

    phone_number_id: Identifier
    holder: Identifier


class ReleaseNumbers(Command[Done]):
    """None of these holders needs any of these numbers any longer. Idempotent."""

    message_type: ClassVar[str] = "messaging.release_numbers.v1"
    reply_type: ClassVar[type[Reply]] = Done

    phone_number_ids: tuple[Identifier, ...]
    holders: tuple[Identifier, ...]
