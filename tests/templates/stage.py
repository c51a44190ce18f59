"""The templates service on a stage: a real database, the bus in memory, stand-ins for messaging and Meta."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from services.templates.handlers.announcements import Announcements
from services.templates.handlers.submissions import SampleUploader
from services.templates.main import Meta, Templates, build
from services.templates.repositories.templates import TemplateRepository
from shared.bus.memory import MemoryBus
from shared.contracts.messaging import GetNumberAccess, NumberAccess, Platform
from shared.contracts.templates import (
    ListTemplates,
    SyncResult,
    SyncTemplates,
    Template,
    TemplatesChanged,
    TemplateStatus,
)
from shared.contracts.webhooks import TemplateUpdate, TemplateUpdatesReceived
from shared.errors import NotFoundError
from shared.mongo import Database
from shared.sealing import KeyRing
from tests.started import MASTER_KEY

NOON = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
KEYS = KeyRing({"k1": MASTER_KEY})
TOKEN = "EAAtemplates"


def body(text: str) -> dict[str, Any]:
    """A body component."""
    return {"type": "BODY", "text": text}


def entry(meta_id: str = "1", name: str = "hello", **changes: Any) -> dict[str, Any]:
    """An approved template as Meta lists it."""
    return {
        "id": meta_id,
        "name": name,
        "language": "en_US",
        "status": "APPROVED",
        "category": "UTILITY",
        "components": [body("Hello {{1}}.")],
    } | changes


def update(event: str, at: datetime, meta_id: str = "1", **changes: Any) -> TemplateUpdate:
    """What Meta says about a template by webhook."""
    fields: dict[str, Any] = {"waba_id": "102", "name": "hello", "language": "en_US"}
    return TemplateUpdate(**(fields | {"meta_template_id": meta_id, "event": event, "at": at} | changes))


@dataclass
class MetaStub:
    """Lists what it is given, and remembers who asked."""

    entries: list[Any] = field(default_factory=list)
    error: Exception | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)

    answers: list[dict[str, Any] | Exception] = field(default_factory=list)  # to creations and edits, in turn
    written: list[tuple[str, dict[str, Any]]] = field(default_factory=list)  # what was created or edited
    deleted: list[tuple[str, str]] = field(default_factory=list)

    async def list_templates(self, waba_id: str, access_token: str, fields: tuple[str, ...]) -> list[object]:
        """The entries, or the error."""
        self.asked.append((waba_id, access_token))
        if self.error is not None:
            raise self.error
        return list(self.entries)

    async def find_templates(self, waba_id: str, access_token: str, fields: tuple[str, ...], name: str) -> list[Any]:
        """The entries of a name, or the error."""
        found = await self.list_templates(waba_id, access_token, fields)
        return [entry for entry in found if isinstance(entry, dict) and entry["name"] == name]

    async def create_template(self, waba_id: str, access_token: str, body: dict[str, Any]) -> dict[str, Any]:
        """The next answer, by default that it is pending under the id 77."""
        return self._answer(waba_id, body, {"id": "77", "status": "PENDING", "category": body["category"]})

    async def edit_template(self, meta_template_id: str, access_token: str, body: dict[str, Any]) -> dict[str, Any]:
        """The next answer, by default success."""
        return self._answer(meta_template_id, body, {"success": True})

    async def delete_template(self, waba_id: str, access_token: str, meta_template_id: str, name: str) -> None:
        """Remember it, or raise the error."""
        if self.error is not None:
            raise self.error
        self.deleted.append((meta_template_id, name))

    def _answer(self, to: str, body: dict[str, Any], usual: dict[str, Any]) -> dict[str, Any]:
        self.written.append((to, body))
        answer = self.answers.pop(0) if self.answers else usual
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class SamplesStub:
    """Gives every link a handle."""

    uploaded: list[str] = field(default_factory=list)
    error: Exception | None = None

    async def upload(self, url: str, access_token: str) -> str:
        """`4::` and the link, or the error."""
        if self.error is not None:
            raise self.error
        self.uploaded.append(url)
        return f"4::{url}"


@dataclass
class MessagingStandIn:
    """Knows the phone numbers."""

    numbers: dict[str, NumberAccess] = field(default_factory=dict)
    error: Exception | None = None

    def add(
        self,
        phone_number_id: str,
        user_id: str,
        waba_id: str | None,
        platform: Platform = "whatsapp",
        token: str = TOKEN,
    ) -> None:
        """Have a number."""
        self.numbers[phone_number_id] = NumberAccess(
            phone_number_id=phone_number_id,
            user_id=user_id,
            platform=platform,
            meta_phone_number_id="106",
            waba_id=waba_id,
            sealed_access_token=KEYS.seal(token, owner_id=phone_number_id, field="access_token"),
        )

    async def get_number_access(self, query: GetNumberAccess) -> NumberAccess:
        """As messaging answers; `error` is raised instead when it is set."""
        if self.error is not None:
            raise self.error
        if query.phone_number_id not in self.numbers:
            raise NotFoundError("Phone number not found")
        return self.numbers[query.phone_number_id]


@dataclass
class Stage:
    """Everything a test needs at hand. The clock stands still until it is moved."""

    repository: TemplateRepository
    bus: MemoryBus
    messaging: MessagingStandIn
    service: Templates
    samples: SamplesStub
    time: list[datetime]

    @property
    def announcements(self) -> Announcements:
        """Whoever tells what changed."""
        return self.service.announcements

    def pass_time(self, seconds: float = 60) -> datetime:
        """Move the clock, and say what it shows."""
        self.time[0] += timedelta(seconds=seconds)
        return self.time[0]

    async def sync(self, phone_number_id: str = "pn_1", user_id: str = "usr_1") -> SyncResult:
        """Ask for a sync, as the gateway does."""
        command = SyncTemplates(user_id=user_id, phone_number_id=phone_number_id)
        return await self.bus.request(command, timeout_seconds=30)

    async def listed(self, status: TemplateStatus | None = None, phone_number_id: str = "pn_1") -> list[Template]:
        """Ask for the list, as the gateway does."""
        query = ListTemplates(phone_number_id=phone_number_id, status=status)
        return list((await self.bus.request(query, timeout_seconds=30)).items)

    async def hear(self, *updates: TemplateUpdate) -> None:
        """Have Meta's news arrive."""
        await self.bus.publish(TemplateUpdatesReceived(items=updates))

    def announced(self) -> list[Template]:
        """Everything announced so far, in order."""
        events = [event for event in self.bus.published if isinstance(event, TemplatesChanged)]
        return [item for event in events for item in event.items]


async def set_stage(
    database: Database, meta: Meta, bus: MemoryBus | None = None, samples: SampleUploader | None = None
) -> Stage:
    """The service as `main` builds it, with number pn_1 of usr_1 in WABA 102."""
    bus = bus or MemoryBus()
    time = [NOON]
    messaging, stub = MessagingStandIn(), SamplesStub()
    messaging.add("pn_1", "usr_1", "102")
    bus.on(GetNumberAccess, messaging.get_number_access)
    service = await build(database, bus, meta, samples or stub, KEYS, now=lambda: time[0])
    service.register()
    return Stage(TemplateRepository(database), bus, messaging, service, stub, time)
