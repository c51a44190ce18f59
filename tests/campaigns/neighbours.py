"""Stand-ins for what campaigns asks of others: messaging, and the owner of templates."""

from dataclasses import dataclass, field
from typing import Any

from shared.bus.memory import MemoryBus
from shared.contracts.base import Done
from shared.contracts.contacts import (
    PreparedRecipients,
    PreparedRow,
    PrepareRecipients,
    RecipientRow,
    UpsertContacts,
    UpsertedContacts,
)
from shared.contracts.credits import ReleaseCredits, ReleaseRuns, ReserveCredits, RunRelease
from shared.contracts.messaging import (
    BatchMessage,
    Credits,
    GetCredits,
    GetPhoneNumber,
    HoldCampaign,
    PhoneNumber,
    RenderedMessage,
    RenderMessage,
    SendBatch,
)
from shared.contracts.numbers import (
    HoldNumber,
    NumberCheck,
    ReleaseNumber,
    ReleaseNumbers,
    Verification,
    VerifyPhoneNumber,
)
from shared.contracts.template_drafts import GetTemplate, TemplateAnalytics, TemplateDetails
from shared.contracts.templates import ListTemplates, Template, Templates
from shared.errors import InsufficientCreditsError, NotFoundError, WaapiError
from tests.messaging.doubles import NOON

NUMBER, USER, TEMPLATE, CAMPAIGN = "pn_1", "usr_1", "tpl_1", "camp_1"
OPTED_OUT = "+4915100000000"


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
    unpaid: set[str] = field(default_factory=set)  # campaigns of whose credits it knows nothing
    settled: list[list[str]] = field(default_factory=list)  # campaigns whose credits were released by one command
    let_go: list[list[str]] = field(default_factory=list)  # and those that gave their numbers back by one

    def register(self) -> None:
        """Take the places of the real handlers."""
        for message, handler in (
            (GetPhoneNumber, self.get_phone_number),
            (PrepareRecipients, self.prepare),
            (UpsertContacts, self.upsert),
            (HoldNumber, self.hold_number),
            (ReleaseNumber, self.release_number),
            (ReleaseNumbers, self.release_numbers),
            (ReserveCredits, self.reserve),
            (ReleaseCredits, self.release),
            (ReleaseRuns, self.release_runs),
            (HoldCampaign, self.hold_campaign),
            (SendBatch, self.send_batch),
            (GetCredits, self.get_credits),
            (RenderMessage, self.render),
            (VerifyPhoneNumber, self.verify),
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

    async def release_numbers(self, command: ReleaseNumbers) -> Done:
        """Nor these."""
        self._fail()
        self.let_go.append(sorted(command.holders))
        self.holders.difference_update(command.holders)
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

    async def release_runs(self, command: ReleaseRuns) -> Done:
        """Each of them that it knows."""
        self._fail()
        self.settled.append(sorted(each.campaign_id for each in command.items))
        for each in command.items:
            if each.campaign_id not in self.unpaid:
                await self.release(each)
        if self.unpaid & set(self.settled[-1]):
            raise NotFoundError("No credits are reserved for this run")
        return Done()

    async def release(self, command: ReleaseCredits | RunRelease) -> Done:
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

    async def verify(self, _query: VerifyPhoneNumber) -> Verification:
        """All is well at Meta."""
        return Verification(ok=True, checks=(NumberCheck(name="token", ok=True, message="is accepted"),))

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

    async def get_template(self, query: GetTemplate) -> TemplateDetails:
        """The one, or none."""
        if query.template_id != TEMPLATE:
            raise NotFoundError("Template not found")
        return details(self.template())


def details(template: Template) -> TemplateDetails:
    """A template of which nothing has been sent."""
    return TemplateDetails(template=template, analytics=TemplateAnalytics())
