"""Sending from the dashboard, contacts and credits, described."""

from dataclasses import replace

from pydantic import TypeAdapter

from services.gateway.openapi import contact_models as models
from services.gateway.openapi.dashboard_models import Done
from services.gateway.openapi.dashboard_parts import (
    CHANGED_BODY,
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
    operators_operation,
)
from services.gateway.openapi.operations import Answer, Operation, Parameter, RequestBody
from services.gateway.routes.parameters import CONTACT_CURSOR
from services.gateway.schemas.sending import (
    ChangeConsentBody,
    ChangeContactBody,
    GrantCreditsBody,
    SendTemplateBody,
)

SENDING_TAG = "Messages"
CONTACTS_TAG = "Contacts"

_ONE = "/api/v1/contacts/{contact_id}"
_ID = in_path("contact_id", "The contact's id.", "contact_65f0c0ffee65f0c0ffee65f1")
_TEXT = {"type": "string", "maxLength": 100}
_NOT_SENT = {
    402: "The user has no free credit.",
    409: "The contact takes no marketing, Meta no longer takes the number's token, or a request with this "
    "`Idempotency-Key` is still being worked on.",
    502: "Meta refused the message.",
}
_SENT = answers(200, models.SentAnswer, "Meta has accepted it.", INVALID, UNKNOWN, WITH_BODY | _NOT_SENT)
_NOT_SENT_MODELS = {code: Answer(_NOT_SENT[code], (models.NotSentAnswer,)) for code in (409, 502)}

SENDING_OPERATIONS = (
    dashboard_operation(
        SENDING_TAG,
        method="post",
        path="/api/v1/send",
        name="sendTemplate",
        summary="Send a template to one person",
        description="Costs one credit, which is free again when Meta refuses the message. Values come from "
        "`variables`, else from the contact's fields, else from the variables' defaults.",
        parameters=(IDEMPOTENCY,),
        body=RequestBody.of(
            SendTemplateBody,
            {
                "phone_number_id": "pn_789",
                "template_id": "tpl_abc123",
                "contact": {
                    "phone": "+14155551234",
                    "name": "Sarah Johnson",
                    "email": "sarah@example.com",
                    "company": "TechCorp",
                },
                "variables": {"1": "Sarah Johnson", "2": "ORD-98765", "3": "shipped"},
            },
        ),
        answers=dict(
            sorted(
                {
                    **_SENT,
                    **_NOT_SENT_MODELS,
                    202: Answer("Its outcome is not known yet.", (models.QueuedAnswer,)),
                }.items()
            )
        ),
    ),
    dashboard_operation(
        SENDING_TAG,
        method="get",
        path="/api/v1/messages/{message_id}/timeline",
        name="getMessageTimeline",
        summary="See what happened to a message",
        description="Every step, with the request to Meta and its answer; by our id or by Meta's.",
        parameters=(in_path("message_id", "`message_id` or `internal_message_id`.", "65f0c0ffee65f0c0ffee65f0"),),
        answers=answers(200, models.TimelineAnswer, "Its life so far.", UNKNOWN),
    ),
)


def _consent(action: str, name: str, summary: str, description: str) -> Operation:
    return dashboard_operation(
        CONTACTS_TAG,
        method="post",
        path=f"{_ONE}/{action}",
        name=name,
        summary=summary,
        description=description,
        parameters=(_ID, IDEMPOTENCY),
        body=replace(
            RequestBody.of(ChangeConsentBody, {"evidence": "Told us so at the counter in Pune, 5 March"}),
            required=False,
        ),
        answers=answers(200, models.ContactAnswer, "The contact.", INVALID, UNKNOWN, WITH_BODY | CONFLICT, LATE),
    )


CONTACT_OPERATIONS = (
    dashboard_operation(
        CONTACTS_TAG,
        method="get",
        path="/api/v1/contacts",
        name="listContacts",
        summary="List a user's contacts",
        description="Newest first.",
        parameters=(
            USER,
            Parameter("search", "query", "A part of a name, e-mail address, company or phone number.", _TEXT, "Sarah"),
            Parameter("tag", "query", "Only those with this tag.", _TEXT, "vip"),
            LIMIT,
            Parameter(
                "cursor",
                "query",
                "`next_cursor` of the page before.",
                {"type": "string", "pattern": f"^{CONTACT_CURSOR}$"},
            ),
        ),
        answers=answers(200, models.ContactsAnswer, "A page.", INVALID),
    ),
    dashboard_operation(
        CONTACTS_TAG,
        method="post",
        path="/api/v1/contacts/import",
        name="importContacts",
        summary="Import contacts from a file",
        description="A CSV with a header row (or NDJSON): `phone`, and perhaps `name`, `email`, `company`, `tags`, "
        "`opted_out`; every other column is an attribute. Rows are known by their phones, so a file may be sent again.",
        parameters=(USER, IDEMPOTENCY),
        body=RequestBody(
            "ContactFile",
            TypeAdapter(str),
            {"example": "phone,name,tags,city\n+14155551234,Sarah,vip,Oakland\n"},
            media_types=("text/csv", "application/x-ndjson"),
        ),
        answers=answers(
            200,
            models.ImportAnswer,
            "What was taken in, and what was not.",
            INVALID,
            UNKNOWN,
            {413: "The file is larger than 200 MiB.", 415: CHANGED_BODY[415]},
            LATE,
        ),
    ),
    dashboard_operation(
        CONTACTS_TAG,
        method="get",
        path=_ONE,
        name="getContact",
        summary="Get a contact",
        description="With the consent to marketing.",
        parameters=(_ID,),
        answers=answers(200, models.ContactAnswer, "The contact.", UNKNOWN),
    ),
    dashboard_operation(
        CONTACTS_TAG,
        method="patch",
        path=_ONE,
        name="changeContact",
        summary="Change a contact",
        description="What is left out stays as it is.",
        parameters=(_ID,),
        body=RequestBody.of(ChangeContactBody, {"name": "Sarah Johnson", "attributes": {"city": "Oakland"}}),
        answers=answers(200, models.ContactAnswer, "The contact as it is now.", INVALID, UNKNOWN, CHANGED_BODY, LATE),
    ),
    _consent("opt-out", "optOut", "Opt a contact out of marketing", "From now on no marketing template is sent to it."),
    _consent("opt-in", "optIn", "Opt a contact in to marketing", "Marketing templates may be sent to it again."),
    operators_operation(
        CONTACTS_TAG,
        method="delete",
        path="/admin/contacts/{contact_id}",
        name="eraseContact",
        summary="Erase a contact",
        description="Number, names, attributes and the text of all messages go; a tombstone keeps late news from "
        "bringing the person back.",
        parameters=(_ID,),
        answers=answers(200, Done, "Nothing of the person is left.", UNKNOWN, LATE),
    ),
)

CREDIT_OPERATIONS = (
    operators_operation(
        "Users",
        method="post",
        path="/admin/users/{user_id}/credits",
        name="grantCredits",
        summary="Grant credits to a user",
        description="Use `Idempotency-Key`, so that a repetition grants nothing more.",
        parameters=(in_path("user_id", "The user's id.", "usr_123"), IDEMPOTENCY),
        body=RequestBody.of(GrantCreditsBody, {"credits": 100_000, "note": "Invoice 17"}),
        answers=answers(200, models.BalanceAnswer, "The balance.", INVALID, UNKNOWN, WITH_BODY, LATE),
    ),
)
