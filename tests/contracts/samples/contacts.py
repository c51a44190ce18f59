"""Examples: contacts and consent."""

from shared.contracts import contacts
from shared.contracts.base import Message
from tests.contracts.samples.basics import NOON, NUMBER_ID, PHONE, USER_ID

CONTACT_ID = "contact_65f0c0ffee65f0c0ffee65f1"

EXAMPLES: tuple[Message, ...] = (
    contacts.PrepareRecipients(
        user_id=USER_ID,
        phone_number_id=NUMBER_ID,
        template_id="tpl_9aB1cD2eF3gH4iJ5kL6mN7",
        rows=(contacts.RecipientRow(row=0, phone=PHONE, name="Ada", variables={"1": "Ada"}),),
    ),
    contacts.UpsertContacts(user_id=USER_ID, contacts=(contacts.ContactRow(phone=PHONE, name="Ada"),)),
    contacts.GetContact(contact_id=CONTACT_ID),
    contacts.ListContacts(user_id=USER_ID, search="ada", tag="vip"),
    contacts.UpdateContact(contact_id=CONTACT_ID, name="Ada", attributes={"city": "Pune"}, tags=("vip",)),
    contacts.ChangeConsent(
        change_id="consent_65f0c0ffee65f0c0ffee65f2", contact_id=CONTACT_ID, opted_out=True, proof="api"
    ),
    contacts.EraseContact(contact_id=CONTACT_ID),
    contacts.ConsentsChanged(
        items=(
            contacts.ConsentChange(
                id="contact.opted_out:65f0c0ffee65f0c0ffee65f2",
                user_id=USER_ID,
                contact_id=CONTACT_ID,
                phone=PHONE,
                opted_out=True,
                proof="keyword",
                evidence="STOP",
                at=NOON,
            ),
        )
    ),
)
