"""Who writes is found among many contacts without looking at the others."""

from services.messaging.domain.inbound import Sender
from services.messaging.repositories.contacts import ContactRepository
from services.messaging.repositories.senders import SenderRepository
from services.messaging.repositories.threads import ThreadRepository
from shared.clock import utc_now
from shared.mongo import Database

USER, KNOWN = "usr_1", "+4915100000007"


async def test_a_sender_is_found_among_a_users_contacts_by_an_index_for_each_of_the_names(database: Database) -> None:
    senders = SenderRepository(database, utc_now)
    for repository in (ContactRepository(database, utc_now), ThreadRepository(database, utc_now), senders):
        await repository.ensure_indexes()
    await database["contacts"].insert_many(
        [
            {"_id": f"contact_{each}", "user_id": USER, "phone": f"+49151{each:08d}", "created_at": utc_now()}
            for each in range(300)
        ]
    )
    known, new = (Sender(USER, "whatsapp", phone, f"EU.{phone}") for phone in (KNOWN, "+4915199999999"))
    await database.command("profile", 2)

    found = await senders.identify([known, new])

    await database.command("profile", 0)
    [asked] = [
        done async for done in database["system.profile"].find({"ns": f"{database.name}.contacts", "op": "query"})
    ]
    assert found[known].contact_id == "contact_7"
    assert found[new].contact_id == new.own_contact_id
    assert asked["docsExamined"] == 1
