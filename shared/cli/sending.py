"""`waapi send`: one message, as a vendor's back end would send it."""

from typing import Annotated

import typer

from shared.cli.context import Json, api_of, show_facts, telling_errors


@telling_errors
def send(
    context: typer.Context,
    to: Annotated[str, typer.Argument(help="The recipient's phone number, e.g. +14155550123.")],
    text: Annotated[str | None, typer.Argument(help="What to say.")] = None,
    template: Annotated[str | None, typer.Option("--template", help="Name of an approved template instead.")] = None,
    variable: Annotated[list[str] | None, typer.Option("--var", help="Its values, in order.")] = None,
    language: Annotated[str | None, typer.Option("--language", help="Where it is there in several.")] = None,
    key: Annotated[str | None, typer.Option("--key", help="Idempotency-Key.")] = None,
    as_json: Json = False,
) -> None:
    """Send one message with the API key."""
    if (text is None) == (template is None):
        raise typer.BadParameter("give a text, or --template with --var")
    body: dict[str, object] = {"to": to, "type": "text", "text": text}
    if template is not None:
        body = {
            "to": to,
            "type": "template",
            "template": {"name": template, "body": {"variables": variable or []}}
            | ({"language": language} if language else {}),
        }
    with api_of(context) as api:
        path = f"/api/external/send-message/{api.need('encoded_phone_id', None)}"
        sent = api.call("POST", path, body, headers={"Idempotency-Key": key} if key else {})
    show_facts(sent, as_json=as_json)
