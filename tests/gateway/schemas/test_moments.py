"""Times in bodies keep the zone that they were written in: a campaign may mean the reading of its clock."""

import pytest

from services.gateway.schemas.campaigns import CreateCampaignBody

CAMPAIGN = {"phone_number_id": "pn_1", "template_id": "tpl_1", "name": "Sale", "local_time": True}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-03-05T10:30:00+05:30", "2026-03-05T10:30:00+05:30"),
        ("2026-03-05t10:30:00z", "2026-03-05T10:30:00+00:00"),
        ("0001-01-01T00:00:00+01:00", "0001-01-01T00:00:00+00:00"),
    ],
)
def test_a_time_keeps_its_zone_unless_no_calendar_holds_it_in_utc(written: str, read: str) -> None:
    body = CreateCampaignBody.model_validate(CAMPAIGN | {"scheduled_at": written})

    assert body.scheduled_at is not None
    assert body.scheduled_at.isoformat() == read
