"""Campaigns as main builds it, on a real database, with stand-ins for its neighbours that do as a test tells them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from services.campaigns.domain.campaigns import StoredCampaign
from services.campaigns.main import Campaigns, build
from shared.bus.port import Received
from shared.contracts.base import MessageContext
from shared.contracts.campaigns import (
    Action,
    Campaign,
    CampaignChange,
    CampaignsChanged,
    ControlCampaign,
    CreateCampaign,
    FinishCreation,
    GetCampaign,
    RetryFailed,
    StagedRecipients,
    StageRecipients,
    TemplateInUse,
)
from shared.contracts.contacts import (
    RecipientRow,
)
from shared.contracts.messaging import (
    BatchMessage,
    FailedMessage,
    MessagesFailed,
    MessagesSent,
    MessageStatusChange,
    MessageStatusesChanged,
    MetaError,
    SentMessage,
)
from shared.contracts.template_drafts import GetTemplate
from shared.contracts.templates import ListTemplates
from shared.mongo import Database, Document
from tests.campaigns.neighbours import CAMPAIGN, NUMBER, TEMPLATE, USER, Messaging, TemplateOwner
from tests.messaging.doubles import NOON, ManualClock, StageBus


def phone(number: int) -> str:
    """The phone of the number-th recipient, from 1."""
    return f"+49151{number:08d}"


def rows(numbers: Iterable[int], **given: Any) -> tuple[RecipientRow, ...]:
    """Rows as a caller hands them over."""
    return tuple(
        RecipientRow(row=row, phone=phone(number), variables={"1": f"name {number}"}, **given)
        for row, number in enumerate(numbers)
    )


@dataclass
class Stage:
    """Campaigns with its neighbours."""

    database: Database
    bus: StageBus
    clock: ManualClock
    messaging: Messaging
    templates: TemplateOwner
    campaigns: Campaigns

    async def another(self, worker: str) -> Campaigns:
        """A replica that takes no messages, but dispatches and sweeps."""
        return await build(
            self.database, self.bus, now=self.clock, monotonic=lambda: self.clock().timestamp(), worker=worker
        )

    async def create(self, campaign_id: str = CAMPAIGN, **fields: Any) -> None:
        """Open a campaign."""
        given = {
            "campaign_id": campaign_id,
            "user_id": USER,
            "phone_number_id": NUMBER,
            "template_id": TEMPLATE,
            "name": "Spring",
        }
        await self.bus.request(CreateCampaign.model_validate(given | fields), timeout_seconds=30)

    async def add(self, given: tuple[RecipientRow, ...], campaign_id: str = CAMPAIGN) -> StagedRecipients:
        """Stage recipients of its creation."""
        command = StageRecipients(campaign_id=campaign_id, upload_id=campaign_id, rows=given)
        return await self.bus.request(command, timeout_seconds=30)

    async def finish(self, campaign_id: str = CAMPAIGN, *, auto_start: bool = True) -> Campaign:
        """Make it real."""
        command = FinishCreation(campaign_id=campaign_id, auto_start=auto_start)
        return await self.bus.request(command, timeout_seconds=30)

    async def running(self, numbers: Iterable[int], campaign_id: str = CAMPAIGN, **fields: Any) -> Campaign:
        """A campaign to these recipients that has been started."""
        await self.create(campaign_id, **fields)
        await self.add(rows(numbers), campaign_id)
        return await self.finish(campaign_id)

    async def do(self, action: Action, campaign_id: str = CAMPAIGN) -> Campaign:
        """What a person does."""
        return await self.bus.request(ControlCampaign(campaign_id=campaign_id, action=action), timeout_seconds=30)

    async def retry(self, campaign_id: str = CAMPAIGN, **asked: Any) -> Campaign:
        """Try the failed ones again."""
        return await self.bus.request(RetryFailed(campaign_id=campaign_id, **asked), timeout_seconds=30)

    async def look(self, campaign_id: str = CAMPAIGN) -> Campaign:
        """As the API shows it."""
        return await self.bus.request(GetCampaign(campaign_id=campaign_id), timeout_seconds=30)

    async def stored(self, campaign_id: str = CAMPAIGN) -> StoredCampaign:
        """As it is stored."""
        found = await self.campaigns.sweeper.campaigns.find(campaign_id)
        assert found is not None, f"{campaign_id} is not stored"
        return found

    async def dispatch(self) -> list[BatchMessage]:
        """Rounds, each a second after the one before, until a window is full; who was handed over by them."""
        before = len(self.messaging.items)
        self.clock.pass_time(1)
        while await self.campaigns.dispatcher.round():
            self.clock.pass_time(1)
        return self.messaging.items[before:]

    async def sweep(self, seconds: float = 0) -> None:
        """Let time pass, then tend what is due."""
        self.clock.pass_time(seconds)
        await self.campaigns.sweeper.sweep()

    async def run_out(self, rounds: int = 50) -> None:
        """Dispatch, and have everything accepted, until nothing more is handed over."""
        for _ in range(rounds):
            items = await self.dispatch()
            if not items:
                return
            await self.accept(items)
        raise AssertionError("it never ends")

    async def accept(self, items: Iterable[BatchMessage], campaign_id: str = CAMPAIGN, *, held: bool = False) -> None:
        """Meta takes these; `held`: it assesses the template first."""
        sent = tuple(item.model_copy(update={"held": held}) for item in _sent(items, campaign_id))
        await self.bus.publish(MessagesSent(items=sent))

    async def accept_at(self, campaigns: Campaigns, items: Sequence[BatchMessage]) -> None:
        """One instance hears that Meta takes these."""
        await campaigns.outcomes.on_messages_sent([Received(MessagesSent(items=_sent(items, CAMPAIGN)), _CONTEXT)])

    async def fail_at(self, campaigns: Campaigns, items: Sequence[BatchMessage]) -> None:
        """One instance hears that Meta refuses these."""
        event = MessagesFailed(items=_failed(items, 131026, "meta_131026"))
        await campaigns.outcomes.on_messages_failed([Received(event, _CONTEXT)])

    async def look_at(self, campaigns: Campaigns, campaign_id: str = CAMPAIGN) -> Campaign:
        """As one instance shows it."""
        return await campaigns.queries.get_campaign(GetCampaign(campaign_id=campaign_id))

    async def fail(
        self, items: Iterable[BatchMessage], code: int | None = 131026, failure: str = "", *, unknown: bool = False
    ) -> None:
        """Meta refuses these, or nobody knows."""
        code = None if unknown else code
        word = failure or ("outcome_unknown" if unknown else f"meta_{code}")
        await self.bus.publish(MessagesFailed(items=_failed(items, code, word, unknown=unknown)))

    async def fail_of(self, campaign_id: str, items: Iterable[BatchMessage], code: int) -> None:
        """Meta refuses these of one campaign."""
        failed = _failed(items, code, f"meta_{code}")
        named = tuple(item.model_copy(update={"campaign_id": campaign_id}) for item in failed)
        await self.bus.publish(MessagesFailed(items=named))

    async def template_use(self, template_id: str) -> bool:
        """Whether a campaign uses it."""
        return (await self.bus.request(TemplateInUse(template_id=template_id), timeout_seconds=30)).in_use

    async def tell(self, status: str, items: Iterable[BatchMessage], code: int | None = None) -> None:
        """A status of Meta's for each."""
        changes = tuple(
            MessageStatusChange.model_validate(
                {
                    "id": f"message.{status}:{item.message_id}",
                    "wa_message_id": "wamid.1",
                    "status": status,
                    "error": MetaError(message="failed", code=code) if code else None,
                    "at": NOON,
                }
                | _common(item, CAMPAIGN)
            )
            for item in items
        )
        await self.bus.publish(MessageStatusesChanged(items=changes))

    async def states(self, campaign_id: str = CAMPAIGN) -> Counter[str]:
        """How many rows are in which state."""
        found = self.database["recipients"].find({"campaign_id": campaign_id}, {"state": 1})
        return Counter([row["state"] async for row in found])

    async def row(self, number: int, campaign_id: str = CAMPAIGN) -> Document:
        """One recipient's row."""
        found: Document | None = await self.database["recipients"].find_one(
            {"campaign_id": campaign_id, "phone": phone(number)}
        )
        assert found is not None, f"there is no recipient {number}"
        return found

    def changes(self) -> list[CampaignChange]:
        """Everything that was announced, in order."""
        return [item for event in self.bus.published if isinstance(event, CampaignsChanged) for item in event.items]


def _sent(items: Iterable[BatchMessage], campaign_id: str) -> tuple[SentMessage, ...]:
    return tuple(
        SentMessage(
            id=f"message.sent:{item.message_id}", wa_message_id="wamid.1", sent_at=NOON, **_common(item, campaign_id)
        )
        for item in items
    )


def _failed(
    items: Iterable[BatchMessage], code: int | None, word: str, *, unknown: bool = False
) -> tuple[FailedMessage, ...]:
    return tuple(
        FailedMessage(
            id=f"message.failed:{item.message_id}",
            outcome_unknown=unknown,
            failure=word,
            error=MetaError(message="refused", code=code) if code is not None else None,
            failed_at=NOON,
            **_common(item, CAMPAIGN),
        )
        for item in items
    )


def _common(item: BatchMessage, campaign_id: str) -> dict[str, Any]:
    return {
        "message_id": item.message_id,
        "conversation_id": None,
        "user_id": USER,
        "phone_number_id": NUMBER,
        "to": item.to,
        "type": "template",
        "source": "campaign",
        "campaign_id": campaign_id,
        "recipient_id": item.recipient_id,
    }


async def stage_on(database: Database, *, registered: bool = True) -> Stage:
    """A stage with number pn_1 of usr_1 and template tpl_1; not `registered`: its messages are delivered by hand."""
    clock = ManualClock()
    bus = StageBus(clock)
    messaging, templates = Messaging(bus), TemplateOwner()
    messaging.register()
    bus.on(ListTemplates, templates.list_templates)
    bus.on(GetTemplate, templates.get_template)
    campaigns = await build(
        database, bus, now=clock, monotonic=lambda: clock().timestamp(), worker="first", indexes=registered
    )
    if registered:
        campaigns.register()
    return Stage(database, bus, clock, messaging, templates, campaigns)


HOUR = timedelta(hours=1)
_CONTEXT = MessageContext(id="msg_1", type="test", occurred_at=NOON, correlation_id="req_1")
