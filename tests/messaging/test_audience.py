"""What campaigns ask before they send: each row's number, values and consent, and contacts."""

from typing import Any

import pytest

from services.messaging.domain.messages import contact_id
from shared.contracts.contacts import (
    ContactRow,
    PreparedRow,
    PrepareRecipients,
    RecipientRow,
    UpsertContacts,
    UpsertedContacts,
)
from shared.contracts.content import TemplateByIdContent
from shared.contracts.messaging import BatchMessage, SendBatch
from shared.contracts.templates import TemplateVariable
from shared.errors import InvalidInputError, NotFoundError
from shared.mongo import Document
from tests.messaging.stage import NUMBER, TO, USER, Stage, batch, message_id, template

TEMPLATE = template(
    "offer",
    category="MARKETING",
    components=(
        {"type": "HEADER", "format": "TEXT", "text": "For {{1}}"},
        {"type": "BODY", "text": "Hi {{1}}, {{2}} off."},
        {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Shop", "url": "https://shop.example.com/{{1}}"}]},
    ),
    variables=(
        TemplateVariable(
            variable_id="v1", variable_name="who", position=1, component_type="HEADER", extraction_field="name"
        ),
        TemplateVariable(
            variable_id="v2", variable_name="who", position=1, component_type="BODY", extraction_field="name"
        ),
        TemplateVariable(
            variable_id="v3", variable_name="discount", position=2, component_type="BODY", default_value="20%"
        ),
        TemplateVariable(variable_id="v4", variable_name="code", position=0, component_type="BUTTON"),
    ),
)
CAROUSEL = template("cards", components=({"type": "CAROUSEL", "cards": [{"components": []}]},))


@pytest.fixture
async def campaigning(stage: Stage) -> Stage:
    """Messaging with a marketing template that has variables everywhere."""
    await stage.know(TEMPLATE, CAROUSEL)
    return stage


async def prepare(stage: Stage, *rows: RecipientRow, **changes: Any) -> tuple[PreparedRow, ...]:
    fields: dict[str, Any] = {
        "user_id": USER,
        "phone_number_id": NUMBER,
        "template_id": TEMPLATE.template_id,
        "rows": rows,
    }
    reply = await stage.bus.request(PrepareRecipients(**(fields | changes)), timeout_seconds=30)
    return reply.rows


def row(number: int = 0, phone: str = TO, **changes: Any) -> RecipientRow:
    fields: dict[str, Any] = {"name": "Ana", "variables": {"code": "a17"}} | changes
    return RecipientRow(row=number, phone=phone, **fields)


async def test_every_row_has_its_values(campaigning: Stage) -> None:
    rows = await prepare(campaigning, row(3), row(4, "+91 98765-43211", name="Ben", variables={"2": "5%", "code": "b"}))

    assert rows == (
        PreparedRow(row=3, phone=TO, values={"header.1": "Ana", "1": "Ana", "2": "20%", "button.0": "a17"}),
        PreparedRow(row=4, phone="+919876543211", values={"header.1": "Ben", "1": "Ben", "2": "5%", "button.0": "b"}),
    )


async def test_values_come_from_contacts_that_are_known(campaigning: Stage) -> None:
    contacts = (ContactRow(phone=TO, name="Known"),)
    await campaigning.bus.request(UpsertContacts(user_id=USER, contacts=contacts), timeout_seconds=30)

    known, told = await prepare(campaigning, row(name=None), row(1, name="Told"))

    assert (known.values["1"], told.values["1"]) == ("Known", "Told")


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"phone": "4155551234"}, "invalid_phone", "phone: must be a phone number in E.164 format"),
        ({"phone": "+1415"}, "invalid_phone", "phone: must be a phone number in E.164 format"),
        ({"phone": "+14155"}, "invalid_phone", "phone: must be a phone number in E.164 format"),
        ({"name": None}, "missing_variable", "variables.header.1: a value for header.1 (who) is required"),
        ({"variables": {"code": "x", "foo": "y"}}, "unknown_variable", "variables.foo: unknown variable"),
        ({"variables": {"code": "a\tb"}}, "invalid_variable", "variables.button.0: must not contain line breaks"),
    ],
)
async def test_what_is_wrong_with_a_row_is_said(
    campaigning: Stage, changes: dict[str, Any], code: str, words: str
) -> None:
    bad, good = await prepare(campaigning, row(**changes), row(1))

    assert bad.code == code
    assert words in (bad.error or "")
    assert bad.values == {}
    assert good.error is None


async def test_who_opted_out_is_marked(campaigning: Stage) -> None:
    await campaigning.messaging.contacts.consents.change_consent(
        change_id="c1",
        user_id=USER,
        contact_id=contact_id(USER, TO),
        phone=TO,
        opted_out=True,
        proof="api",
        at=campaigning.clock(),
    )

    first, second = await prepare(campaigning, row(), row(1, "+919876543211"))

    assert (first.opted_out, second.opted_out) == (True, False)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"user_id": "usr_2"}, NotFoundError, "Phone number not found"),
        ({"phone_number_id": "pn_2"}, NotFoundError, "Phone number not found"),
        ({"template_id": CAROUSEL.template_id}, InvalidInputError, "is a carousel template"),
    ],
)
async def test_what_cannot_be_prepared(
    campaigning: Stage, changes: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        await prepare(campaigning, row(), **changes)


@pytest.mark.parametrize("by_id", [True, False])
async def test_a_batch_takes_the_values_that_were_prepared(campaigning: Stage, by_id: bool) -> None:
    (prepared,) = await prepare(campaigning, row())
    content = TemplateByIdContent(template_id=TEMPLATE.template_id) if by_id else None
    items = (BatchMessage(message_id=message_id(), recipient_id="rcp_1", to=TO, variables=prepared.values),)
    command: SendBatch = batch([], content).model_copy(update={"items": items})
    if not by_id:
        named = command.content.model_copy(update={"name": TEMPLATE.name})
        command = command.model_copy(update={"content": named})

    await campaigning.bus.send(command)
    await campaigning.drain()

    assert campaigning.meta.calls[0].body["template"]["components"] == [
        {"type": "header", "parameters": [{"type": "text", "text": "Ana"}]},
        {"type": "body", "parameters": [{"type": "text", "text": "Ana"}, {"type": "text", "text": "20%"}]},
        {"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "a17"}]},
    ]
    assert (await campaigning.document())["type"] == "template"
    assert (await campaigning.document())["credit"] == "campaign:cmp_1:0"


async def test_contacts_are_created_once(campaigning: Stage) -> None:
    phones = (TO, "+919876543211")
    command = UpsertContacts(user_id=USER, contacts=tuple(ContactRow(phone=phone) for phone in phones))

    first = await campaigning.bus.request(command, timeout_seconds=30)
    again = await campaigning.bus.request(command, timeout_seconds=30)

    ids = tuple(contact_id(USER, phone) for phone in phones)
    assert first == UpsertedContacts(contact_ids=ids, created=2, updated=0)
    assert again == UpsertedContacts(contact_ids=ids, created=0, updated=2)


async def test_contacts_take_what_is_new_and_are_left_alone_otherwise(campaigning: Stage) -> None:
    contacts = campaigning.database["contacts"]

    async def told(**given: Any) -> Document:
        row = ContactRow(phone=TO, **given)
        await campaigning.bus.request(UpsertContacts(user_id=USER, contacts=(row,)), timeout_seconds=30)
        document = await contacts.find_one({"phone": TO})
        assert document is not None, "there is no such contact"
        return document

    first = await told(name="Ana", attributes={"city": "Goa"}, tags=("vip",))
    campaigning.clock.pass_time(1)
    same = await told(name="Ana", attributes={"city": "Goa"}, tags=("vip",))
    less = await told()
    more = await told(email="ana@example.com", attributes={"zip": "1"}, tags=("new",))
    await contacts.update_one({"phone": TO}, {"$set": {"erased_at": campaigning.clock()}})
    again = await told()

    assert first == same == less
    assert more["updated_at"] > first["updated_at"]
    assert (more["name"], more["email"]) == ("Ana", "ana@example.com")
    assert more["attributes"] == {"city": "Goa", "zip": "1"}
    assert more["tags"] == ["vip", "new"]
    assert "erased_at" not in again
