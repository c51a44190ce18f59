"""Held campaigns and contacts who take no marketing: no intent is stored once that has been answered."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from services.messaging.domain.messages import OutboundMessage, contact_id
from services.messaging.domain.stops import Stop
from services.messaging.repositories.groups import GroupRepository
from services.messaging.repositories.holding import HoldingRepository
from services.messaging.repositories.messages import MessageRepository
from services.messaging.repositories.stops import StopRepository
from shared.contracts.contacts import (
    ChangeConsent,
    Consent,
    ConsentsChanged,
    ContactRow,
    EraseContact,
    GetContact,
    UpsertContacts,
)
from shared.contracts.content import TemplateContent
from shared.contracts.messaging import HoldCampaign, SendMessage
from shared.errors import NotFoundError
from shared.ids import new_id
from tests.eventually import eventually
from tests.messaging.doubles import NOON
from tests.messaging.meta import refuse
from tests.messaging.stage import TO, USER, Stage, batch, message_id, recipient, status, template, text

OFFER = template("offer", category="MARKETING")
CONTACT = contact_id(USER, TO)


def offer(number: int = 1, **changes: Any) -> SendMessage:
    """A marketing template to TO."""
    content = TemplateContent(name="offer", language="en_US", variables=("Sarah",))
    return text(number, content=content, **changes)


async def hold(stage: Stage, *, held: bool = True, cancelled: bool = False) -> None:
    command = HoldCampaign(campaign_id="cmp_1", held=held, cancelled=cancelled)
    await stage.bus.request(command, timeout_seconds=30)


async def change(stage: Stage, *, opted_out: bool, change_id: str | None = None, phone: str = TO) -> None:
    """As a STOP word or the API has it."""
    await stage.messaging.contacts.consents.change_consent(
        change_id=change_id or new_id("consent_"),
        user_id=USER,
        contact_id=contact_id(USER, phone),
        phone=phone,
        opted_out=opted_out,
        proof="keyword",
        evidence="STOP",
        at=stage.clock(),
    )


def changes_of(stage: Stage) -> list[str]:
    """Every change of consent that was announced."""
    events = [event for event in stage.bus.published if isinstance(event, ConsentsChanged)]
    return [item.id for event in events for item in event.items]


@pytest.fixture
async def offering(stage: Stage) -> Stage:
    """Messaging with a marketing template."""
    await stage.know(OFFER)
    return stage


class InterruptedMessages(MessageRepository):
    """Something happens when the claim is stored, and nothing after it has begun."""

    interruption: Callable[[], Awaitable[None]]

    async def claim_new(self, *arguments: Any) -> set[str]:
        claimed = await MessageRepository.claim_new(self, *arguments)
        await self.interruption()
        return claimed

    async def claim_grouped(self, *arguments: Any) -> set[str]:
        claimed = await MessageRepository.claim_grouped(self, *arguments)
        await self.interruption()
        return claimed


def interrupt_claims(stage: Stage, interruption: Callable[[], Awaitable[None]]) -> None:
    """Have something happen between every claim and what follows it."""
    messages = InterruptedMessages(stage.database, "first", stage.clock)
    object.__setattr__(messages, "interruption", interruption)
    object.__setattr__(stage.messaging.dispatcher, "messages", messages)


async def test_a_held_campaign_sends_nothing_and_goes_on_where_it_stopped(stage: Stage) -> None:
    await hold(stage)
    await stage.bus.send(batch(range(3)))
    await stage.drain()
    stage.clock.pass_time(300)
    await stage.sweep()
    calls_while_held = len(stage.meta.calls)

    await hold(stage, held=False)
    await stage.sweep()

    assert calls_while_held == 0
    assert len(stage.meta.calls) == 3
    assert await stage.states() == ["SENT"] * 3


async def test_a_message_claimed_before_the_hold_is_not_intended_after_it(stage: Stage) -> None:
    interrupt_claims(stage, lambda: hold(stage))

    await stage.bus.send(batch(range(2)))
    await stage.drain()

    assert stage.meta.calls == []
    assert await stage.states() == ["QUEUED"] * 2


class InterruptedStops(StopRepository):
    """Something happens when the stops have been read, and no intent is stored yet."""

    interruption: Callable[[], Awaitable[None]]

    async def list_for(self, messages: Iterable[OutboundMessage]) -> dict[str, Stop]:
        found = await StopRepository.list_for(self, messages)
        await self.interruption()
        return found


@pytest.mark.parametrize("is_hold", [True, False])
async def test_a_stop_that_comes_after_the_look_for_stops_takes_back_what_was_claimed(
    offering: Stage, is_hold: bool
) -> None:
    stops = InterruptedStops(offering.database, offering.clock)
    interruption = (
        (lambda: hold(offering)) if is_hold else (lambda: change(offering, opted_out=True, phone=recipient(1)))
    )
    object.__setattr__(stops, "interruption", interruption)
    object.__setattr__(offering.messaging.dispatcher.stopping, "stops", stops)

    await offering.bus.send(batch([1], TemplateContent(name="offer", language="en_US")))
    await offering.drain()

    assert offering.meta.calls == []
    assert await offering.state(1) == ("QUEUED" if is_hold else "FAILED")


async def test_a_campaign_let_go_while_its_messages_are_being_held_leaves_none_behind(stage: Stage) -> None:
    await hold(stage)

    class LateHolding(HoldingRepository):
        async def hold_claimed(self, ids: Sequence[str], attempt_id: str) -> None:
            await hold(stage, held=False)
            await HoldingRepository.hold_claimed(self, ids, attempt_id)

    late = LateHolding(stage.database, GroupRepository(stage.database, stage.clock), stage.clock)
    object.__setattr__(stage.messaging.dispatcher.stopping, "holding", late)

    await stage.bus.send(batch(range(2)))
    await stage.drain()
    await stage.sweep()

    assert await stage.states() == ["SENT"] * 2


async def test_a_cancelled_campaign_ends_what_was_not_posted(stage: Stage) -> None:
    await hold(stage)
    await stage.bus.send(batch(range(3)))
    await stage.drain()

    await hold(stage, cancelled=True)
    await stage.bus.send(batch(range(3, 5)))
    await stage.drain()
    await stage.sweep()

    assert await stage.states() == ["FAILED"] * 5
    assert {item.failure for item in stage.failed()} == {"cancelled"}
    assert len(stage.failed()) == 5


async def test_a_cancelled_campaign_cannot_be_let_go(stage: Stage) -> None:
    await hold(stage, cancelled=True)
    await hold(stage, held=False)

    await stage.bus.send(batch([1]))
    await stage.drain()

    assert stage.meta.calls == []


async def test_another_campaign_goes_on(stage: Stage) -> None:
    await hold(stage)

    await stage.bus.send(batch([1], campaign_id="cmp_2"))
    await stage.drain()

    assert await stage.state(1) == "SENT"


async def test_a_held_message_expires_in_its_time(stage: Stage) -> None:
    await hold(stage)
    await stage.bus.send(batch([1]))
    await stage.drain()

    stage.clock.pass_time(86_401)
    await stage.sweep()
    await stage.sweep()

    assert [item.failure for item in stage.failed()] == ["expired"]


async def test_marketing_to_an_opted_out_contact_is_never_posted(offering: Stage) -> None:
    await change(offering, opted_out=True)

    request = asyncio.create_task(offering.ask(offer()))
    await eventually(lambda: offering.is_in("FAILED"))
    await offering.sweep()

    assert (await request).failure == "opted_out"
    assert offering.meta.calls == []
    assert [item.failure for item in offering.failed()] == ["opted_out"]


async def test_other_messages_reach_an_opted_out_contact(offering: Stage) -> None:
    await change(offering, opted_out=True)

    assert (await offering.ask(text())).status == "sent"


async def test_an_opt_out_ends_marketing_that_was_claimed_before_it(offering: Stage) -> None:
    interrupt_claims(offering, lambda: change(offering, opted_out=True))

    await offering.bus.send(offer())
    await offering.drain()
    await offering.sweep()

    assert offering.meta.calls == []
    assert await offering.state() == "FAILED"


async def test_in_a_campaign_only_those_who_opted_out_are_left_out(offering: Stage) -> None:
    await change(offering, opted_out=True, phone=recipient(2))

    await offering.bus.send(batch(range(1, 4), TemplateContent(name="offer", language="en_US")))
    await offering.drain()
    await offering.sweep()

    assert await offering.state(1) == await offering.state(3) == "SENT"
    assert (await offering.document(2))["failure"] == "opted_out"


async def test_who_opts_in_again_gets_marketing(offering: Stage) -> None:
    await change(offering, opted_out=True)
    offering.clock.pass_time(1)
    await change(offering, opted_out=False)

    assert (await offering.ask(offer())).status == "sent"


async def test_the_latest_change_counts_in_whatever_order_changes_come(offering: Stage) -> None:
    offering.clock.pass_time(10)
    await change(offering, opted_out=False)
    offering.clock.pass_time(-5)
    await change(offering, opted_out=True)

    assert (await offering.ask(offer())).status == "sent"


async def test_a_change_is_announced_once_and_one_that_changes_nothing_is_not(offering: Stage) -> None:
    await change(offering, opted_out=True, change_id="first")
    await change(offering, opted_out=True, change_id="second")

    assert changes_of(offering) == ["contact.opted_out:first"]
    assert await offering.database["consents"].count_documents({}) == 2


async def test_a_change_is_announced_when_the_broker_is_back(offering: Stage) -> None:
    offering.bus.is_away = True
    await change(offering, opted_out=True, change_id="first")
    offering.bus.is_away = False

    offering.clock.pass_time(6)
    await offering.messaging.contacts.consents.sweep()

    assert changes_of(offering) == ["contact.opted_out:first"]
    assert await offering.database["consents"].find_one({"wake_at": {"$exists": True}}) is None


@pytest.mark.parametrize("step", ["set_contact", "end_marketing", "set_consent"])
async def test_a_change_that_was_cut_short_is_carried_out(offering: Stage, step: str) -> None:
    book = offering.messaging.contacts.consents
    part = {"set_contact": "stops", "end_marketing": "holding", "set_consent": "contacts"}[step]

    class Dead:
        def __getattr__(self, name: str) -> Any:
            if name == step:
                raise RuntimeError("the process is gone")
            return getattr(getattr(book, part), name)

    parts: dict[str, Any] = {part: Dead()}
    dying = replace(book, **parts)
    object.__setattr__(offering.messaging.contacts, "consents", dying)
    with pytest.raises(RuntimeError):
        await change(offering, opted_out=True, change_id="first")
    offering.clock.pass_time(6)
    await book.sweep()

    assert changes_of(offering) == ["contact.opted_out:first"]
    await offering.bus.send(offer())
    await offering.drain()
    assert offering.meta.calls == []


async def test_metas_refusal_suppresses_the_contact(offering: Stage) -> None:
    await offering.bus.request(
        UpsertContacts(user_id=USER, contacts=(ContactRow(phone=TO, name="Sarah"),)), timeout_seconds=5
    )
    offering.meta.will(refuse(131050))

    await offering.ask(offer())
    contact = await offering.bus.request(GetContact(contact_id=CONTACT), timeout_seconds=30)

    assert contact.consent == Consent(
        marketing="opted_out", proof="meta_refusal", evidence=message_id(), changed_at=NOON
    )


async def test_metas_refusal_by_a_later_status_suppresses_the_contact(offering: Stage) -> None:
    await offering.ask(offer())
    wamid = (await offering.document())["wamid"]
    failed = status("failed", f"w1:{message_id()}:1", wamid)
    assert failed.error is not None

    await offering.hear(failed.model_copy(update={"error": failed.error.model_copy(update={"code": 131050})}))

    assert await offering.messaging.dispatcher.stopping.stops.list_opted_out([CONTACT]) == {CONTACT}


async def test_the_api_changes_a_consent_with_its_evidence(offering: Stage) -> None:
    await offering.ask(text())

    contact = await offering.bus.request(
        ChangeConsent(change_id="c1", contact_id=CONTACT, opted_out=True, proof="api", evidence="by phone"),
        timeout_seconds=5,
    )

    assert contact.consent == Consent(marketing="opted_out", proof="api", evidence="by phone", changed_at=NOON)


async def test_the_consent_of_nobody_cannot_change(offering: Stage) -> None:
    with pytest.raises(NotFoundError, match="Contact not found"):
        await offering.bus.request(
            ChangeConsent(change_id="c1", contact_id="contact_1", opted_out=True, proof="api"), timeout_seconds=5
        )


async def test_who_is_erased_gets_nothing_that_was_waiting(stage: Stage) -> None:
    await stage.bus.request(
        UpsertContacts(user_id=USER, contacts=(ContactRow(phone=recipient(1)),)), timeout_seconds=30
    )
    await hold(stage)
    await stage.bus.send(batch([1]))
    await stage.drain()
    erased = contact_id(USER, recipient(1))

    await stage.bus.request(EraseContact(contact_id=erased), timeout_seconds=30)
    await hold(stage, held=False)
    await stage.sweep()
    stage.clock.pass_time(31)
    await stage.messaging.contacts.erasure.finish_all()

    assert stage.meta.calls == []
    assert [item.failure for item in stage.failed()] == ["recipient_erased"]
    assert (await stage.document(1))["to"] == "erased"
    contact = await stage.database["contacts"].find_one({"_id": erased})
    assert contact is not None
    assert recipient(1) not in str(contact)
