"""Databases as they are after a year: one of everything is copied inside their collections, past all services.

What is copied are documents that the services wrote themselves, so the copies have their shape whatever it becomes.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from pymongo import WriteConcern

from services.messaging.domain.messages import contact_id, conversation_id
from shared.clock import utc_now
from shared.mongo import Client, Document, database_of
from tests.bench.originals import Original

TENANTS = 1_000
TEMPLATES = 1_000  # of one WABA
CAMPAIGNS = 1_000
THREAD_LENGTH = 10  # messages of a conversation; of the longest a thousandth of all
SPAN = timedelta(days=20)  # over which everything happened: a webhook's log goes back thirty days

_TOGETHER, _AT_ONCE = 2_000, 4  # the next are written down while the database takes these
_IN_PASSING = WriteConcern(w=1, j=False)
# What makes a sweeper look, or the ledger count: nothing is left to do about a copy.
_UNFINISHED = (
    *("wake_at", "check_at", "subscribe_at", "look_at", "erase_at", "next_attempt_at", "pending_event"),
    *("charged", "credit", "changes"),
)

Changes = Callable[[Document], Iterator[Document]]


@dataclass(frozen=True, slots=True)
class Copies:
    """Copies of an original tenant and of its things; a hundredth of all messages is the original's own."""

    client: Client
    original: Original
    messages: int
    until: datetime

    @classmethod
    async def store(cls, client: Client, original: Original, messages: int) -> None:
        """Copy everything; about a minute for a million messages."""
        copies = cls(client, original, messages, utc_now())
        await copies._fill("gateway", "users", original.tenant.user_id, copies._users)
        await copies._fill("messaging", "phone_numbers", None, copies._numbers)
        await copies._fill("agents", "agents", None, copies._agents)
        await copies._fill("templates", "templates", original.template_id, copies._templates)
        await copies._fill("campaigns", "campaigns", None, copies._campaigns)
        await copies._fill("messaging", "contacts", None, copies._contacts)
        await copies._fill("messaging", "conversations", None, copies._conversations)
        await copies._fill("messaging", "messages", None, copies._messages)
        await copies._fill("messaging", "inbound_messages", None, copies._inbound)
        await copies._fill("templates", "button_clicks", None, copies._clicks)
        await copies._fill("webhooks", "deliveries", None, copies._deliveries)

    async def _fill(self, service: str, collection: str, identifier: str | None, changes: Changes) -> None:
        """Copy one document of a collection, or its only one of the tenant, once for each of the changes."""
        wanted = {"_id": identifier} if identifier else {"user_id": self.original.tenant.user_id}
        target = database_of(self.client, service).get_collection(collection, write_concern=_IN_PASSING)
        document = await target.find_one(wanted)
        assert document is not None, f"{service}.{collection} has nothing to be copied"
        plain = {key: value for key, value in document.items() if key not in _UNFINISHED}
        copies = (plain | each for each in changes(plain))
        while groups := [group for _ in range(_AT_ONCE) if (group := list(islice(copies, _TOGETHER)))]:
            await asyncio.gather(*(target.insert_many(group, ordered=False) for group in groups))

    def _users(self, _original: Document) -> Iterator[Document]:
        for tenant in range(1, TENANTS):
            email = f"{_user(tenant)}@example.com"
            yield {"_id": _user(tenant), "email": email, "email_lower": email, "work_id": f"bench_{tenant}"}

    def _numbers(self, _original: Document) -> Iterator[Document]:
        for tenant in range(1, TENANTS):
            yield {"_id": _number(tenant), "user_id": _user(tenant), "meta_phone_number_id": f"9{tenant:014d}"}

    def _agents(self, _original: Document) -> Iterator[Document]:
        for tenant in range(1, TENANTS):
            yield {"_id": f"agent_bench{tenant}", "user_id": _user(tenant), "phone_number_id": _number(tenant)}

    def _templates(self, _original: Document) -> Iterator[Document]:
        for number in range(1, TEMPLATES):
            yield {
                "_id": f"tpl_bench{number}",
                "name": f"seen_by_{number}",
                "meta_template_id": f"8{number:014d}",
                "created_at": self._moment(number, TEMPLATES),
            }

    def _campaigns(self, _original: Document) -> Iterator[Document]:
        for number in range(1, CAMPAIGNS):
            owner = self.original.tenant.user_id if number % 5 == 0 else _user(number)
            created_at = self._moment(number, CAMPAIGNS)
            yield {"_id": f"camp_bench{number}", "user_id": owner, "created_at": created_at}

    def _contacts(self, _original: Document) -> Iterator[Document]:
        for thread in self._threads():
            yield {
                "_id": self._contact(thread),
                "user_id": self._owner(thread),
                "phone": _phone(thread),
                "name": f"Ana {thread}",
                "created_at": self._moment(thread * THREAD_LENGTH),
            }

    def _conversations(self, _original: Document) -> Iterator[Document]:
        for thread in self._threads():
            yield (
                {"_id": self._thread(thread), "recipient": _phone(thread)}
                | self._of(thread)
                | {
                    "created_at": self._moment(thread * THREAD_LENGTH),
                    "last_message_at": self._moment((thread + 1) * THREAD_LENGTH - 1),
                }
            )

    def _messages(self, _original: Document) -> Iterator[Document]:
        for number in range(self.messages):
            thread = number // THREAD_LENGTH
            moment = self._moment(number)
            longest = thread % 1_000 == 0
            yield (self._of(0) if longest else self._of(thread)) | {
                "_id": f"{number:024x}",
                "conversation_id": self.original.conversation_id if longest else self._thread(thread),
                "to": _phone(thread),
                "wamid": f"wamid.bench{number}",
                "accepted_at": moment,
                "created_at": moment,
            }

    def _inbound(self, _original: Document) -> Iterator[Document]:
        for thread in self._threads():
            moment = self._moment((thread + 1) * THREAD_LENGTH - 1)
            yield self._of(thread) | {
                "_id": f"{thread:024x}",
                "wa_message_id": f"wamid.benchin{thread}",
                "conversation_id": self._thread(thread),
                "received_at": moment,
                "created_at": moment,
            }

    def _clicks(self, _original: Document) -> Iterator[Document]:
        for thread in self._threads():
            yield {
                "_id": f"click_bench{thread}",
                "user_id": self._owner(thread),
                "template_id": self.original.template_id if thread % 100 == 0 else f"tpl_of{thread % TENANTS}",
                "customer_phone": _phone(thread),
                "clicked_at": self._moment(thread * THREAD_LENGTH),
            }

    def _deliveries(self, original: Document) -> Iterator[Document]:
        for number in range(self.messages // 10):
            event_id = f"message.sent:{number:024x}"
            created_at = self._moment(number * 10)
            yield {"_id": f"{event_id}:{original['webhook_id']}", "event_id": event_id, "created_at": created_at}

    def _threads(self) -> range:
        return range(1, self.messages // THREAD_LENGTH)

    def _of(self, thread: int) -> dict[str, Any]:
        return {
            "user_id": self._owner(thread),
            "phone_number_id": self._number_of(thread),
            "contact_id": self._contact(thread),
        }

    def _owner(self, thread: int) -> str:
        return self.original.tenant.user_id if thread % 100 == 0 else _user(thread % TENANTS)

    def _number_of(self, thread: int) -> str:
        return self.original.phone_number_id if thread % 100 == 0 else _number(thread % TENANTS)

    def _contact(self, thread: int) -> str:
        return contact_id(self._owner(thread), _phone(thread))

    def _thread(self, thread: int) -> str:
        return conversation_id(self._number_of(thread), _phone(thread))

    def _moment(self, number: int, of: int | None = None) -> datetime:
        """When the number-th of all messages was, or of so many things."""
        return self.until - SPAN * (1 - number / (of or self.messages))


def some_phone(messages: int) -> str:
    """A customer of the original tenant, from the middle of all that were copied."""
    return _phone(messages // THREAD_LENGTH // 200 * 100)


def _user(tenant: int) -> str:
    return f"usr_bench{tenant}"


def _number(tenant: int) -> str:
    return f"pn_bench{tenant}"


def _phone(thread: int) -> str:
    return f"+49154{thread:08d}"
