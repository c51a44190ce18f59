"""`Idempotency-Key` on every POST: the same answer to the same request, and work that is not done twice.

The record keeps the ids (and secrets) that the work was given, so that a run after a crash makes the same things
again instead of new ones. Both these and the answer rest sealed, since an answer may hold a secret shown once.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import orjson
import structlog
from aiohttp import web

from services.gateway.domain.idempotency import IdempotencyRecord, digest, is_kept, judge, record_id, require_key_form
from services.gateway.repositories.idempotency_keys import IdempotencyRepository
from shared.clock import Clock
from shared.errors import ConflictError
from shared.ids import new_id
from shared.sealing import KeyRing
from shared.web.app import error_response
from shared.web.body import read_json_bytes

LEASE_SECONDS = 30  # the 20 s that a caller may wait, and ten more
LONG_LEASE_SECONDS = 70

Fixed = dict[str, str]
Work = Callable[[Fixed], Awaitable[web.Response]]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Idempotency:
    """Runs the work of a POST. `transient` are the errors of a database that is away."""

    records: IdempotencyRepository
    key_ring: KeyRing
    now: Clock
    transient: tuple[type[Exception], ...] = ()

    async def run(
        self,
        request: web.Request,
        *,
        owner: str,
        fixed: Fixed,
        work: Work,
        lease_seconds: int = LEASE_SECONDS,
        body_hash: str | None = None,
    ) -> web.Response:
        """Do `work` with `fixed` values, or with those of an earlier run; or give the earlier answer again.

        `owner` is the API key or the user whose keys these are; `body_hash` is given where the body is no JSON.
        Raises IdempotencyMismatchError, ConflictError.
        """
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return await work(fixed)
        route = f"{request.method} {_canonical(request)}"
        body_hash = body_hash or digest(await read_json_bytes(request))
        mine = self._new_record(record_id(route, owner, key), body_hash, fixed, lease_seconds)
        record = await self.records.add_once(mine, self.now())
        if record.lease != mine.lease:
            if judge(record, body_hash, self.now()) == "replay":
                return self._replay(record)
            record = await self._take_over(record, mine)
        return await self._run_recorded(request, record, work)

    def check_key(self, request: web.Request) -> None:
        """Raise InvalidInputError for an Idempotency-Key of a wrong form; for requests that do no work."""
        key = request.headers.get("Idempotency-Key")
        if key is not None:
            require_key_form(key)

    def _new_record(self, identifier: str, body_hash: str, fixed: Fixed, lease_seconds: int) -> IdempotencyRecord:
        return IdempotencyRecord(
            record_id=identifier,
            body_hash=body_hash,
            sealed_fixed=self.key_ring.seal(orjson.dumps(fixed).decode(), owner_id=identifier, field="fixed"),
            lease=new_id("lease_"),
            lease_until=self.now() + timedelta(seconds=lease_seconds),
        )

    async def _take_over(self, record: IdempotencyRecord, mine: IdempotencyRecord) -> IdempotencyRecord:
        if not await self.records.take_lease(record, mine.lease, mine.lease_until):
            raise ConflictError(
                "A request with this Idempotency-Key is still being worked on",
                code="idempotency_in_progress",
                retry_after_seconds=1,
            )
        return IdempotencyRecord(record.record_id, record.body_hash, record.sealed_fixed, mine.lease, mine.lease_until)

    async def _run_recorded(self, request: web.Request, record: IdempotencyRecord, work: Work) -> web.Response:
        fixed = orjson.loads(self.key_ring.open(record.sealed_fixed, owner_id=record.record_id, field="fixed"))
        try:
            response = await work(fixed)
        except Exception as error:  # an error is an answer too, and may have to be given again
            response = error_response(request, error, self.transient)
        await self._keep(record, response)
        return response

    async def _keep(self, record: IdempotencyRecord, response: web.Response) -> None:
        try:
            if is_kept(response.status):
                sealed = self.key_ring.seal(response.text or "", owner_id=record.record_id, field="body")
                await self.records.mark_answered(record, response.status, sealed, self.now())
            else:
                await self.records.release(record, self.now())
        except self.transient as error:
            # The work is done and its ids are fixed: the caller gets the answer, and a repetition does nothing twice.
            log.warning("idempotent_answer_not_kept", error=type(error).__name__)

    def _replay(self, record: IdempotencyRecord) -> web.Response:
        text = self.key_ring.open(record.sealed_body or "", owner_id=record.record_id, field="body")
        return web.Response(
            body=text.encode(),
            status=record.status or 200,
            content_type="application/json",
            headers={"Idempotent-Replayed": "true"},
        )


def _canonical(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource else request.path
