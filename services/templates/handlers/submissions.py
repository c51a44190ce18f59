"""Handing templates to Meta.

A template is claimed before Meta hears of it, so that two workers never submit it at once; whether Meta took one whose
worker died, or whose answer was lost, is looked up there before anything else happens to it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil
from typing import Any, Protocol

import structlog

from services.templates.domain.meta_templates import FIELDS, MetaTemplate, read_listing
from services.templates.domain.statuses import PENDING, REJECTED, decided
from services.templates.domain.submission import meta_body, sample_links
from services.templates.handlers.access import NumberLookup
from services.templates.handlers.announcements import Announcements
from services.templates.repositories.drafts import DraftRepository, Submission
from services.templates.repositories.templates import TemplateRepository
from shared.bus.port import Bus
from shared.clock import Clock
from shared.contracts.template_drafts import SubmittedTemplate, SubmitTemplate
from shared.contracts.templates import Template
from shared.crashpoints import crash_point
from shared.errors import ConflictError, InvalidInputError, UpstreamRejectedError, UpstreamUnavailableError, WaapiError
from shared.sealing import KeyRing

LEASE = timedelta(
    seconds=90
)  # until Meta is called: longer than fetching and uploading ten samples usually takes, and than a caller waits
_CLOCK_MARGIN = timedelta(seconds=5)  # Meta's news of the same template must come after our saying that it is pending
_LOST_AT_A_TIME = 20
_SETTLING = timedelta(seconds=6)  # a lease that is over is seen within five, and looking up takes one
_TAKEN = frozenset({2388024, 2388039})  # Meta's subcodes: the name is there already; it may not be edited now

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one worker has a submission for itself; the others follow from it."""

    lease: timedelta = LEASE

    @property
    def call(self) -> timedelta:
        """How long it has it from the call to Meta on: half a minute, twice what an answer may take."""
        return self.lease / 3

    @property
    def look_again(self) -> timedelta:
        """After what time Meta is asked once more: a minute."""
        return self.lease * 2 / 3

    @property
    def listed_within(self) -> timedelta:
        """By when Meta lists what it has taken: ten minutes."""
        return self.lease * 20 / 3


class TemplateDesk(Protocol):
    """Meta, or a stand-in for it."""

    async def find_templates(self, waba_id: str, access_token: str, fields: tuple[str, ...], name: str) -> list[Any]:
        """The languages of a name."""

    async def create_template(self, waba_id: str, access_token: str, body: dict[str, Any]) -> dict[str, Any]:
        """Hand over a new template."""

    async def edit_template(self, meta_template_id: str, access_token: str, body: dict[str, Any]) -> dict[str, Any]:
        """Hand over a rejected one anew."""


class SampleUploader(Protocol):
    """Brings the sample behind a link to Meta."""

    async def upload(self, url: str, access_token: str) -> str:
        """Its handle."""


@dataclass(frozen=True, slots=True)
class SubmissionHandlers:
    """Handles `SubmitTemplate`, and finishes what others began."""

    templates: TemplateRepository
    drafts: DraftRepository
    numbers: NumberLookup
    meta: TemplateDesk
    samples: SampleUploader
    announcements: Announcements
    bus: Bus
    keys: KeyRing
    now: Clock
    new_id: Callable[[str], str]
    patience: Patience = field(default_factory=Patience)

    def register(self) -> None:
        """Tell the bus which message goes where."""
        self.bus.on(SubmitTemplate, self.submit_template)

    async def submit_template(self, command: SubmitTemplate) -> SubmittedTemplate:
        """Submit. A redelivery finds another state and says so, or looks up what became of the first delivery."""
        template = await self.templates.get(command.template_id)
        token = await self._token(template)
        now = self.now()
        submission = await self.drafts.claim(template.template_id, self.new_id("sub_"), now, now + self.patience.lease)
        if submission is None:
            raise await self._not_submittable(template.template_id)
        crash_point("templates.claimed")
        try:
            return await self._submit(submission, token)
        except WaapiError as error:
            if _leaves_unknown(error, submission):
                await self.drafts.mark_unknown(submission, self.now() + self.patience.look_again)
                raise UpstreamUnavailableError(
                    f"{error.message}; whether Meta has the template is looked up within a minute"
                ) from error
            reason = error.message if isinstance(error, UpstreamRejectedError) else submission.template.status_reason
            await self.drafts.mark_not_submitted(submission, reason, self.now())
            await self.announcements.announce([template.template_id])
            raise

    async def settle_lost(self) -> int:
        """Look up at Meta what became of submissions that came to no end; how many were looked at."""
        for count in range(_LOST_AT_A_TIME):
            now = self.now()
            submission = await self.drafts.claim_lost(self.new_id("sub_"), now, now + self.patience.lease)
            if submission is None:
                return count
            await self._settle(submission)
        return _LOST_AT_A_TIME

    async def _submit(self, submission: Submission, token: str) -> SubmittedTemplate:
        if submission.may_be_at_meta and (entry := await self._find_at_meta(submission.template, token)) is not None:
            return await self._record(submission, entry.id, entry.category, entry.status)
        template = submission.template
        handles = {link: await self.samples.upload(link, token) for link in sample_links(template)}
        if not await self.drafts.begin_call(submission, self.now() + self.patience.call):
            raise ConflictError("The template is being submitted by another worker", code="being_submitted")
        if template.meta_template_id is None:
            body = meta_body(template, handles, is_new=True)
            answer = await self.meta.create_template(template.waba_id, token, body)
        else:
            body = meta_body(template, handles, is_new=False)
            answer = await self.meta.edit_template(template.meta_template_id, token, body)
        crash_point("templates.submitted")
        meta_id = template.meta_template_id or str(answer.get("id") or "")
        if not meta_id:
            raise UpstreamUnavailableError("Meta took the template without giving its id")
        category = str(answer.get("category") or template.category).upper()
        return await self._record(submission, meta_id, category, str(answer.get("status") or PENDING).upper())

    async def _record(self, submission: Submission, meta_id: str, category: str, status: str) -> SubmittedTemplate:
        at = submission.claimed_at - _CLOCK_MARGIN
        saying = decided(status, at, submission.status_order)
        stored = await self.drafts.mark_submitted(submission, meta_id, category, saying, self.now())
        if stored is None:
            stored = await self.templates.get(submission.template.template_id)
        await self.announcements.announce([stored.template_id])
        log.info("template_submitted", template_id=stored.template_id, status=stored.status)
        return SubmittedTemplate(
            template_id=stored.template_id,
            status=stored.status,
            meta_template_id=meta_id,
            submitted_at=submission.claimed_at,
        )

    async def _settle(self, submission: Submission) -> None:
        template, now = submission.template, self.now()
        if not submission.was_lost:  # its worker died before Meta was called
            await self.drafts.mark_not_submitted(submission, template.status_reason, now)
            return
        try:
            entry = await self._find_at_meta(template, await self._token(template))
        except WaapiError as error:
            log.info("submission_not_looked_up", template_id=template.template_id, error=error.message)
            await self.drafts.mark_unknown(submission, now + self.patience.look_again)
            return
        if entry is not None:
            await self._record(submission, entry.id, entry.category, entry.status)
        elif submission.submitted_at is not None and now - submission.submitted_at < self.patience.listed_within:
            await self.drafts.mark_unknown(submission, now + self.patience.look_again, free=True)
        else:
            await self.drafts.mark_not_submitted(submission, template.status_reason, now)

    async def _find_at_meta(self, template: Template, token: str) -> MetaTemplate | None:
        """What Meta made of a submission, if it took it: one that it rejected before stays rejected until then."""
        found, _ = read_listing(await self.meta.find_templates(template.waba_id, token, FIELDS, template.name))
        for entry in found:
            if (entry.name, entry.language) == (template.name, template.language):
                was_rejected = template.meta_template_id is not None and entry.status == REJECTED
                return None if was_rejected else entry
        return None

    async def _token(self, template: Template) -> str:
        access, waba_id = await self.numbers.whatsapp_access(template.phone_number_id)
        if waba_id != template.waba_id:
            raise InvalidInputError("The phone number of this template belongs to another WhatsApp account now")
        return self.keys.open(access.sealed_access_token, owner_id=access.phone_number_id, field="access_token")

    async def _not_submittable(self, template_id: str) -> ConflictError:
        template = await self.templates.get(template_id)
        if template.status in {"DRAFT", REJECTED}:
            now = self.now()
            free_at = (await self.drafts.find_lease_end(template_id) or now) + _SETTLING
            seconds = ceil((free_at - now).total_seconds())
            return ConflictError(
                f"The template is being submitted; try again in {seconds} seconds",
                code="being_submitted",
                retry_after_seconds=seconds,
            )
        return ConflictError(
            f"Only a DRAFT or REJECTED template can be submitted; this one is {template.status}", code="template_status"
        )


def _leaves_unknown(error: WaapiError, submission: Submission) -> bool:
    """Whether only Meta knows what it has: no answer that counts, or one that says that it took the attempt before."""
    if isinstance(error, UpstreamRejectedError):
        return submission.was_lost and any(detail.get("subcode") in _TAKEN for detail in error.details)
    return isinstance(error, UpstreamUnavailableError)
