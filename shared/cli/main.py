"""The command line's composition: which commands there are, and what stands in front of them."""

from dataclasses import replace
from typing import Annotated

import typer

from shared.cli import campaigns, records, webhooks
from shared.cli.context import Session
from shared.cli.doctor import doctor
from shared.cli.sending import send
from shared.cli.settings import CliSettings

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help="WAAPI from a terminal.")
app.command("send")(send)
app.command("doctor")(doctor)
app.add_typer(campaigns.app, name="campaign")
app.add_typer(records.templates, name="templates")
app.add_typer(records.keys, name="keys")
app.add_typer(records.credits, name="credits")
app.add_typer(records.dlq, name="dlq")
app.add_typer(webhooks.app, name="webhooks")


@app.callback()
def configure(
    context: typer.Context,
    url: Annotated[str | None, typer.Option("--url", help="The private listener; WAAPI_URL names it, too.")] = None,
) -> None:
    """Find out who asks and where."""
    found = CliSettings.found()
    context.obj = Session(replace(found, url=(url or found.url).rstrip("/")))


def main() -> None:
    """Run a command."""
    app(prog_name="waapi")
