"""Contacts and their consent, and what campaigns ask of them before they send."""

from typing import ClassVar, Literal

from pydantic import AwareDatetime, Field

from shared.contracts.base import Command, Contract, Done, Event, Identifier, Item, PhoneE164, Query, Reply

ConsentProof = Literal["keyword", "button", "meta_preference", "api", "import", "meta_refusal"]


class RecipientRow(Contract):
    """One recipient as the caller gave it; `row` is its place in what was handed over, from 0."""

    row: int
    phone: str
    name: str | None = None
    email: str | None = None
    company: str | None = None
    variables: dict[str, str] = Field(default_factory=dict)


class PreparedRow(Contract):
    """What would be sent to one recipient, or why nothing can be.

    `values` is a snapshot: given value, else the contact's field, else the variable's default; keys as in the dashboard
    API ("1", a name, "header.1", "button.0").
    """

    row: int
    phone: PhoneE164 | None = None  # normalised; None where it is none
    values: dict[str, str] = Field(default_factory=dict)
    opted_out: bool = False
    error: str | None = None  # in words for whoever wrote the row
    code: str | None = None  # stable: invalid_phone, missing_variable, unknown_variable, …


class PreparedRecipients(Reply):
    """One result for each row, in their order."""

    rows: tuple[PreparedRow, ...]


class PrepareRecipients(Query[PreparedRecipients]):
    """Check up to 1,000 recipients of a template, and resolve their variables. Changes nothing.

    Raises NotFoundError (number or template unknown, or another user's), InvalidInputError (template of another WABA or
    not approved, number not WhatsApp's).
    """

    message_type: ClassVar[str] = "messaging.prepare_recipients.v1"
    reply_type: ClassVar[type[Reply]] = PreparedRecipients

    user_id: Identifier
    phone_number_id: Identifier
    template_id: Identifier
    rows: tuple[RecipientRow, ...] = Field(max_length=1000)


class ContactRow(Contract):
    """A contact to create, or to update with what is not None."""

    phone: PhoneE164
    name: str | None = None
    email: str | None = None
    company: str | None = None
    attributes: dict[str, str] = Field(default_factory=dict)  # joins those it has
    tags: tuple[str, ...] = ()  # join those it has


class UpsertedContacts(Reply):
    """Each contact's id, in the order given, and how many were new."""

    contact_ids: tuple[Identifier, ...]
    created: int
    updated: int


class UpsertContacts(Command[UpsertedContacts]):
    """Create or update up to 1,000 contacts of a user. Idempotent by phone."""

    message_type: ClassVar[str] = "messaging.upsert_contacts.v1"
    reply_type: ClassVar[type[Reply]] = UpsertedContacts

    user_id: Identifier
    contacts: tuple[ContactRow, ...] = Field(max_length=1000)


class Consent(Contract):
    """Whether a contact takes marketing messages, and how we know."""

    marketing: Literal["unknown", "opted_in", "opted_out"] = "unknown"
    proof: ConsentProof | None = None
    evidence: str | None = None
    changed_at: AwareDatetime | None = None


class Contact(Reply):
    """A person or business that a user writes to."""

    contact_id: Identifier
    user_id: Identifier
    phone: str | None  # some customers show none
    name: str | None = None
    email: str | None = None
    company: str | None = None
    attributes: dict[str, str] = Field(default_factory=dict)
    tags: tuple[str, ...] = ()
    consent: Consent = Consent()
    created_at: AwareDatetime
    updated_at: AwareDatetime


class Contacts(Reply):
    """A page of contacts, newest first; `next_cursor` None: there are no more."""

    items: tuple[Contact, ...]
    next_cursor: str | None = None


class GetContact(Query[Contact]):
    """One contact. Raises NotFoundError, also for one that was erased."""

    message_type: ClassVar[str] = "messaging.get_contact.v1"
    reply_type: ClassVar[type[Reply]] = Contact

    contact_id: Identifier


class ListContacts(Query[Contacts]):
    """A user's contacts. `search` is a part of a name, an e-mail address, a company or a phone number.

    Raises InvalidInputError for a cursor that is none of ours.
    """

    message_type: ClassVar[str] = "messaging.list_contacts.v1"
    reply_type: ClassVar[type[Reply]] = Contacts

    user_id: Identifier
    search: str | None = Field(default=None, max_length=100)
    tag: str | None = Field(default=None, max_length=100)
    cursor: str | None = Field(default=None, max_length=200)
    limit: int = Field(default=50, ge=1, le=200)


class UpdateContact(Command[Contact]):
    """Change a contact; None leaves a field as it is, "" empties it. Idempotent: it sets values.

    `attributes` are set one by one (None removes one), `tags` as a whole. Raises NotFoundError.
    """

    message_type: ClassVar[str] = "messaging.update_contact.v1"
    reply_type: ClassVar[type[Reply]] = Contact

    contact_id: Identifier
    name: str | None = None
    email: str | None = None
    company: str | None = None
    attributes: dict[str, str | None] | None = None
    tags: tuple[str, ...] | None = None


class ChangeConsent(Command[Contact]):
    """Opt a contact out of marketing, or back in, with the proof. Idempotent by `change_id`.

    Once it is answered, no intent for a marketing message to an opted-out contact is stored. Raises NotFoundError.
    """

    message_type: ClassVar[str] = "messaging.change_consent.v1"
    reply_type: ClassVar[type[Reply]] = Contact

    change_id: Identifier
    contact_id: Identifier
    opted_out: bool
    proof: ConsentProof
    evidence: str | None = Field(default=None, max_length=1000)


class EraseContact(Command[Done]):
    """Erase a person: number, names, attributes and the text of all messages, leaving a tombstone. Idempotent.

    Raises NotFoundError for a contact that never was.
    """

    message_type: ClassVar[str] = "messaging.erase_contact.v1"
    reply_type: ClassVar[type[Reply]] = Done

    contact_id: Identifier


class ConsentChange(Item):
    """One contact opted out of marketing, or back in. `id` is `contact.<opted_out|opted_in>:<change id>`."""

    id: str
    user_id: Identifier
    contact_id: Identifier
    phone: PhoneE164 | None = None  # None where the customer shows none
    opted_out: bool
    proof: ConsentProof
    evidence: str | None = None  # the keyword, the message's id, the caller's words
    at: AwareDatetime


class ConsentsChanged(Event):
    """Contacts changed their mind about marketing; no intent for them was stored after this was recorded."""

    message_type: ClassVar[str] = "messaging.consents_changed.v1"

    items: tuple[ConsentChange, ...]
