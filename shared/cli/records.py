"""`waapi templates`, `keys`, `credits`, `dlq`: short commands, one call each."""

from typing import Annotated

import typer

from shared.cli.context import Json, PhoneNumberId, UserId, api_of, show_facts, show_rows, telling_errors

templates = typer.Typer(no_args_is_help=True, help="Templates.")
keys = typer.Typer(no_args_is_help=True, help="API keys of the external send API.")
credits = typer.Typer(no_args_is_help=True, help="Credits.")
dlq = typer.Typer(no_args_is_help=True, help="Messages on the bus that could not be handled.")

Queue = Annotated[str, typer.Argument(help="The queue's name, as dlq list shows it.")]


@templates.command("sync")
@telling_errors
def sync_templates(
    context: typer.Context, user_id: UserId = None, phone_number_id: PhoneNumberId = None, as_json: Json = False
) -> None:
    """Bring templates over from Meta."""
    with api_of(context) as api:
        body = {
            "user_id": api.need("user_id", user_id),
            "phone_number_id": api.need("phone_number_id", phone_number_id),
        }
        show_facts(api.call("POST", "/api/v1/templates/sync", body), as_json=as_json)


@templates.command("list")
@telling_errors
def list_templates(context: typer.Context, phone_number_id: PhoneNumberId = None, as_json: Json = False) -> None:
    """List what may be sent."""
    with api_of(context) as api:
        query = {"phone_number_id": api.need("phone_number_id", phone_number_id), "status": "ALL"}
        found = api.call("GET", "/api/v1/templates", params=query)
    show_rows(found, ("template_id", "name", "language", "category", "status"), as_json=as_json)


@keys.command("create")
@telling_errors
def create_key(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What people call it.")],
    user_id: UserId = None,
    phone_number_id: PhoneNumberId = None,
    permission: Annotated[list[str] | None, typer.Option("--permission", help="May be given several times.")] = None,
    as_json: Json = False,
) -> None:
    """Create an API key; its token is shown this once."""
    with api_of(context) as api:
        body = {
            "user_id": api.need("user_id", user_id),
            "phone_number_id": api.need("phone_number_id", phone_number_id),
            "name": name,
        } | ({"permissions": permission} if permission else {})
        show_facts(api.call("POST", "/admin/api-keys", body), as_json=as_json)


@keys.command("list")
@telling_errors
def list_keys(context: typer.Context, user_id: UserId = None, as_json: Json = False) -> None:
    """List API keys, without their tokens."""
    with api_of(context) as api:
        found = api.call("GET", "/admin/api-keys", params={"user_id": api.need("user_id", user_id)})
    show_rows(found, ("key_id", "name", "prefix", "permissions", "last_used_at"), as_json=as_json)


@credits.command("grant")
@telling_errors
def grant_credits(
    context: typer.Context,
    number: Annotated[int, typer.Argument(min=1, help="How many.")],
    user_id: UserId = None,
    note: Annotated[str | None, typer.Option("--note", help="Why.")] = None,
    as_json: Json = False,
) -> None:
    """Add credits to a user's account."""
    with api_of(context) as api:
        user = api.need("user_id", user_id)
        body = {"credits": number} | ({"note": note} if note else {})
        show_facts(api.call("POST", f"/admin/users/{user}/credits", body), as_json=as_json)


@dlq.command("list")
@telling_errors
def list_dead_letters(context: typer.Context, as_json: Json = False) -> None:
    """Count what could not be handled, by queue."""
    with api_of(context) as api:
        found = api.call("GET", "/admin/dlq")
    show_rows(found if as_json else [row for row in found if row["messages"]], ("queue", "messages"), as_json=as_json)


@dlq.command("show")
@telling_errors
def show_dead_letters(context: typer.Context, queue: Queue, as_json: Json = False) -> None:
    """Look at the first messages of a queue."""
    with api_of(context) as api:
        found = api.call("GET", f"/admin/dlq/{queue}")
    show_rows(found, ("message_id", "type", "reason", "died_at"), as_json=as_json)


@dlq.command("replay")
@telling_errors
def replay_dead_letters(context: typer.Context, queue: Queue, as_json: Json = False) -> None:
    """Hand the messages of a queue over once more; their ids stay, so that nothing happens twice."""
    with api_of(context) as api:
        show_facts(api.call("POST", f"/admin/dlq/{queue}/replay"), as_json=as_json)


@dlq.command("drop")
@telling_errors
def drop_dead_letters(
    context: typer.Context,
    queue: Queue,
    yes: Annotated[bool, typer.Option("--yes", prompt="Forget them for good?", help="Do not ask.")],
    as_json: Json = False,
) -> None:
    """Forget the messages of a queue."""
    if not yes:
        raise typer.Abort
    with api_of(context) as api:
        show_facts(api.call("DELETE", f"/admin/dlq/{queue}"), as_json=as_json)
