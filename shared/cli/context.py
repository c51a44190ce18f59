"""What all commands share: their API, whether JSON is wanted, and how errors end a command."""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, ParamSpec

import httpx2
import typer

from shared.cli.api import Api, CliError
from shared.cli.output import print_facts, print_json, print_problem, print_table
from shared.cli.settings import CliSettings

P = ParamSpec("P")

Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
UserId = Annotated[str | None, typer.Option("--user-id", help="Whose; by default the demo tenant.")]
PhoneNumberId = Annotated[
    str | None, typer.Option("--phone-number-id", help="Our id of a number; by default the demo's.")
]


@dataclass(slots=True)
class Session:
    """What the options in front of the command have said."""

    settings: CliSettings


@contextmanager
def api_of(context: typer.Context) -> Iterator[Api]:
    """The API of a command."""
    session: Session = context.obj
    with Api.opened(session.settings) as api:
        try:
            yield api
        except httpx2.TransportError as error:
            api.unreachable(error)


def telling_errors(command: Callable[P, None]) -> Callable[P, None]:
    """End a command with a sentence (with `--json`, with the answer as it came) and an exit code."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except CliError as error:
            if kwargs.get("as_json") and error.body is not None:
                print_json(error.body)
            print_problem(error.message)
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            raise typer.Exit(130) from None

    return run


def show_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    """A list, for programs or for people."""
    if as_json:
        print_json(rows)
    else:
        print_table(rows, columns)


def show_facts(facts: Mapping[str, Any], *, as_json: bool) -> None:
    """One thing, for programs or for people."""
    if as_json:
        print_json(facts)
    else:
        print_facts(facts)
