"""`waapi doctor`: what works, what does not, and what to do about it."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import httpx2
import typer

from shared.cli.api import REFUSED, Api, CliError
from shared.cli.context import Json, api_of, telling_errors
from shared.cli.output import print_json, print_line


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    ok: bool
    message: str


@telling_errors
def doctor(context: typer.Context, as_json: Json = False) -> None:
    """Check the gateway, its services, the token, the number and its templates."""
    with api_of(context) as api:
        findings = list(examine(api))
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            print_line(f"{'[green]ok  ' if finding.ok else '[red]bad '}[/] {finding.name}: {finding.message}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(REFUSED)


def examine(api: Api) -> Iterator[Finding]:
    """Each finding as it is made; what cannot work without an earlier one is left out."""
    gateway = _gateway(api)
    yield gateway
    if not gateway.ok:
        return
    yield _demo(api)
    if api.settings.admin_token and api.settings.user_id:
        yield _asked("admin token", lambda: _token(api))
    if api.settings.phone_number_id:
        yield from _number(api, api.settings.phone_number_id)
        yield _asked("templates", lambda: _templates(api))
    if api.settings.admin_token:
        yield _asked("dead letters", lambda: _dead_letters(api))


def _gateway(api: Api) -> Finding:
    try:
        answer = api.http.get("/readyz")
    except httpx2.TransportError:
        return Finding(
            "gateway", False, f"{api.settings.url} does not answer; start it with make run, or set WAAPI_URL"
        )
    if answer.is_success:
        return Finding("gateway", True, f"{api.settings.url} is ready")
    return Finding("gateway", False, f"it answers, but is not ready: {answer.text}")


def _demo(api: Api) -> Finding:
    if api.settings.demo_file:
        return Finding("demo tenant", True, f"{api.settings.demo_file}")
    if api.settings.phone_number_id:
        return Finding("demo tenant", True, "not used; the environment names a number")
    return Finding("demo tenant", False, "there is no .local/demo.json here; run this where make run was started")


def _number(api: Api, number: str) -> Iterator[Finding]:
    try:
        verified = api.call("POST", f"/api/v1/phone-numbers/{number}/verify")
    except CliError as error:
        yield Finding("phone number", False, error.message)
        return
    for check in verified["checks"]:
        yield Finding(f"phone number, {check['name']}", check["ok"], check["message"])


def _token(api: Api) -> str:
    api.call("GET", "/admin/api-keys", params={"user_id": api.settings.user_id})
    return "is accepted"


def _templates(api: Api) -> str:
    known = api.call("GET", "/api/v1/templates", params={"phone_number_id": api.settings.phone_number_id})
    if not known:
        raise CliError("none is approved; waapi templates sync brings them over")
    return f"{len(known)} approved"


def _dead_letters(api: Api) -> str:
    waiting: list[dict[str, Any]] = [row for row in api.call("GET", "/admin/dlq") if row["messages"]]
    if waiting:
        names = ", ".join(f"{row['queue']} ({row['messages']})" for row in waiting)
        raise CliError(f"{names}; waapi dlq show tells why, waapi dlq replay tries again")
    return "none"


def _asked(name: str, ask: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, ask())
    except CliError as error:
        return Finding(name, False, error.message)
