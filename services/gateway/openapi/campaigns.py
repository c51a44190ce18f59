"""Campaigns, described."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from pydantic import TypeAdapter

from services.gateway.openapi import campaign_models as models
from services.gateway.openapi.dashboard_parts import (
    CONFLICT,
    IDEMPOTENCY,
    INVALID,
    LATE,
    LIMIT,
    UNKNOWN,
    USER,
    WITH_BODY,
    answers,
    dashboard_operation,
    in_path,
)
from services.gateway.openapi.operations import Answer, Operation, Parameter, RequestBody
from services.gateway.routes.parameters import CAMPAIGN_CURSOR, ROW_CURSOR
from services.gateway.schemas.campaigns import CreateCampaignBody, RetryFailedBody

CAMPAIGNS_TAG = "Campaigns"

_ONE = "/api/v1/campaign/{campaign_id}"
_ID = in_path("campaign_id", "The campaign's id.", "camp_3k9d")
_CURSOR = Parameter(
    "cursor", "query", "`next_cursor` of the page before.", {"type": "string", "pattern": f"^{CAMPAIGN_CURSOR}$"}
)
_ROW_CURSOR = replace(_CURSOR, schema={"type": "string", "pattern": f"^{ROW_CURSOR}$"})
_NO_CREDITS = {402: "The user's free credits do not cover the recipients."}
_EXAMPLE = {
    "phone_number_id": "pn_789",
    "template_id": "tpl_abc123",
    "name": "Holiday Promo",
    "auto_start": True,
    "contacts": [
        {"phone": "+14155551234", "name": "Sarah", "variables": {"1": "Sarah", "2": "25%"}},
        {"phone": "+14155555678", "name": "John", "variables": {"1": "John", "2": "30%"}},
    ],
}
_FILE = RequestBody(
    "RecipientFile",
    TypeAdapter(str),
    {"example": "phone,name,1,2\n+14155551234,Sarah,Sarah,25%\n"},
    media_types=("text/csv", "application/x-ndjson"),
)
_BIG = {**WITH_BODY, 413: "More than 10,000 contacts, or a body above 16 MiB."}


def _streamed(described: Mapping[int, Answer]) -> Mapping[int, Answer]:
    """The success as a stream of events, or as nothing at all once the end was told."""
    stream = replace(described[200], media_type="text/event-stream")
    return {
        200: stream,
        204: Answer("The end was told already.", ()),
        **{k: v for k, v in described.items() if k != 200},
    }


def _control(action: Literal["start", "pause", "resume", "cancel"], summary: str, description: str) -> Operation:
    return dashboard_operation(
        CAMPAIGNS_TAG,
        method="post",
        path=f"{_ONE}/{action}",
        name=f"{action}Campaign",
        summary=summary,
        description=f"{description} The action that was just done is no error.",
        parameters=(_ID, IDEMPOTENCY),
        answers=answers(
            200,
            models.CampaignAnswer,
            "The campaign.",
            INVALID,
            UNKNOWN,
            {**WITH_BODY, **CONFLICT},
            LATE,
            _NO_CREDITS if action == "start" else {},
        ),
    )


CAMPAIGN_OPERATIONS = (
    dashboard_operation(
        CAMPAIGNS_TAG,
        method="post",
        path="/api/v1/campaign",
        name="createCampaign",
        summary="Create a campaign",
        description="Everything is checked before anything is created: phones, variables, opt-outs, the template, and "
        "the credits where it starts at once. Recipients that stand there twice are merged, the first wins.",
        parameters=(IDEMPOTENCY,),
        body=RequestBody.of(CreateCampaignBody, _EXAMPLE),
        answers=answers(201, models.NewCampaignAnswer, "The campaign.", INVALID, _NO_CREDITS, UNKNOWN, _BIG, LATE),
    ),
    dashboard_operation(
        CAMPAIGNS_TAG,
        method="get",
        path="/api/v1/campaign",
        name="listCampaigns",
        summary="List a user's campaigns",
        description="Newest first; none for an unknown user.",
        parameters=(
            USER,
            Parameter("status", "query", "Of one status.", {"type": "string", "enum": list(models.STATUSES)}),
            LIMIT,
            _CURSOR,
        ),
        answers=answers(200, models.CampaignsAnswer, "The campaigns.", INVALID),
    ),
    dashboard_operation(
        CAMPAIGNS_TAG,
        method="get",
        path=_ONE,
        name="getCampaign",
        summary="Get a campaign",
        description="With counters that come from its recipients at one instant.",
        parameters=(_ID,),
        answers=answers(200, models.CampaignAnswer, "The campaign.", UNKNOWN),
    ),
    dashboard_operation(
        CAMPAIGNS_TAG,
        method="get",
        path=f"{_ONE}/preflight",
        name="preflightCampaign",
        summary="Look before starting",
        description="Cost, refused recipients, what stands against a start, and the exact JSON that Meta would get for "
        "one recipient.",
        parameters=(
            _ID,
            Parameter("recipient", "query", "Id or phone of the recipient to preview.", {"type": "string"}),
        ),
        answers=answers(200, models.PreflightAnswer, "What would happen.", INVALID, UNKNOWN),
    ),
    _control("start", "Start a campaign", "A DRAFT becomes SCHEDULED or RUNNING; its credits are reserved."),
    _control("pause", "Pause a campaign", "After the answer nothing of it is handed to Meta any more."),
    _control("resume", "Resume a campaign", "It goes on with the very next recipient."),
    _control("cancel", "Cancel a campaign", "For good: who was not sent to is skipped, and their credits are freed."),
    dashboard_operation(
        CAMPAIGNS_TAG,
        method="post",
        path=f"{_ONE}/retry-failed",
        name="retryFailedRecipients",
        summary="Send again to those that failed",
        description="For a campaign that is over. Their credits are reserved anew.",
        parameters=(_ID, IDEMPOTENCY),
        body=replace(RequestBody.of(RetryFailedBody, {"error_classes": ["undeliverable"]}), required=False),
        answers=answers(
            200,
            models.CampaignAnswer,
            "The campaign.",
            INVALID,
            _NO_CREDITS,
            UNKNOWN,
            {**WITH_BODY, **CONFLICT},
            LATE,
        ),
    ),
    dashboard_operation(
        CAMPAIGNS_TAG,
        method="get",
        path=f"{_ONE}/recipients",
        name="listRecipients",
        summary="List a campaign's recipients",
        description="In the order in which they are sent. With `Accept: text/csv` all of them come as a file.",
        parameters=(
            _ID,
            Parameter("state", "query", "In one state.", {"type": "string", "enum": list(models.RECIPIENT_STATES)}),
            LIMIT,
            _ROW_CURSOR,
        ),
        answers=answers(200, models.RecipientsAnswer, "The recipients.", INVALID, UNKNOWN),
    ),
    dashboard_operation(
        CAMPAIGNS_TAG,
        method="post",
        path=f"{_ONE}/recipients",
        name="uploadRecipients",
        summary="Add recipients from a file",
        description="CSV with a header row (phone, name, email, company; every other column is a variable) or one JSON "
        "object a line, to 200 MiB and a million rows, one upload at a time, to a DRAFT. Good rows are kept, others "
        "reported with their line; a file that breaks off leaves nothing.",
        parameters=(_ID, IDEMPOTENCY),
        body=_FILE,
        answers=answers(
            200,
            models.UploadAnswer,
            "What became of the rows.",
            INVALID,
            UNKNOWN,
            {
                **WITH_BODY,
                **CONFLICT,
                413: "More than a million rows or 200 MiB.",
                415: "Neither CSV nor NDJSON, or compressed.",
            },
            LATE,
        ),
    ),
    dashboard_operation(
        CAMPAIGNS_TAG,
        method="get",
        path=f"{_ONE}/events",
        name="followCampaign",
        summary="Watch a campaign",
        description="A stream of events: `progress` holds the campaign whenever it has changed, `done` is the last. "
        "Opened again with `Last-Event-ID` it goes on; 204 says that the end was told.",
        parameters=(_ID, Parameter("Last-Event-ID", "header", "The last event's id.", {"type": "string"})),
        answers=_streamed(answers(200, models.CampaignShown, "A stream; `data` of each event.", UNKNOWN)),
    ),
)
