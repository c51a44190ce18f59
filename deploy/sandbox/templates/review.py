"""The life of a template after it was submitted: review, recategorisation, pause; each told by webhook."""

import random
import re
import time
from dataclasses import dataclass
from typing import Any

from ..agenda import Agenda
from ..faults import Faults
from ..webhooks.sender import WebhookSender
from ..webhooks.updates import ChangeUpdate
from .store import Template

CALM_REVIEW_SECONDS = 1.0
META_REVIEW_SECONDS = 2.0
DISABLE_AFTER_SECONDS = 1.0
# A held message is judged after this long (the same as its statuses wait).
HELD_SECONDS = 5.0
ADJACENT = re.compile(r"\}\}\s*\{\{")
_REJECTION_INFO = {
    "reason": "Your template has parameters placed next to each other (like {{1}}{{2}}) without text or punctuation "
    "between them.",
    "recommendation": "Separate parameters with descriptive text and ensure each parameter is clearly contextualized.",
}


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Decides about templates, later, and announces it."""

    agenda: Agenda
    faults: Faults
    webhooks: WebhookSender
    rng: random.Random

    def submit(self, template: Template) -> None:
        """A template was created or edited: it is pending, and reviewed soon unless its name says never."""
        template.status = "PENDING"
        if template.fate.never_reviewed:
            return
        usual = META_REVIEW_SECONDS if self.faults.now.profile == "meta" else CALM_REVIEW_SECONDS
        asked = template.fate.review_after_seconds
        self.agenda.after(usual if asked is None else asked, self._review, template, template.updated_at)

    def note_send(self, template: Template, *, is_dropped: bool) -> None:
        """Count a send; some templates are paused by it."""
        template.sends += 1
        if template.sends == template.fate.paused_after_sends:
            self._pause(template)
        if is_dropped:
            self.agenda.after(HELD_SECONDS, self._pause, template)

    def _review(self, template: Template, submitted_at: float) -> None:
        if template.status != "PENDING" or template.updated_at != submitted_at:
            return  # deleted, or edited again: the later submission has a review of its own
        reason = template.fate.reject_reason
        if reason is None and ADJACENT.search(template.shape.body_text or ""):
            reason = "INVALID_FORMAT"
        if reason is None and self.rng.random() < self.faults.now.reject_templates:
            reason = "INVALID_FORMAT"
        if reason is not None:
            template.rejected_reason = reason
            info = {"rejection_info": _REJECTION_INFO} if reason == "INVALID_FORMAT" else {}
            self._announce(template, "REJECTED", reason, info)
            return
        template.rejected_reason = "NONE"
        self._announce(template, "APPROVED", "NONE")
        if template.fate.disabled_after_approval:
            self.agenda.after(DISABLE_AFTER_SECONDS, self._disable, template)
        later = template.fate.recategorised_after_seconds
        if later is not None:
            self.agenda.after(later, self._announce_category, template, later)

    def _pause(self, template: Template) -> None:
        title = {"other_info": {"title": "FIRST_PAUSE", "description": "Paused for low quality."}}
        self._announce(template, "PAUSED", "NONE", title)

    def _disable(self, template: Template) -> None:
        self._announce(template, "DISABLED", "NONE", {"disable_info": {"disable_date": int(time.time())}})

    def _announce_category(self, template: Template, again_after: float) -> None:
        """Announcement: the current category, and the correct one to come."""
        template.correct_category = "MARKETING"
        self._category_update(
            template,
            {
                "new_category": template.category,
                "correct_category": "MARKETING",
                "category_update_timestamp": int(time.time() + again_after),
            },
        )
        self.agenda.after(again_after, self._change_category, template)

    def _change_category(self, template: Template) -> None:
        template.previous_category, template.category = template.category, "MARKETING"
        template.correct_category = None
        change = {"previous_category": template.previous_category, "new_category": "MARKETING"}
        self._category_update(template, change)

    def _category_update(self, template: Template, change: dict[str, Any]) -> None:
        value = _identity(template) | change
        self.webhooks.push(ChangeUpdate(template.waba_id, "template_category_update", value))

    def _announce(self, template: Template, event: str, reason: str, more: dict[str, Any] | None = None) -> None:
        template.status = event
        value = (
            {"event": event}
            | _identity(template)
            | {"reason": reason, "message_template_category": template.category}
            | (more or {})
        )
        self.webhooks.push(ChangeUpdate(template.waba_id, "message_template_status_update", value))


def _identity(template: Template) -> dict[str, Any]:
    """Which template a webhook is about; the id is a number here, though text in REST."""
    return {
        "message_template_id": int(template.template_id),
        "message_template_name": template.name,
        "message_template_language": template.language,
    }
