"""What outcomes mean beyond their message: credits spent or free again, a token that is void, a person who wants none.

Each is idempotent, and carried out before anybody is told of the outcome.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from services.messaging.consent import ConsentBook
from services.messaging.domain.messages import OutboundMessage
from services.messaging.ledger import Ledger
from services.messaging.recent_numbers import RecentNumbers
from services.messaging.repositories.rates import RateRepository
from shared.clock import Clock
from shared.contracts.messaging import MetaError

log = structlog.get_logger()

_TOKEN_VOID = 190  # expired or revoked: no message of the number can be sent until it has another
_TOO_FAST = 130429  # more messages a second than Meta lets the number send
_MARKETING_UNWANTED = 131050  # the person has stopped marketing messages of this business in WhatsApp


@dataclass(frozen=True, slots=True)
class Consequences:
    """Follows outcomes up."""

    ledger: Ledger
    consents: ConsentBook
    numbers: RecentNumbers
    rates: RateRepository
    now: Clock

    async def of_acceptance(self, messages: Sequence[OutboundMessage]) -> None:
        """Meta has accepted these."""
        await self.ledger.capture_messages(
            [message.id for message in messages if message.credits_remaining is not None]
        )

    async def of_refusal(self, message: OutboundMessage, error: MetaError, sealed_access_token: str) -> None:
        """Meta is known to have refused this; before that is recorded, since a repetition would find it recorded."""
        if error.code == _TOKEN_VOID and await self.numbers.mark_refused(message.phone_number_id, sealed_access_token):
            log.warning("number_paused", phone_number_id=message.phone_number_id, reason=error.message)
        elif error.code == _MARKETING_UNWANTED:
            await self.of_unwanted_marketing(message)

    async def of_postponement(self, message: OutboundMessage, error: MetaError | None) -> None:
        """Meta asked us to wait; where the number was too fast, all of its messages go slower."""
        if error is not None and error.code == _TOO_FAST:
            await self.rates.slow_down(message.phone_number_id)
            log.warning("number_slowed_down", phone_number_id=message.phone_number_id)

    async def of_unwanted_marketing(self, message: OutboundMessage) -> None:
        """Meta says that this person wants no marketing, at once or by a later status."""
        await self.consents.change_consent(
            change_id=f"meta_refusal:{message.id}",
            user_id=message.user_id,
            contact_id=message.contact_id,
            phone=message.to if message.to.startswith("+") else None,
            opted_out=True,
            proof="meta_refusal",
            evidence=message.id,
            at=self.now(),
        )

    async def of_failure(self, message: OutboundMessage) -> None:
        """This will not be sent."""
        if message.credits_remaining is not None:
            await self.ledger.release_message(message.id)

    async def of_late_failures(self, messages: Sequence[tuple[OutboundMessage, MetaError | None]]) -> None:
        """Meta had accepted these, and could not deliver them: they cost nothing after all."""
        single = [message.id for message, _ in messages if message.credits_remaining is not None]
        runs = {message.credit for message, _ in messages if message.credit is not None}
        if single or runs:
            await self.ledger.recount(single, sorted(runs))
        for message, error in messages:
            if error is not None and error.code == _MARKETING_UNWANTED:
                await self.of_unwanted_marketing(message)
