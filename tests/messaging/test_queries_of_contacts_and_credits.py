"""Every query about contacts, consents, credits and stops finds what it wants by an index."""

from services.messaging.domain.messages import contact_id
from shared.contracts.contacts import (
    ChangeConsent,
    ContactRow,
    EraseContact,
    GetContact,
    ListContacts,
    UpdateContact,
    UpsertContacts,
)
from shared.contracts.content import TemplateByIdContent
from shared.contracts.credits import GrantCredits, ReleaseCredits, ReserveCredits
from shared.contracts.messaging import GetCredits, HoldCampaign
from shared.contracts.timeline import GetMessageTimeline
from tests.explaining import watching
from tests.messaging.meta import refuse
from tests.messaging.stage import TO, USER, batch, message_id, stage_on, status, template, text
from tests.servers import RealServers, fresh_name

CONTACT = contact_id(USER, TO)


async def test_nothing_reads_a_whole_collection(servers: RealServers) -> None:
    async with watching(servers.mongodb_url, fresh_name()) as watched, stage_on(watched.database) as stage:
        await stage.know(template(), template("offer", category="MARKETING"))
        ask = stage.bus.request
        rows = (ContactRow(phone=TO, name="Ana", tags=("vip",)),)
        await ask(UpsertContacts(user_id=USER, contacts=rows), timeout_seconds=30)
        await ask(UpsertContacts(user_id=USER, contacts=rows), timeout_seconds=30)
        await ask(UpdateContact(contact_id=CONTACT, name="Ana B"), timeout_seconds=30)
        for more in ({}, {"search": "ana"}, {"tag": "vip"}, {"cursor": f"1772712000000-{CONTACT}"}):
            await ask(ListContacts.model_validate({"user_id": USER} | more), timeout_seconds=30)
        for number, opted_out in enumerate((True, False)):
            change = ChangeConsent(change_id=f"c{number}", contact_id=CONTACT, opted_out=opted_out, proof="api")
            await ask(change, timeout_seconds=30)
        run = {"user_id": USER, "campaign_id": "cmp_1", "run": 0}
        await ask(GrantCredits(grant_id="g", user_id=USER, credits=5), timeout_seconds=30)
        await ask(ReserveCredits.model_validate(run | {"credits": 5}), timeout_seconds=30)
        await stage.bus.send(batch(range(3)))
        for held in (True, False):
            await ask(HoldCampaign(campaign_id="cmp_1", held=held), timeout_seconds=30)
        await ask(HoldCampaign(campaign_id="cmp_1", held=True, cancelled=True), timeout_seconds=30)
        await ask(ReleaseCredits.model_validate(run | {"released": 0, "closed": True}), timeout_seconds=30)
        stage.meta.will(refuse(131026))
        content = TemplateByIdContent(template_id="tpl_offer_en_US", values={"1": "x"})
        for number in (10, 12):
            await stage.ask(text(number, content=content, source="dashboard"))
        await stage.hear(status("failed", f"w1:{message_id(10)}:1", "wamid.9"))
        await ask(GetMessageTimeline(message_id=message_id(10)), timeout_seconds=30)
        await ask(GetMessageTimeline(message_id="wamid.1"), timeout_seconds=30)
        await ask(GetContact(contact_id=CONTACT), timeout_seconds=30)
        await ask(GetCredits(user_id=USER), timeout_seconds=30)
        await ask(EraseContact(contact_id=CONTACT), timeout_seconds=30)
        stage.clock.pass_time(600)
        for sweep in (
            stage.messaging.credits.ledger.sweep,
            stage.messaging.contacts.consents.sweep,
            stage.messaging.contacts.erasure.finish_all,
        ):
            await sweep()
        await stage.drain()

        assert await watched.collection_scans() == []
        await watched.database.client.drop_database(watched.database.name)
