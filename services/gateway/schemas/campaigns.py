"""Bodies of campaigns."""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from services.gateway.domain.recipient_files import as_text
from services.gateway.schemas.fields import Body, Identifier, Moment, Name
from services.gateway.schemas.rules import filled_when
from services.gateway.schemas.values import MOST_VALUES, NO_OPERATOR, values_schema
from shared.web.field_errors import field_error

MOST_CONTACTS = 10_000  # in one JSON body; more are uploaded as a file

_LONGEST_FIELD = 1024


def _texts(given: Any) -> Any:
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise field_error("must be an object of values by variable")
    if len(given) > MOST_VALUES:
        raise field_error(f"must have at most {MOST_VALUES} values")
    return {name: _text(name, value) for name, value in given.items()}


def _text(name: str, value: Any) -> str:
    try:
        return as_text(name, value)
    except ValueError as error:
        raise field_error(str(error).removeprefix(f"{name} "), field=name) from None


def _filled(values: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value != ""}


Variables = Annotated[
    dict[str, str],
    BeforeValidator(_texts),
    AfterValidator(_filled),
    WithJsonSchema(values_schema(NO_OPERATOR)),
]
PersonField = Annotated[str, Field(max_length=_LONGEST_FIELD)] | None


class ContactBody(Body):
    """One recipient."""

    phone: Annotated[str, Field(max_length=64)]
    """Their phone number in E.164 format; checked together with all others."""
    name: PersonField = None
    """Kept on the contact, as the next two."""
    email: PersonField = None
    """Their e-mail address."""
    company: PersonField = None
    """Where they work."""
    variables: Variables = Field(default_factory=dict)
    """Values by position in the body ("1"), by name, or as "header.1" and "button.0"."""


class QuietHoursBody(Body):
    """Hours in which nobody is written to, in each recipient's own zone; `start` later than `end` spans midnight."""

    start: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    """For example 21:00."""
    end: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    """For example 08:00."""


class CreateCampaignBody(Body):
    """A new campaign: one approved template to many recipients."""

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [filled_when("auto_start", True, "contacts"), filled_when("local_time", True, "scheduled_at")]
        }
    )

    phone_number_id: Identifier
    """The number to send from; the campaign is its owner's."""
    template_id: Identifier
    """Our id of an approved template of the number's account."""
    name: Name
    """What people call it."""
    auto_start: bool = False
    """Start at once (or when it is due) instead of leaving a DRAFT."""
    contacts: Annotated[list[ContactBody], Field(max_length=MOST_CONTACTS)] = Field(default_factory=list)
    """At most 10,000; more are uploaded to a DRAFT."""
    skip_invalid: bool = False
    """Leave out recipients that cannot be sent to instead of refusing all."""
    scheduled_at: Moment | None = None
    """When to begin; left out: when it is started."""
    local_time: bool = False
    """Read the time of day of `scheduled_at` in each recipient's own zone."""
    quiet_hours: QuietHoursBody | None = None
    """Hours in which nobody is written to."""
    deadline: Moment | None = None
    """Who was not sent to by then is skipped."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.local_time and self.scheduled_at is None:
            raise field_error("needs scheduled_at", field="local_time")
        if self.deadline is not None and self.scheduled_at is not None and self.deadline <= self.scheduled_at:
            raise field_error("must be later than scheduled_at", field="deadline")
        if self.auto_start and not self.contacts:
            raise field_error("must not be empty when auto_start is set", field="contacts")
        return self


class RetryFailedBody(Body):
    """Whom to send to again."""

    error_classes: list[Annotated[str, Field(max_length=64)]] = Field(default_factory=list, max_length=50)
    """Names of `error_classes` of the campaign; none: all."""
    include_unknown: bool = False
    """Also those of whom only Meta knows whether they got the message: they may get it twice."""
