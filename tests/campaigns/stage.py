"""Campaigns as main builds it, on a real database, with stand-ins for its neighbours that do as a test tells them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from services.campaigns.domain.campaigns import StoredCampaign
from services.campaigns.main import Campaigns, build
from shared.bus.memory import MemoryBus
from shared.bus.port import Received
from shared.contracts.base import Done, MessageContext
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
    PreparedRecipients,
    PreparedRow,
    PrepareRecipients,
    RecipientRow,
    UpsertContacts,
    UpsertedContacts,
)
from shared.contracts.credits import ReleaseCredits, ReserveCredits
from shared.contracts.messaging import (
    BatchMessage,
    Credits,
    FailedMessage,
    GetCredits,
    GetPhoneNumber,
    HoldCampaign,
    MessagesFailed,
    MessagesSent,
    MessageStatusChange,
    MessageStatusesChanged,
    MetaError,
    PhoneNumber,
    RenderedMessage,
    RenderMessage,
    SendBatch,
    SentMessage,
)
from shared.contracts.numbers import HoldNumber, ReleaseNumber
from shared.contracts.templates import ListTemplates, Template, Templates
from shared.errors import InsufficientCreditsError, WaapiError
from shared.mongo import Database, Document
from tests.messaging.doubles import NOON, ManualClock, StageBus

NUMBER, USER, TEMPLATE, CAMPAIGN = "pn_1", "usr_1", "tpl_1", "camp_1"
REFUSED = "+1"  # what no phone begins with alone
OPTED_OUT = "+4915100000000"


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
class Messaging:
    """Stands in for messaging: one number, a ledger, and batches that wait until a test says what became of them."""

    bus: MemoryBus
    messages_per_second: int = 80
    free: int = 1_000_000
    reserved: dict[tuple[str, int], int] = field(default_factory=dict)
    released: dict[tuple[str, int], tuple[int, bool]] = field(default_factory=dict)
    holders: set[str] = field(default_factory=set)
    held: dict[str, tuple[bool, bool]] = field(default_factory=dict)
    contacts: dict[str, Any] = field(default_factory=dict)
    batches: list[SendBatch] = field(default_factory=list)
    error: WaapiError | None = None  # what every command meets

    def register(self) -> None:
        """Take the places of the real handlers."""
        for message, handler in (
            (GetPhoneNumber, self.get_phone_number),
            (PrepareRecipients, self.prepare),
            (UpsertContacts, self.upsert),
            (HoldNumber, self.hold_number),
            (ReleaseNumber, self.release_number),
            (ReserveCredits, self.reserve),
            (ReleaseCredits, self.release),
            (HoldCampaign, self.hold_campaign),
            (SendBatch, self.send_batch),
            (GetCredits, self.get_credits),
            (RenderMessage, self.render),
        ):
            self.bus.on(message, handler)  # type: ignore[arg-type]

    @property
    def items(self) -> list[BatchMessage]:
        """Everybody who was handed over, in order."""
        return [item for batch in self.batches for item in batch.items]

    def _fail(self) -> None:
        if self.error is not None:
            raise self.error

    async def get_phone_number(self, _query: GetPhoneNumber) -> PhoneNumber:
        """The one number."""
        return PhoneNumber(
            id=NUMBER,
            user_id=USER,
            platform="whatsapp",
            meta_phone_number_id="1065",
            display_name=None,
            waba_id="1022",
            messages_per_second=self.messages_per_second,
            created_at=NOON,
            updated_at=NOON,
        )

    async def prepare(self, query: PrepareRecipients) -> PreparedRecipients:
        """Whatever begins with + and has digits is a phone."""
        return PreparedRecipients(rows=tuple(map(self._prepared, query.rows)))

    def _prepared(self, row: RecipientRow) -> PreparedRow:
        if len(row.phone) < 8:
            return PreparedRow(row=row.row, error="is no phone number", code="invalid_phone")
        return PreparedRow(row=row.row, phone=row.phone, values=row.variables, opted_out=row.phone == OPTED_OUT)

    async def upsert(self, command: UpsertContacts) -> UpsertedContacts:
        """Remember them by phone."""
        known = sum(each.phone in self.contacts for each in command.contacts)
        self.contacts |= {each.phone: each for each in command.contacts}
        ids = tuple(f"contact_{each.phone.lstrip('+')}" for each in command.contacts)
        return UpsertedContacts(contact_ids=ids, created=len(command.contacts) - known, updated=known)

    async def hold_number(self, command: HoldNumber) -> Done:
        """Nobody deletes it now."""
        self._fail()
        self.holders.add(command.holder)
        return Done()

    async def release_number(self, command: ReleaseNumber) -> Done:
        """It may be deleted again."""
        self.holders.discard(command.holder)
        return Done()

    async def reserve(self, command: ReserveCredits) -> Credits:
        """All or nothing, once for each campaign and run."""
        self._fail()
        key = (command.campaign_id, command.run)
        if key not in self.reserved:
            if command.credits > self.free:
                raise InsufficientCreditsError("Insufficient credits")
            self.reserved[key] = command.credits
            self.free -= command.credits
        assert self.reserved[key] == command.credits, "a reservation has one size"
        return await self.get_credits(GetCredits(user_id=USER))

    async def release(self, command: ReleaseCredits) -> Done:
        """The total so far."""
        key = (command.campaign_id, command.run)
        before, _ = self.released.get(key, (0, False))
        assert command.released >= before, "a release only grows"
        self.free += command.released - before
        self.released[key] = (command.released, command.closed)
        return Done()

    async def hold_campaign(self, command: HoldCampaign) -> Done:
        """As told last."""
        self._fail()
        self.held[command.campaign_id] = (command.held, command.cancelled)
        return Done()

    async def send_batch(self, batch: SendBatch) -> None:
        """Keep it."""
        held, cancelled = self.held.get(batch.campaign_id, (False, False))
        assert cancelled or not held, "a paused campaign hands nothing over"
        self.batches.append(batch)

    async def get_credits(self, _query: GetCredits) -> Credits:
        """What is free."""
        return Credits(remaining_credits=self.free, total_used=0, total_granted=1_000_000)

    async def render(self, query: RenderMessage) -> RenderedMessage:
        """Something of Meta's form."""
        return RenderedMessage(payload={"to": query.to, "type": "template"})


@dataclass
class TemplateOwner:
    """Stands in for templates: knows one."""

    status: str = "APPROVED"

    def template(self, status: str | None = None) -> Template:
        """The one template, perhaps in another status."""
        return Template(
            template_id=TEMPLATE,
            user_id=USER,
            phone_number_id=NUMBER,
            waba_id="1022",
            name="spring_offer",
            language="en_US",
            category="MARKETING",
            status=status or self.status,
            components=({"type": "BODY", "text": "Hi {{1}}"},),
            created_at=NOON,
            updated_at=NOON,
        )

    async def list_templates(self, _query: ListTemplates) -> Templates:
        """All one."""
        return Templates(items=(self.template(),))


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
        await self.bus.request(CreateCampaign.model_validate(given | fields), timeout_seconds=5)

    async def add(self, given: tuple[RecipientRow, ...], campaign_id: str = CAMPAIGN) -> StagedRecipients:
        """Stage recipients of its creation."""
        command = StageRecipients(campaign_id=campaign_id, upload_id=campaign_id, rows=given)
        return await self.bus.request(command, timeout_seconds=5)

    async def finish(self, campaign_id: str = CAMPAIGN, *, auto_start: bool = True) -> Campaign:
        """Make it real."""
        command = FinishCreation(campaign_id=campaign_id, auto_start=auto_start)
        return await self.bus.request(command, timeout_seconds=5)

    async def running(self, numbers: Iterable[int], campaign_id: str = CAMPAIGN, **fields: Any) -> Campaign:
        """A campaign to these recipients that has been started."""
        await self.create(campaign_id, **fields)
        await self.add(rows(numbers), campaign_id)
        return await self.finish(campaign_id)

    async def do(self, action: Action, campaign_id: str = CAMPAIGN) -> Campaign:
        """What a person does."""
        return await self.bus.request(ControlCampaign(campaign_id=campaign_id, action=action), timeout_seconds=5)

    async def retry(self, campaign_id: str = CAMPAIGN, **asked: Any) -> Campaign:
        """Try the failed ones again."""
        return await self.bus.request(RetryFailed(campaign_id=campaign_id, **asked), timeout_seconds=5)

    async def look(self, campaign_id: str = CAMPAIGN) -> Campaign:
        """As the API shows it."""
        return await self.bus.request(GetCampaign(campaign_id=campaign_id), timeout_seconds=5)

    async def stored(self, campaign_id: str = CAMPAIGN) -> StoredCampaign:
        """As it is stored."""
        found = await self.campaigns.sweeper.campaigns.find(campaign_id)
        assert found is not None, f"{campaign_id} is not stored"
        return found

    async def dispatch(self) -> list[BatchMessage]:
        """One round, a second after the one before; who was handed over by it."""
        self.clock.pass_time(1)
        before = len(self.messaging.items)
        await self.campaigns.dispatcher.round()
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

    async def accept(self, items: Iterable[BatchMessage], campaign_id: str = CAMPAIGN) -> None:
        """Meta takes these."""
        await self.bus.publish(MessagesSent(items=_sent(items, campaign_id)))

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
        return (await self.bus.request(TemplateInUse(template_id=template_id), timeout_seconds=5)).in_use

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
    campaigns = await build(
        database, bus, now=clock, monotonic=lambda: clock().timestamp(), worker="first", indexes=registered
    )
    if registered:
        campaigns.register()
    return Stage(database, bus, clock, messaging, templates, campaigns)


HOUR = timedelta(hours=1)
_CONTEXT = MessageContext(id="msg_1", type="test", occurred_at=NOON, correlation_id="req_1")
