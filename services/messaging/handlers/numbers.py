"""Phone numbers: added, looked up, and subscribed to their WABA's webhooks in the background."""

from dataclasses import dataclass
from datetime import timedelta

import structlog

from services.messaging.clients.meta import MetaClient
from services.messaging.repositories.numbers import NumberRepository
from shared.bus.port import Bus
from shared.clock import Clock
from shared.contracts.messaging import (
    AddPhoneNumber,
    GetNumberAccess,
    GetPhoneNumber,
    ListPhoneNumbers,
    NumberAccess,
    PhoneNumber,
    PhoneNumbers,
)
from shared.errors import UpstreamRejectedError, UpstreamUnavailableError
from shared.sealing import KeyRing

log = structlog.get_logger()

_RETRY_AFTER_SILENCE = timedelta(seconds=30)
_RETRY_AFTER_REFUSAL = timedelta(minutes=10)  # a person has to change something at Meta first


@dataclass(frozen=True, slots=True)
class NumberHandlers:
    """Adding is idempotent by the number's id; the rest only reads."""

    bus: Bus
    numbers: NumberRepository
    meta: MetaClient
    keys: KeyRing
    now: Clock
    default_messages_per_second: int

    def register(self) -> None:
        """Own the phone numbers."""
        self.bus.on(AddPhoneNumber, self.add_phone_number)
        self.bus.on(GetPhoneNumber, self.get_phone_number)
        self.bus.on(ListPhoneNumbers, self.list_phone_numbers)
        self.bus.on(GetNumberAccess, self.get_number_access)

    async def add_phone_number(self, command: AddPhoneNumber) -> PhoneNumber:
        """Store the number; its WABA is subscribed to later, so that adding never waits for Meta."""
        return await self.numbers.add_once(command, self.default_messages_per_second)

    async def get_phone_number(self, query: GetPhoneNumber) -> PhoneNumber:
        """One number, without its token."""
        return await self.numbers.get(query.phone_number_id)

    async def list_phone_numbers(self, query: ListPhoneNumbers) -> PhoneNumbers:
        """A user's numbers, newest first."""
        return PhoneNumbers(items=await self.numbers.list_by_user(query.user_id, query.platform))

    async def get_number_access(self, query: GetNumberAccess) -> NumberAccess:
        """One number with its sealed token, for services that speak to Meta themselves."""
        return await self.numbers.get_access(query.phone_number_id)

    async def subscribe_wabas(self) -> None:
        """Subscribe the app to WABAs of new numbers: without it no status of theirs ever arrives."""
        while (number := await self.numbers.claim_unsubscribed()) is not None:
            try:
                await self.meta.subscribe_app(number.waba_id or "", self._authorization(number))
            except (UpstreamRejectedError, UpstreamUnavailableError) as error:
                silent = isinstance(error, UpstreamUnavailableError)
                delay = _RETRY_AFTER_SILENCE if silent else _RETRY_AFTER_REFUSAL
                await self.numbers.postpone_subscription(number.phone_number_id, self.now() + delay, error.message)
                log.warning("waba_not_subscribed", phone_number_id=number.phone_number_id, reason=error.message)
            else:
                await self.numbers.mark_subscribed(number.phone_number_id)
                log.info("waba_subscribed", phone_number_id=number.phone_number_id)

    def _authorization(self, number: NumberAccess) -> str:
        token = self.keys.open(number.sealed_access_token, owner_id=number.phone_number_id, field="access_token")
        return f"Bearer {token}"
