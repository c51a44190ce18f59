"""`waapi webhooks`: hear events in a terminal, check signatures, deliver a time again."""

import sys
import time
from pathlib import Path
from typing import Annotated

import httpx2
import orjson
import typer
from standardwebhooks import Webhook, WebhookVerificationError

from shared.cli.api import CliError
from shared.cli.context import Json, UserId, api_of, show_facts, show_rows, telling_errors
from shared.cli.output import print_line
from shared.cli.sse import read_events

app = typer.Typer(no_args_is_help=True, help="Vendor webhooks.")


@app.command("listen")
@telling_errors
def listen(
    context: typer.Context,
    user_id: UserId = None,
    event: Annotated[list[str] | None, typer.Option("--event", help="Only these events.")] = None,
    forward_to: Annotated[str | None, typer.Option("--forward-to", help="Post each event to this URL.")] = None,
    as_json: Json = False,
) -> None:
    """Show events as they happen; nothing has to be reachable from outside."""
    with api_of(context) as api, httpx2.Client(trust_env=False) as forwarding:
        query, last_id = {"user_id": api.need("user_id", user_id)}, ""
        while True:
            try:
                headers = {"Last-Event-ID": last_id} if last_id else {}
                with api.stream("/admin/events/stream", headers, params=query) as answer:
                    for heard in read_events(answer.iter_lines()):
                        last_id = heard.id or last_id
                        if event and heard.name not in event:
                            continue
                        typer.echo(heard.data if as_json else f"{heard.name}  {heard.data}")
                        if forward_to:
                            _forward(forwarding, forward_to, heard.data)
            except httpx2.TransportError:
                time.sleep(1)


@app.command("verify")
@telling_errors
def verify(
    context: typer.Context,
    headers: Annotated[Path, typer.Option("--headers", exists=True, help="The request's headers, as a JSON object.")],
    body: Annotated[Path | None, typer.Argument(help="The exact body; standard input when left out.")] = None,
    secret: Annotated[str | None, typer.Option("--secret", help="whsec_…; by default the demo's.")] = None,
    as_json: Json = False,
) -> None:
    """Check the signature of a delivery as a receiver has to."""
    raw = body.read_bytes() if body else sys.stdin.buffer.read()
    given = {name.lower(): str(value) for name, value in orjson.loads(headers.read_bytes()).items()}
    with api_of(context) as api:
        key = api.need("webhook_secret", secret)
    try:
        Webhook(key).verify(raw, given)
    except WebhookVerificationError as error:
        raise CliError(f"The signature does not hold: {error}") from None
    show_facts({"verified": True, "webhook-id": given.get("webhook-id")}, as_json=as_json)


@app.command("list")
@telling_errors
def list_webhooks(context: typer.Context, user_id: UserId = None, as_json: Json = False) -> None:
    """List subscriptions."""
    with api_of(context) as api:
        found = api.call("GET", "/admin/webhooks", params={"user_id": api.need("user_id", user_id)})
    show_rows(found, ("webhook_id", "url", "events", "status"), as_json=as_json)


@app.command("replay")
@telling_errors
def replay(
    context: typer.Context,
    webhook_id: Annotated[str, typer.Argument(help="The subscription.")],
    since: Annotated[str, typer.Option("--from", help="e.g. 2026-03-05T10:00:00Z.")],
    until: Annotated[str, typer.Option("--to", help="e.g. 2026-03-05T11:00:00Z.")],
    as_json: Json = False,
) -> None:
    """Deliver the events of a time again."""
    with api_of(context) as api:
        body = {"from": since, "to": until}
        show_facts(api.call("POST", f"/admin/webhooks/{webhook_id}/replay", body), as_json=as_json)


def _forward(client: httpx2.Client, url: str, body: str) -> None:
    try:
        answer = client.post(url, content=body, headers={"Content-Type": "application/json"})
        print_line(f"  → {url} {answer.status_code}")
    except httpx2.TransportError as error:
        print_line(f"  → {url} {type(error).__name__}")
