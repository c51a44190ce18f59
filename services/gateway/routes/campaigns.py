"""`/api/v1/campaign`: made, looked at, controlled. Recipients and the live view have files of their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args

from aiohttp import web

from services.gateway.routes.asking import Asking
from services.gateway.routes.idempotent import LONG_LEASE_SECONDS, Fixed, Idempotency
from services.gateway.routes.parameters import (
    CAMPAIGN_CURSOR,
    path_id,
    query_choice,
    query_cursor,
    query_number,
    required_query_id,
)
from services.gateway.schemas.campaigns import MOST_CONTACTS, ContactBody, CreateCampaignBody, RetryFailedBody
from shared.clock import iso_millis
from shared.contracts.campaigns import (
    AbortUpload,
    Action,
    Campaign,
    CampaignStatus,
    ControlCampaign,
    CreateCampaign,
    FinishCreation,
    GetCampaign,
    GetPreflight,
    ListCampaigns,
    Preflight,
    QuietHours,
    RefusedRow,
    RetryFailed,
    StageRecipients,
)
from shared.contracts.contacts import RecipientRow
from shared.contracts.messaging import GetPhoneNumber
from shared.errors import InvalidInputError, PayloadTooLargeError
from shared.ids import new_id
from shared.web.body import read_json_bytes, validate
from shared.web.envelopes import success
from shared.web.json_text import parse_json

UNKNOWN_CAMPAIGN: Final = "Campaign not found"
CHUNK: Final = 1000
TOLD_AT_MOST: Final = 1000  # refused recipients in one answer

_BODY_LIMIT = 16 * 1024 * 1024
_STATUSES: tuple[CampaignStatus, ...] = get_args(CampaignStatus)


@dataclass(frozen=True, slots=True)
class CampaignRoutes:
    """Campaigns belong to campaigns; whose they are follows from the phone number."""

    asking: Asking
    idempotency: Idempotency

    def table(self) -> list[web.RouteDef]:
        """What is served where."""
        one = "/api/v1/campaign/{campaign_id}"
        return [
            web.post("/api/v1/campaign", self.create_campaign),
            web.get("/api/v1/campaign", self.list_campaigns),
            web.get(one, self.get_campaign),
            web.get(f"{one}/preflight", self.get_preflight),
            web.post(f"{one}/start", self.start),
            web.post(f"{one}/pause", self.pause),
            web.post(f"{one}/resume", self.resume),
            web.post(f"{one}/cancel", self.cancel),
            web.post(f"{one}/retry-failed", self.retry_failed),
        ]

    async def create_campaign(self, request: web.Request) -> web.Response:
        """201 with the campaign; 400 with every recipient that is wrong, 402 when the credits do not suffice."""
        large = request.clone(client_max_size=_BODY_LIMIT)  # thousands of contacts do not fit into a usual body
        body = _campaign_body(parse_json(await read_json_bytes(large) or b"null"))
        number = await self.asking.query(GetPhoneNumber(phone_number_id=body.phone_number_id))

        async def work(fixed: Fixed) -> web.Response:
            return await self._create(request, fixed["campaign_id"], number.user_id, body)

        fixed = {"campaign_id": new_id("camp_")}
        return await self.idempotency.run(
            large, owner=number.user_id, fixed=fixed, work=work, lease_seconds=LONG_LEASE_SECONDS
        )

    async def list_campaigns(self, request: web.Request) -> web.Response:
        """200 with a user's campaigns, newest first."""
        user_id = required_query_id(request, "user_id")
        wanted = query_choice(request, "status", _STATUSES)
        limit = query_number(request, "limit", default=50, most=200)
        page = await self.asking.query(
            ListCampaigns(
                user_id=user_id,
                status=next((status for status in _STATUSES if status == wanted), None),
                limit=limit,
                cursor=query_cursor(request, CAMPAIGN_CURSOR),
            )
        )
        pagination = {"limit": limit, "next_cursor": page.next_cursor}
        return success(request, {"campaigns": list(map(campaign_shown, page.items)), "pagination": pagination})

    async def get_campaign(self, request: web.Request) -> web.Response:
        """200 with the campaign and its counters."""
        return success(request, campaign_shown(await self.asking.query(GetCampaign(campaign_id=campaign_id(request)))))

    async def get_preflight(self, request: web.Request) -> web.Response:
        """200 with what would happen, and the JSON that one recipient's message would be."""
        recipient = request.query.get("recipient")
        query = GetPreflight(campaign_id=campaign_id(request), recipient=_plus(recipient))
        return success(request, _preflight(await self.asking.query(query)))

    async def start(self, request: web.Request) -> web.Response:
        """200; 402 when the credits do not suffice."""
        return await self._control(request, "start")

    async def pause(self, request: web.Request) -> web.Response:
        """200: from now on nothing of the campaign is sent."""
        return await self._control(request, "pause")

    async def resume(self, request: web.Request) -> web.Response:
        """200: it goes on with the very next recipient."""
        return await self._control(request, "resume")

    async def cancel(self, request: web.Request) -> web.Response:
        """200: from now on nothing of the campaign is sent, for good."""
        return await self._control(request, "cancel")

    async def retry_failed(self, request: web.Request) -> web.Response:
        """200: the recipients that failed are sent to once more."""
        given = await read_json_bytes(request)
        body = validate(RetryFailedBody, parse_json(given) if given else {})
        command = RetryFailed(
            campaign_id=campaign_id(request),
            error_classes=tuple(body.error_classes),
            include_unknown=body.include_unknown,
        )
        return await self._command(request, command)

    async def _control(self, request: web.Request, action: Action) -> web.Response:
        await read_json_bytes(request)  # a body is not needed, but one of another type is refused as everywhere
        return await self._command(request, ControlCampaign(campaign_id=campaign_id(request), action=action))

    async def _command(self, request: web.Request, command: ControlCampaign | RetryFailed) -> web.Response:
        campaign = await self.asking.query(GetCampaign(campaign_id=command.campaign_id))
        look_at = f"GET /api/v1/campaign/{command.campaign_id}"

        async def work(fixed: Fixed) -> web.Response:
            named = command.model_copy(update={"action_id": fixed["action_id"]})
            changed = await self.asking.command(named, look_at=look_at, long=True)
            return success(request, campaign_shown(changed))

        fixed = {"action_id": new_id("act_")}
        return await self.idempotency.run(
            request, owner=campaign.user_id, fixed=fixed, work=work, lease_seconds=LONG_LEASE_SECONDS
        )

    async def _create(self, request: web.Request, id_: str, user_id: str, body: CreateCampaignBody) -> web.Response:
        look_at = f"GET /api/v1/campaign/{id_}"
        await self.asking.command(_creation(id_, user_id, body), look_at=look_at, long=True)
        duplicates, refused = await self._stage(id_, body.contacts, look_at)
        if refused and not body.skip_invalid:
            await self.asking.bus.send(AbortUpload(campaign_id=id_, upload_id=id_))
            raise _invalid_recipients(refused)
        finish = FinishCreation(campaign_id=id_, auto_start=body.auto_start, duplicates=duplicates)
        campaign = await self.asking.command(finish, look_at=look_at, long=True)
        left_out = {"refused": {"count": len(refused), "rows": refused_shown(refused)}} if body.skip_invalid else {}
        return success(request, _created(campaign) | left_out, status=201)

    async def _stage(self, id_: str, contacts: Sequence[ContactBody], look_at: str) -> tuple[int, list[RefusedRow]]:
        duplicates, refused = 0, list[RefusedRow]()
        for start in range(0, len(contacts), CHUNK):
            rows = tuple(
                RecipientRow(row=start + place, **contact.model_dump())
                for place, contact in enumerate(contacts[start : start + CHUNK])
            )
            chunk = StageRecipients(campaign_id=id_, upload_id=id_, rows=rows)
            staged = await self.asking.command(chunk, look_at=look_at, long=True)
            duplicates += staged.duplicates
            refused += staged.refused
        return duplicates, refused


def campaign_id(request: web.Request) -> str:
    """The campaign that a path names."""
    return path_id(request, "campaign_id", unknown=UNKNOWN_CAMPAIGN)


def campaign_shown(campaign: Campaign) -> dict[str, Any]:
    """A campaign as the dashboard API shows it, and what stands beside."""
    counters = campaign.counters
    stats = {
        "pending": counters.pending,
        "sent": counters.waiting,
        "delivered": counters.delivered,
        "read": counters.read,
        "failed": counters.failed,
    }
    done = counters.total - counters.pending
    return {
        "campaign_id": campaign.campaign_id,
        "name": campaign.name,
        "status": campaign.status,
        "total_recipients": counters.total,
        "sent_count": counters.reached,
        "delivered_count": counters.delivered,
        "read_count": counters.read,
        "failed_count": counters.failed,
        "progress_percent": done * 100 // counters.total if counters.total else 0,
        "started_at": _time(campaign.started_at),
        "completed_at": _time(campaign.completed_at),
        "recipient_stats": stats | ({"skipped": counters.skipped} if counters.skipped else {}),
        "user_id": campaign.user_id,
        "phone_number_id": campaign.phone_number_id,
        "template_id": campaign.template_id,
        "paused_reason": campaign.paused_reason,
        "credits_reserved": campaign.credits_reserved,
        "duplicates_removed": campaign.duplicates_removed,
        "error_classes": [each.model_dump() for each in campaign.error_classes],
        "rate_per_second": campaign.rate_per_second,
        "estimated_completion_at": _time(campaign.estimated_completion_at),
        "scheduled_at": _time(campaign.scheduled_at),
        "local_time": campaign.local_time,
        "quiet_hours": campaign.quiet_hours.model_dump() if campaign.quiet_hours else None,
        "deadline": _time(campaign.deadline),
        "created_at": _time(campaign.created_at),
    }


def refused_shown(refused: Sequence[RefusedRow], *, first_line: int = 0) -> list[dict[str, Any]]:
    """The first thousand refused recipients: where they stand, and why."""
    place = "line" if first_line else "index"
    return [
        {place: each.row, "phone": each.phone, "code": each.code, "reason": each.reason}
        for each in refused[:TOLD_AT_MOST]
    ]


def _campaign_body(value: Any) -> CreateCampaignBody:
    contacts = value.get("contacts") if isinstance(value, dict) else None
    if isinstance(contacts, list) and len(contacts) > MOST_CONTACTS:
        raise PayloadTooLargeError(
            f"One request may have at most {MOST_CONTACTS:,} contacts; upload more to "
            "POST /api/v1/campaign/:id/recipients as CSV or NDJSON",
            code="too_many_contacts",
        )
    return validate(CreateCampaignBody, value)


def _creation(id_: str, user_id: str, body: CreateCampaignBody) -> CreateCampaign:
    quiet = body.quiet_hours
    return CreateCampaign(
        campaign_id=id_,
        user_id=user_id,
        phone_number_id=body.phone_number_id,
        template_id=body.template_id,
        name=body.name,
        scheduled_at=body.scheduled_at,
        local_time=body.local_time,
        quiet_hours=QuietHours(start=quiet.start, end=quiet.end) if quiet else None,
        deadline=body.deadline,
    )


def _created(campaign: Campaign) -> dict[str, Any]:
    counters = campaign.counters
    return {
        "campaign_id": campaign.campaign_id,
        "name": campaign.name,
        "status": campaign.status,
        "total_recipients": counters.total,
        "contacts_created": campaign.contacts_created,
        "contacts_updated": campaign.contacts_updated,
        "credits_reserved": campaign.credits_reserved,
        "duplicates_removed": campaign.duplicates_removed,
    } | ({"skipped": counters.skipped} if counters.skipped else {})


def _invalid_recipients(refused: Sequence[RefusedRow]) -> InvalidInputError:
    details = [{"field": f"contacts[{each.row}]", "message": each.reason} for each in refused[:TOLD_AT_MOST]]
    return InvalidInputError(
        f"{len(refused)} of the contacts cannot be sent to; details names them. "
        "Nothing was created; skip_invalid: true leaves them out",
        code="invalid_recipients",
        details=details,
    )


def _preflight(preflight: Preflight) -> dict[str, Any]:
    recipient = preflight.preview_recipient
    return {
        "campaign": campaign_shown(preflight.campaign),
        "cost": preflight.cost,
        "remaining_credits": preflight.remaining_credits,
        "duplicates_removed": preflight.campaign.duplicates_removed,
        "skipped": preflight.campaign.counters.skipped,
        "refused": {"count": preflight.refused, "rows": refused_shown(preflight.refused_examples)},
        "template": {
            "name": preflight.template_name,
            "language": preflight.template_language,
            "category": preflight.template_category,
        },
        "phone_number": {
            "messages_per_second": preflight.messages_per_second,
            "quality_rating": preflight.quality_rating,
        },
        "estimated_seconds": preflight.estimated_seconds,
        "problems": list(preflight.problems),
        "preview": {
            "recipient_id": recipient.recipient_id,
            "phone": recipient.phone,
            "payload": preflight.preview_payload,
        }
        if recipient
        else None,
    }


def _plus(recipient: str | None) -> str | None:
    """A `+` in a query may arrive as a space."""
    return f"+{recipient[1:]}" if recipient and recipient.startswith(" ") else recipient


def _time(moment: Any) -> str | None:
    return iso_millis(moment) if moment is not None else None
