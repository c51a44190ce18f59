"""What a message is: a frozen model that knows its wire name, its kind and (when it has one) its reply."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

from shared.errors import BY_NAME, InternalError, WaapiError

ReplyT = TypeVar("ReplyT", bound="Reply")

Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:+@-]{1,128}$")]
HexId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{24}$")]
PhoneE164 = Annotated[str, StringConstraints(pattern=r"^\+[1-9]\d{6,14}$")]
# Whom a message is for: a phone number, or an id that a channel gives: business-scoped, Instagram-scoped, a session's.
Recipient = Annotated[str, StringConstraints(pattern=r"^(\+[1-9]\d{6,14}|[A-Za-z0-9][A-Za-z0-9_.:-]{0,139})$")]

MESSAGE_TYPES: dict[str, type["Message"]] = {}


class Contract(BaseModel):
    """A value that crosses a service's border: immutable, and strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Item(Contract):
    """One entry of a list event."""


class Reply(Contract):
    """What a request is answered with."""


class Message(Contract):
    """Something that is published under a wire name of its own."""

    message_type: ClassVar[str] = ""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if "message_type" not in cls.__dict__:
            return
        if MESSAGE_TYPES.setdefault(cls.message_type, cls) is not cls:
            raise TypeError(f"two messages are called {cls.message_type}")


class Request(Message, Generic[ReplyT]):
    """A message with one owner, who may be asked for a reply."""

    reply_type: ClassVar[type[Reply]]


class Command(Request[ReplyT], Generic[ReplyT]):
    """Do something. Done even when the caller has gone."""


class Query(Request[ReplyT], Generic[ReplyT]):
    """Tell me something; changes nothing. Dropped once its deadline has passed."""


class Event(Message):
    """Something happened. Any number of listeners, each of which may hear it twice."""


class Done(Reply):
    """The command was carried out, or had been before."""


class ErrorReply(Reply):
    """A WaapiError on its way to the caller."""

    error: str
    message: str
    code: str
    details: tuple[dict[str, Any], ...] = ()
    retry_after_seconds: int | None = None

    @classmethod
    def of(cls, error: WaapiError) -> "ErrorReply":
        """Write the error down; a class that is not known elsewhere becomes InternalError."""
        name = type(error).__name__
        return cls(
            error=name if name in BY_NAME else InternalError.__name__,
            message=error.message,
            code=error.code,
            details=tuple(error.details),
            retry_after_seconds=error.retry_after_seconds,
        )

    def to_error(self) -> WaapiError:
        """The error, as the owner of the command raised it."""
        error_type = BY_NAME.get(self.error, InternalError)
        rest: dict[str, Any] = {"code": self.code, "details": list(self.details)}
        if self.retry_after_seconds is not None:
            rest["retry_after_seconds"] = self.retry_after_seconds
        return error_type(self.message, **rest)


class ReplyAddress(Contract):
    """Where a caller waits, so that any process may answer later, even after a restart of the worker."""

    to: str
    id: str
    until: AwareDatetime


class MessageContext(Contract):
    """The envelope: what travels beside every message, in its headers."""

    id: str
    type: str
    occurred_at: AwareDatetime
    correlation_id: str
    causation_id: str | None = None
    user_id: str | None = None
    attempt: int = 0
    deadline: AwareDatetime | None = None
    traceparent: str | None = None
    reply: ReplyAddress | None = None

    def is_past_deadline(self, now: datetime) -> bool:
        """Whether nobody waits any longer."""
        return self.deadline is not None and now > self.deadline
