"""Testing a phone number's connection to Meta, for the person who set it up."""

import asyncio
from dataclasses import dataclass

from services.messaging.clients.graph import GraphReader
from services.messaging.domain.verification import (
    nothing_to_ask,
    number_check,
    subscription_check,
    token_check,
    waba_check,
)
from services.messaging.repositories.numbers import NumberRepository
from shared.bus.port import Bus
from shared.contracts.messaging import NumberAccess
from shared.contracts.numbers import NumberCheck, Verification, VerifyPhoneNumber
from shared.sealing import KeyRing, SealingError

_NUMBER_FIELDS = "id,display_phone_number,verified_name,quality_rating"
_NOT_OPENED = "The stored access token cannot be opened with MASTER_KEYS: give the number a new one."


@dataclass(frozen=True, slots=True)
class VerificationHandlers:
    """Asks Meta and changes nothing. `instagram` is the API of Instagram Login."""

    bus: Bus
    numbers: NumberRepository
    whatsapp: GraphReader
    instagram: GraphReader
    keys: KeyRing

    def register(self) -> None:
        """Answer whether a number works."""
        self.bus.on(VerifyPhoneNumber, self.verify_phone_number)

    async def verify_phone_number(self, query: VerifyPhoneNumber) -> Verification:
        """Every check, also after the first that failed: a person mends several things at once."""
        checks = await self._checks(await self.numbers.get_access(query.phone_number_id))
        return Verification(ok=all(check.ok for check in checks), checks=checks)

    async def _checks(self, access: NumberAccess) -> tuple[NumberCheck, ...]:
        if access.platform == "webchat":
            return (nothing_to_ask(),)
        owner = access.phone_number_id
        try:
            token = self.keys.open(access.sealed_access_token, owner_id=owner, field="access_token")
        except SealingError:
            return (NumberCheck(name="access_token", ok=False, message=_NOT_OPENED),)
        if access.platform == "instagram":
            return await self._instagram(access, f"Bearer {token}")
        return await self._whatsapp(access, f"Bearer {token}")

    async def _instagram(self, access: NumberAccess, authorization: str) -> tuple[NumberCheck, ...]:
        account = await self.instagram.read(access.meta_phone_number_id, authorization, "id,username")
        return token_check(account), number_check(account, access.meta_phone_number_id)

    async def _whatsapp(self, access: NumberAccess, authorization: str) -> tuple[NumberCheck, ...]:
        meta_id, waba_id = access.meta_phone_number_id, access.waba_id or ""
        number = await self.whatsapp.read(meta_id, authorization, _NUMBER_FIELDS)
        waba, apps = await asyncio.gather(
            self.whatsapp.read(f"{waba_id}/phone_numbers", authorization, "id"),
            self.whatsapp.read(f"{waba_id}/subscribed_apps", authorization),
        )
        return (
            token_check(number, waba, apps),
            number_check(number, meta_id),
            waba_check(waba, waba_id, meta_id),
            subscription_check(apps, waba_id),
        )
