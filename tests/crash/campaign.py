"""A campaign beside the single messages: batches put on the bus as the campaigns service will do it."""

from dataclasses import dataclass
from datetime import timedelta

import stamina

from shared.bus.port import Bus
from shared.clock import utc_now
from shared.contracts.content import TemplateContent
from shared.contracts.messaging import BatchMessage, SendBatch
from shared.errors import BusUnavailableError
from shared.ids import derived_hex_id
from tests.crash.load import MARKETING_TEMPLATE, Load, Posted, recipient
from tests.product.tenants import Tenant

BATCH_SIZE = 50
PAUSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Campaign:
    """Batches spread evenly over the load; a batch counts as accepted once the broker has confirmed it."""

    bus: Bus
    tenant: Tenant
    load: Load
    batches: int

    async def run(self) -> list[Posted]:
        """Hand every batch over and return what was promised by that."""
        promised: list[Posted] = []
        for number in range(self.batches):
            await self.load.until_begun(self.load.count * number // self.batches)
            batch = self._batch(number)
            await self._hand_over(batch)
            promised += [
                Posted("campaign", item.to, item.recipient_id, status=202, ids={item.message_id})
                for item in batch.items
            ]
        return promised

    async def _hand_over(self, batch: SendBatch) -> None:
        """Return once the broker has confirmed it. If not, it may have it all the same: the same ids go again."""
        async for attempt in stamina.retry_context(on=BusUnavailableError, attempts=None, wait_max=PAUSE_SECONDS):
            with attempt:
                await self.bus.send(batch)

    def _batch(self, number: int) -> SendBatch:
        campaign_id = f"camp_{self.tenant.user_id}"
        first = self.load.count + number * BATCH_SIZE
        recipients = {f"rcp_{index}": recipient(self.tenant, index) for index in range(first, first + BATCH_SIZE)}
        return SendBatch(
            user_id=self.tenant.user_id,
            phone_number_id=self.tenant.lines[number % len(self.tenant.lines)].phone_number_id,
            campaign_id=campaign_id,
            content=TemplateContent(name=MARKETING_TEMPLATE, language="en_US", variables=("Ana",)),
            items=tuple(
                BatchMessage(
                    message_id=derived_hex_id(campaign_id, recipient_id, "0"), recipient_id=recipient_id, to=to
                )
                for recipient_id, to in recipients.items()
            ),
            expires_at=utc_now() + timedelta(hours=1),
        )
