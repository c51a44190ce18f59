"""News of templates in Meta's webhooks.

Source: Meta, WhatsApp Business Platform, webhooks (`message_template_status_update`,
`message_template_quality_update`, `template_category_update`).
"""

from datetime import datetime
from typing import Any

from services.webhooks.domain.meta_values import inner, moment, text, text_or_none
from shared.contracts.webhooks import TemplateUpdate

TEMPLATE_STATUS = "template_status"
TEMPLATE_QUALITY = "template_quality"
TEMPLATE_CATEGORY = "template_category"


def template_kind(field_name: Any, value: dict[str, Any]) -> str | None:
    """Which news of a template this is; Meta's page prints quality news under the name of status news."""
    if field_name == "template_category_update":
        return TEMPLATE_CATEGORY
    if field_name not in {"message_template_status_update", "message_template_quality_update"}:
        return None
    return TEMPLATE_QUALITY if "new_quality_score" in value else TEMPLATE_STATUS


def read_template(kind: str, entry: dict[str, Any], value: dict[str, Any], received_at: datetime) -> TemplateUpdate:
    """One piece of news. Raises ValueError when it cannot be read."""
    return TemplateUpdate(
        waba_id=text(entry.get("id")),
        meta_template_id=text(value.get("message_template_id")),  # a number here, text in Meta's answers
        name=text(value.get("message_template_name")),
        language=text(value.get("message_template_language")).replace("-", "_"),
        at=moment(entry.get("time"), received_at),
        **_news(kind, value),
    )


def _news(kind: str, value: dict[str, Any]) -> dict[str, Any]:
    if kind == TEMPLATE_QUALITY:
        return {"event": "QUALITY_UPDATE", "quality_score": text(value.get("new_quality_score")).upper()}
    if kind == TEMPLATE_CATEGORY:
        correct = text_or_none(value.get("correct_category"))
        category = text(value.get("new_category")).upper()
        return {"event": "CATEGORY_UPDATE", "category": category, "correct_category": correct and correct.upper()}
    reason = text_or_none(value.get("reason"))
    return {
        "event": text(value.get("event")),
        "reason": None if reason == "NONE" else reason,
        "explanation": _explanation(value),
    }


def _explanation(value: dict[str, Any]) -> str | None:
    """What Meta says to people beside its one word; which members it uses depends on the event."""
    rejection, other = inner(value, "rejection_info"), inner(value, "other_info")
    texts = (rejection.get("reason"), rejection.get("recommendation"), other.get("description"))
    return " ".join(filter(None, map(text_or_none, texts))) or None
