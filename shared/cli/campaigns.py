"""`waapi campaign`: from a CSV file to a progress bar."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import httpx2
import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from shared.cli.api import Api, CliError
from shared.cli.context import Json, PhoneNumberId, UserId, api_of, show_facts, show_rows, telling_errors
from shared.cli.output import print_json, print_line
from shared.cli.sse import read_events

app = typer.Typer(no_args_is_help=True, help="Campaigns: created from a file, watched, controlled.")

CampaignId = Annotated[str, typer.Argument(help="The campaign's id.")]

_KINDS = {".csv": "text/csv", ".ndjson": "application/x-ndjson", ".jsonl": "application/x-ndjson"}
_COLUMNS = ("campaign_id", "name", "status", "total_recipients", "sent_count", "failed_count", "progress_percent")
_UPLOAD_SECONDS = 900.0
_PIECE = 256 * 1024
_PATIENCE_SECONDS = 60.0  # without any news, while the gateway restarts


@app.command("create")
@telling_errors
def create(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV (column phone) or NDJSON.")],
    template: Annotated[str, typer.Option("--template", help="Id or name of an approved template.")],
    name: Annotated[str | None, typer.Option("--name", help="What people call it; by default the file's name.")] = None,
    phone_number_id: PhoneNumberId = None,
    start: Annotated[bool, typer.Option("--start", help="Start it.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Start it, and show how it goes.")] = False,
    scheduled_at: Annotated[str | None, typer.Option("--at", help="When to begin, e.g. 2026-03-05T10:00:00Z.")] = None,
    local_time: Annotated[bool, typer.Option("--local-time", help="Read --at in each recipient's zone.")] = False,
    as_json: Json = False,
) -> None:
    """Create a campaign from a file; without --start it stays a draft."""
    kind = _KINDS.get(file.suffix.lower())
    if kind is None:
        raise CliError(f"{file.name} must end in .csv, .ndjson or .jsonl", 2)
    with api_of(context) as api:
        number = api.need("phone_number_id", phone_number_id)
        body = {
            "phone_number_id": number,
            "template_id": _template_id(api, number, template),
            "name": name or file.stem,
            "scheduled_at": scheduled_at,
            "local_time": local_time,
        }
        campaign_id = api.call("POST", "/api/v1/campaign", body)["campaign_id"]
        report = _upload(api, campaign_id, file, kind, quiet=as_json)
        if start or watch:
            api.call("POST", f"/api/v1/campaign/{campaign_id}/start")
        if not watch or as_json:
            show_facts(report | ({"status": "started"} if start or watch else {}), as_json=as_json)
        if watch:
            _watch(api, campaign_id, as_json=as_json)


@app.command("list")
@telling_errors
def list_campaigns(
    context: typer.Context,
    user_id: UserId = None,
    status: Annotated[str | None, typer.Option("--status", help="Of one status, e.g. RUNNING.")] = None,
    as_json: Json = False,
) -> None:
    """List campaigns, newest first."""
    with api_of(context) as api:
        query = {"user_id": api.need("user_id", user_id)} | ({"status": status} if status else {})
        found = api.call("GET", "/api/v1/campaign", params=query)["campaigns"]
    show_rows(found, _COLUMNS, as_json=as_json)


@app.command("show")
@telling_errors
def show(context: typer.Context, campaign_id: CampaignId, as_json: Json = False) -> None:
    """Show a campaign with its counters and why recipients failed."""
    with api_of(context) as api:
        show_facts(api.call("GET", f"/api/v1/campaign/{campaign_id}"), as_json=as_json)


@app.command("preflight")
@telling_errors
def preflight(
    context: typer.Context,
    campaign_id: CampaignId,
    recipient: Annotated[str | None, typer.Option("--recipient", help="Id or phone to preview.")] = None,
    as_json: Json = False,
) -> None:
    """Look before starting: cost, problems, and the JSON that Meta would get."""
    with api_of(context) as api:
        query = {"recipient": recipient} if recipient else {}
        show_facts(api.call("GET", f"/api/v1/campaign/{campaign_id}/preflight", params=query), as_json=as_json)


@app.command("watch")
@telling_errors
def watch_campaign(context: typer.Context, campaign_id: CampaignId, as_json: Json = False) -> None:
    """Show how a campaign goes until it is over; with --json a line for each change."""
    with api_of(context) as api:
        _watch(api, campaign_id, as_json=as_json)


def _control(context: typer.Context, campaign_id: str, action: str, *, as_json: bool) -> None:
    with api_of(context) as api:
        campaign = api.call("POST", f"/api/v1/campaign/{campaign_id}/{action}")
    if as_json:
        print_json(campaign)
    else:
        print_line(f"{campaign['campaign_id']} is {campaign['status']}")


@app.command("start")
@telling_errors
def start_campaign(context: typer.Context, campaign_id: CampaignId, as_json: Json = False) -> None:
    """Start a draft."""
    _control(context, campaign_id, "start", as_json=as_json)


@app.command("pause")
@telling_errors
def pause(context: typer.Context, campaign_id: CampaignId, as_json: Json = False) -> None:
    """Pause: after the answer nothing more is sent."""
    _control(context, campaign_id, "pause", as_json=as_json)


@app.command("resume")
@telling_errors
def resume(context: typer.Context, campaign_id: CampaignId, as_json: Json = False) -> None:
    """Go on with the very next recipient."""
    _control(context, campaign_id, "resume", as_json=as_json)


@app.command("cancel")
@telling_errors
def cancel(context: typer.Context, campaign_id: CampaignId, as_json: Json = False) -> None:
    """Cancel for good."""
    _control(context, campaign_id, "cancel", as_json=as_json)


@app.command("retry-failed")
@telling_errors
def retry_failed(
    context: typer.Context,
    campaign_id: CampaignId,
    error_class: Annotated[list[str] | None, typer.Option("--class", help="Of these error classes only.")] = None,
    as_json: Json = False,
) -> None:
    """Send again to those that failed."""
    with api_of(context) as api:
        body = {"error_classes": error_class or []}
        campaign = api.call("POST", f"/api/v1/campaign/{campaign_id}/retry-failed", body)
    show_facts(campaign, as_json=as_json)


def _template_id(api: Api, phone_number_id: str, wanted: str) -> str:
    known = api.call("GET", "/api/v1/templates", params={"phone_number_id": phone_number_id})
    matching = [row for row in known if wanted in {row["template_id"], row["name"]}]
    if len(matching) != 1:
        names = ", ".join(sorted({row["name"] for row in known})) or "none"
        trouble = (
            "is there in several languages; give its id" if matching else f"is not approved here; there are {names}"
        )
        raise CliError(f"The template {wanted} {trouble}")
    return str(matching[0]["template_id"])


def _upload(api: Api, campaign_id: str, file: Path, kind: str, *, quiet: bool) -> dict[str, Any]:
    size = file.stat().st_size
    with Progress(TextColumn("uploading"), BarColumn(), disable=quiet, console=Console(stderr=True)) as progress:
        task = progress.add_task("upload", total=size)

        def pieces() -> Iterator[bytes]:
            with file.open("rb") as source:
                while piece := source.read(_PIECE):
                    yield piece
                    progress.advance(task, len(piece))

        report = api.call(
            "POST",
            f"/api/v1/campaign/{campaign_id}/recipients",
            content=pieces(),
            headers={"Content-Type": kind},
            timeout=_UPLOAD_SECONDS,
        )
    return dict(report)


def _watch(api: Api, campaign_id: str, *, as_json: bool) -> None:
    news = _news(api, campaign_id)
    if as_json:
        for campaign in news:
            typer.echo(orjson.dumps(campaign).decode())
        return
    columns = (
        TextColumn("{task.fields[status]:<9}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.0f}/s"),
        TimeRemainingColumn(),
        TextColumn("failed {task.fields[failed]}"),
    )
    with Progress(*columns) as progress:
        task = progress.add_task(campaign_id, total=None, status="", rate=0.0, failed=0)
        for campaign in news:
            total = campaign["total_recipients"]
            progress.update(
                task,
                total=total,
                completed=total - campaign["recipient_stats"]["pending"],
                status=campaign["status"],
                rate=campaign["rate_per_second"],
                failed=campaign["failed_count"],
            )
    for each in campaign["error_classes"]:
        print_line(f"{each['count']} {each['error_class']}: {each['meaning']} {each['remedy']}")


def _news(api: Api, campaign_id: str) -> Iterator[dict[str, Any]]:
    """Every change until the end. A stream that breaks is opened again, for as long as a minute."""
    last_id, heard_at = "", time.monotonic()
    while True:
        try:
            headers = {"Last-Event-ID": last_id} if last_id else {}
            with api.stream(f"/api/v1/campaign/{campaign_id}/events", headers) as answer:
                if answer.status_code == 204:
                    return
                for event in read_events(answer.iter_lines()):
                    last_id, heard_at = event.id, time.monotonic()
                    yield orjson.loads(event.data)
                    if event.name == "done":
                        return
        except httpx2.TransportError as error:
            if time.monotonic() - heard_at > _PATIENCE_SECONDS:
                api.unreachable(error)
        time.sleep(1)
