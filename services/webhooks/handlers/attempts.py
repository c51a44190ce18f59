"""One attempt to deliver: sign, post, judge, record."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

import orjson
import structlog

from services.webhooks.clients.vendor import VendorClient
from services.webhooks.domain.deliveries import Answer, Attempt, Delivery, Verdict, judge
from services.webhooks.domain.signing import signed_headers
from services.webhooks.metrics import VENDOR_ATTEMPTS, VENDOR_SECONDS
from services.webhooks.repositories.endpoints import Endpoint
from shared.clock import Clock
from shared.crashpoints import crash_point
from shared.gathering import Gathering
from shared.sealing import KeyRing, SealingError

log = structlog.get_logger()

Recorder = Gathering[Attempt, None]


@dataclass(frozen=True, slots=True)
class DeliveryAttempts:
    """Attempts of concurrent deliveries share `recorder`, one write for what has ended in the meantime."""

    recorder: Recorder
    vendor: VendorClient
    keys: KeyRing
    now: Clock
    jitter: Callable[[], float]

    async def make(self, delivery: Delivery, endpoint: Endpoint) -> tuple[Answer, Verdict]:
        """Attempt a delivery once. A crash before the record is followed by another attempt, same event id."""
        at = self.now()
        answer = await self._post(delivery, endpoint)
        crash_point("webhooks.delivered")
        verdict = judge(answer, attempts_made=delivery.attempts_made + 1, now=self.now(), jitter=self.jitter())
        attempt = Attempt(secrets.token_hex(6), delivery, at, endpoint.url, answer, verdict)
        await self.recorder.add(attempt)
        VENDOR_ATTEMPTS.labels(verdict.state).inc()
        VENDOR_SECONDS.observe(answer.latency_ms / 1000)
        if verdict.state == "failed":
            log.warning("delivery_failed", delivery_id=delivery.id, status_code=answer.status_code, error=answer.error)
        return answer, verdict

    async def _post(self, delivery: Delivery, endpoint: Endpoint) -> Answer:
        try:
            headers = self._headers(delivery, endpoint)
        except (SealingError, ValueError):
            # The schedule leaves three days to put the keys right; the text shows nothing of the secret.
            log.exception("webhook_secret_unusable", webhook_id=endpoint.webhook_id)
            return Answer(None, 0, error="the webhook's secret cannot be used")
        return await self.vendor.post(endpoint.url, delivery.body, headers)

    def _headers(self, delivery: Delivery, endpoint: Endpoint) -> dict[str, str]:
        """The vendor's own headers first: they never replace ours."""
        owner = endpoint.webhook_id
        signing = [self.keys.open(sealed, owner_id=owner, field="secret") for sealed in endpoint.sealed_secrets]
        own: dict[str, str] = {}
        if endpoint.sealed_headers is not None:
            own = orjson.loads(self.keys.open(endpoint.sealed_headers, owner_id=owner, field="headers"))
        return own | signed_headers(delivery.body, signing, event_id=delivery.event_id, at=self.now())
