"""How a campaign is read back from its document."""

from datetime import datetime

from services.campaigns.domain.campaigns import Sample, StoredCampaign, TemplateSummary, Upload
from services.campaigns.domain.schedule import Calendar
from shared.contracts.campaigns import CampaignChange, QuietHours
from shared.mongo import Document

_PLAIN = (
    "user_id",
    "phone_number_id",
    "template_id",
    "name",
    "status",
    "created_at",
    "changes",
    "scheduled_at",
    "deadline",
    "started_at",
    "completed_at",
    "paused_code",
    "paused_reason",
    "uploads",
    "last_upload",
    "messages_per_second",
    "contacts_created",
    "contacts_updated",
    "duplicates_removed",
    "credits_reserved",
    "run",
    "released",
    "closed",
    "starting_at",
    "retry",
    "hold_due",
    "number_held",
    "contacts_told",
    "contacts_due",
)


def to_campaign(document: Document) -> StoredCampaign:
    """The campaign that a document tells of."""
    upload, wall_time, quiet = document.get("upload"), document.get("wall_time"), document.get("quiet_hours")
    return StoredCampaign(
        id=document["_id"],
        template=TemplateSummary(**document["template"]),
        calendar=Calendar(
            wall_time=datetime.fromisoformat(wall_time) if wall_time else None,
            quiet_hours=QuietHours.model_validate(quiet) if quiet else None,
        ),
        upload=Upload(upload["id"], upload["base"], upload["until"]) if upload else None,
        actions=tuple(document.get("actions", ())),
        zones=tuple(document.get("zones", ())),
        unheard=tuple(CampaignChange.model_validate(change) for change in document.get("unheard", ())),
        samples=tuple(Sample(each["at"], each["done"]) for each in document.get("samples", ())),
        **{name: document[name] for name in _PLAIN if name in document},
    )
