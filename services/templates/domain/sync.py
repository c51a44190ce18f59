"""What a sync has to do: what is stored beside what Meta lists, and the differences between them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.templates.domain.meta_templates import MetaTemplate, same_components
from services.templates.domain.statuses import APPROVED, DELETED, StatusAtMeta
from services.templates.domain.variables import template_variables
from shared.contracts.messaging import NumberAccess
from shared.contracts.templates import SyncError, Template

# A template that was just submitted may not be listed yet: its absence means nothing so soon.
_LISTED_WITHIN = timedelta(minutes=10)

# A list tells how things stood before it was asked for, by a clock that may differ from Meta's. Set back by this much,
# it never outweighs a change that happened while it was on its way; that change's own webhook is as good or better.
_CLOCK_MARGIN = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class KnownTemplate:
    """A stored template; `submitted_at` is None when it was never handed to Meta by us."""

    template: Template
    submitted_at: datetime | None = None
    is_edited: bool = False  # it was rejected, and has been changed here since

    @property
    def is_live(self) -> bool:
        """Whether it still exists, as far as we know."""
        return self.template.status != DELETED

    @property
    def waits_for_meta_id(self) -> bool:
        """Whether it was submitted, but the answer with its id never reached us."""
        return self.template.meta_template_id is None and self.submitted_at is not None


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """The differences."""

    imports: tuple[MetaTemplate, ...]
    refreshes: tuple[tuple[Template, MetaTemplate], ...]
    vanished: tuple[Template, ...]
    errors: tuple[SyncError, ...]


def plan_sync(known: Sequence[KnownTemplate], listed: Sequence[MetaTemplate], asked_at: datetime) -> SyncPlan:
    """Compare. `known` must have been read before Meta was asked at `asked_at`."""
    by_meta_id = {one.template.meta_template_id: one for one in known if one.template.meta_template_id}
    live = {(one.template.name, one.template.language): one for one in known if one.is_live}
    imports: list[MetaTemplate] = []
    refreshes: list[tuple[Template, MetaTemplate]] = []
    errors: list[SyncError] = []
    for entry in listed:
        holder = live.get((entry.name, entry.language))
        match = by_meta_id.get(entry.id) or (holder if holder and holder.waits_for_meta_id else None)
        if match is not None and match.is_edited and entry.status == match.template.status:
            continue  # Meta lists what it rejected, not what is to be submitted in its place
        if match is not None:
            if match.is_live or entry.status == APPROVED:  # a deleted one comes back only if it can be used
                refreshes.append((match.template, entry))
        elif entry.status == APPROVED:
            if holder is not None and holder.template.meta_template_id is None:
                errors.append(_held_by_a_draft(entry))
            else:
                imports.append(entry)
    vanished = _vanished(live.values(), listed, asked_at)
    return SyncPlan(tuple(imports), tuple(refreshes), vanished, tuple(errors))


def imported(entry: MetaTemplate, access: NumberAccess, now: datetime, *, new_id: Callable[[str], str]) -> Template:
    """The template that an unknown entry becomes."""
    return Template(
        template_id=new_id("tpl_"),
        user_id=access.user_id,
        phone_number_id=access.phone_number_id,
        waba_id=access.waba_id or "",
        name=entry.name,
        language=entry.language,
        category=entry.category,
        status=entry.status,
        parameter_format=entry.parameter_format,
        components=entry.components,
        variables=template_variables(entry.components, entry.category, new_id=new_id),
        meta_template_id=entry.id,
        quality_score=entry.quality_score,
        rejected_reason=entry.rejected_reason,
        created_at=now,
        updated_at=now,
    )


def refreshed(template: Template, entry: MetaTemplate, *, new_id: Callable[[str], str]) -> Template:
    """The template with everything but its status as Meta has it; equal to the old one when nothing changed."""
    changes: dict[str, object] = {
        "meta_template_id": entry.id,
        "category": entry.category,
        "quality_score": entry.quality_score,
        "parameter_format": entry.parameter_format,
    }
    if not same_components(template.components, entry.components):
        changes["components"] = entry.components
        changes["variables"] = template_variables(
            entry.components, entry.category, new_id=new_id, known=template.variables
        )
    return template.model_copy(update=changes)


def listed_status(entry: MetaTemplate, asked_at: datetime) -> StatusAtMeta:
    """The status that a list asked for at `asked_at` showed."""
    return StatusAtMeta(entry.status, asked_at - _CLOCK_MARGIN, entry.rejected_reason)


def absence(asked_at: datetime) -> StatusAtMeta:
    """What it means that a list asked for at `asked_at` did not show a template."""
    return StatusAtMeta(DELETED, asked_at - _CLOCK_MARGIN)


def _vanished(
    live: Iterable[KnownTemplate], listed: Sequence[MetaTemplate], asked_at: datetime
) -> tuple[Template, ...]:
    listed_ids = {entry.id for entry in listed}
    listed_names = {(entry.name, entry.language) for entry in listed}
    gone: list[Template] = []
    for one in live:
        template = one.template
        if template.meta_template_id is None or template.meta_template_id in listed_ids:
            continue
        replaced = (template.name, template.language) in listed_names  # the name lives on under another id
        too_soon = one.submitted_at is not None and asked_at - one.submitted_at <= _LISTED_WITHIN
        if replaced or not too_soon:
            gone.append(template)
    return tuple(gone)


def _held_by_a_draft(entry: MetaTemplate) -> SyncError:
    return SyncError(
        name=entry.name,
        language=entry.language,
        error="a draft has this name and language; submit or delete it to take over Meta's template",
    )
