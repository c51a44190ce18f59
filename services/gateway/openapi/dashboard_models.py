"""What the dashboard API and the operator's routes answer, for their document; the routes write plain JSON."""

from typing import Any, Literal

from pydantic import Field

from services.gateway.domain.permissions import Permission
from services.gateway.openapi.shown import FieldProblem, Shown, Time, left_out


class Enveloped(Shown):
    """What every answer has."""

    timestamp: Time
    correlationId: str  # noqa: N815 - the API document's own spelling
    """The request's id in our logs."""


class RefusedAnswer(Enveloped):
    """An error: `error` is the status in words, `message` explains."""

    success: Literal[False]
    error: str
    message: str
    code: str
    """Stable name of the error, in snake case."""
    details: list[FieldProblem] = Field(default_factory=left_out)
    """All fields that are wrong; left out when the error is not about fields."""


class Done(Enveloped):
    """Something was done, and there is nothing to show."""

    success: Literal[True]
    message: str


class CreditsShown(Shown):
    """A user's credits."""

    remaining_credits: int
    """What can be spent; reserved credits are left out."""
    total_used: int
    """What was spent so far."""


class NewUser(Shown):
    """A user."""

    user_id: str
    email: str
    company_name: str | None
    created_at: Time
    updated_at: Time


class UserShown(NewUser):
    """A user with the present credits."""

    credits: CreditsShown


class NumberShown(Shown):
    """A phone number, without its access token."""

    id: str
    """Our id of it."""
    user_id: str
    platform: Literal["whatsapp", "instagram", "webchat"]
    """Numbers of web chat channels are listed only when asked for."""
    meta_phone_number_id: str
    display_name: str | None
    waba_id: str | None
    created_at: Time
    updated_at: Time


class NumbersAgent(Shown):
    """The agent that answers on a number."""

    agent_id: str
    name: str
    prompt_id: str
    created_at: Time


class NumberDetails(NumberShown):
    """A phone number and its agent."""

    agent: NumbersAgent | None
    """Null when no agent answers on this number."""
    messages_per_second: int
    """How many messages Meta lets it send in a second."""
    quality_rating: str | None
    """Meta's, once it has told us."""
    enforce_window: bool
    """Whether anything but a template is refused to who has not written within 24 hours."""


class VariableShown(Shown):
    """One variable of a template."""

    position: int
    variable_name: str
    default_value: str | None
    sample_value: str | None


class DashboardTemplate(Shown):
    """One language of a template."""

    template_id: str
    name: str
    category: str
    """`MARKETING`, `UTILITY` or `AUTHENTICATION`."""
    status: str
    """Meta's, or `DRAFT`."""
    language: str
    components: list[dict[str, Any]]
    """Meta's components as they are."""
    variables: list[VariableShown]


class SyncedShown(Shown):
    """A template that a sync brought over or changed."""

    template_id: str
    name: str


class SyncProblem(Shown):
    """A template that could not be taken over."""

    name: str
    language: str | None
    error: str


class SyncSummary(Shown):
    """How many there were of each."""

    totalImported: int  # noqa: N815 - the API document's own spelling
    totalUpdated: int  # noqa: N815
    totalErrors: int  # noqa: N815


class SyncShown(Shown):
    """What a sync did."""

    imported: list[SyncedShown]
    updated: list[SyncedShown]
    errors: list[SyncProblem]
    summary: SyncSummary


class KeyBase(Shown):
    """An API key."""

    key_id: str
    name: str
    prefix: str
    """The harmless beginning of the token, to recognise it by."""
    permissions: list[Permission]
    phone_number_id: str
    encoded_phone_id: str
    """The `encodedPhoneId` of the external send API."""
    created_at: Time
    expires_at: Time | None


class NewKeyShown(KeyBase):
    """A new API key with its token, which is shown this once."""

    token: str


class KeyShown(KeyBase):
    """An API key, without its token."""

    last_used_at: Time | None


class Answered(Enveloped):
    """Success."""

    success: Literal[True]


class NewUserAnswer(Answered):
    """201."""

    data: NewUser


class UserAnswer(Answered):
    """200."""

    data: UserShown


class NumbersAnswer(Answered):
    """200, newest first."""

    data: list[NumberShown]


class NewNumberAnswer(Answered):
    """201."""

    data: NumberShown


class NumberAnswer(Answered):
    """200."""

    data: NumberDetails


class DashboardTemplatesAnswer(Answered):
    """200, newest first."""

    data: list[DashboardTemplate]


class SyncAnswer(Answered):
    """200, even when single templates had errors."""

    data: SyncShown


class NewKeyAnswer(Answered):
    """201."""

    data: NewKeyShown


class KeysAnswer(Answered):
    """200."""

    data: list[KeyShown]


class KeyAnswer(Answered):
    """200."""

    data: KeyShown
