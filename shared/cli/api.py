"""The HTTP API as commands use it: data comes back, or a sentence that says what went wrong."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

import httpx2

from shared.cli.settings import CliSettings

_SECONDS = 70.0  # creation of a campaign may take sixty
_TOLD_AT_MOST = 10

REFUSED, UNREACHABLE = 1, 3  # exit codes; 2 is a wrong command line


class CliError(Exception):
    """What a person is told, and the exit code."""

    def __init__(self, message: str, exit_code: int = REFUSED, body: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code
        self.body = body


@dataclass(frozen=True, slots=True)
class Api:
    """One client for a command's calls. Proxies named in the environment are for other machines than this one."""

    settings: CliSettings
    http: httpx2.Client

    @classmethod
    @contextmanager
    def opened(cls, settings: CliSettings) -> Iterator["Api"]:
        """The API that the settings name."""
        with httpx2.Client(base_url=settings.url, timeout=_SECONDS, trust_env=False) as http:
            yield cls(settings, http)

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """The `data` (or the whole body where there is none) of a call that succeeds. Raises CliError."""
        headers = self.authorization(path) | dict(options.pop("headers", {}))
        try:
            answer = self.http.request(method, path, json=body, headers=headers, **options)
        except httpx2.TransportError as error:
            self.unreachable(error)
        return _data(answer)

    @contextmanager
    def stream(self, path: str, headers: Mapping[str, str], **options: Any) -> Iterator[httpx2.Response]:
        """A stream of events. Raises CliError when it is refused."""
        given = self.authorization(path) | dict(headers)
        with self.http.stream(
            "GET", path, headers=given, timeout=httpx2.Timeout(_SECONDS, read=40), **options
        ) as answer:
            if answer.status_code >= 300:
                answer.read()
                _data(answer)
            yield answer

    def authorization(self, path: str) -> dict[str, str]:
        """The credential that a path asks for. Raises CliError where we have none."""
        needed = {"/admin": ("admin_token", "WAAPI_ADMIN_TOKEN (make admin-token prints one)")}
        needed["/api/external"] = ("api_token", "WAAPI_API_TOKEN")
        for prefix, (name, words) in needed.items():
            if path.startswith(prefix):
                token = getattr(self.settings, name)
                if not token:
                    raise CliError(f"This needs a token: set {words}")
                return {"Authorization": f"Bearer {token}"}
        return {}

    def need(self, name: str, given: str | None) -> str:
        """A value from the command line, or from the settings. Raises CliError where there is none."""
        value = given or getattr(self.settings, name)
        if not value:
            option = name.replace("_", "-")
            raise CliError(f"Which {name}? Give --{option}, or run make run, which keeps one in .local/demo.json")
        return str(value)

    def unreachable(self, error: Exception) -> NoReturn:
        """Nobody answers."""
        raise CliError(f"{self.settings.url} does not answer ({type(error).__name__}); is it running?", UNREACHABLE)


def _data(answer: httpx2.Response) -> Any:
    try:
        body = answer.json()
    except ValueError:
        body = None
    if not answer.is_success or not isinstance(body, dict):
        raise CliError(_words(answer, body), body=body)
    return body.get("data", body)


def _words(answer: httpx2.Response, body: Any) -> str:
    if not isinstance(body, dict):
        return f"{answer.request.url} answered {answer.status_code} without JSON"
    error = body.get("message") or body.get("error")
    words = error.get("message") if isinstance(error, dict) else error
    details = [f"\n  {each['field']}: {each['message']}" for each in body.get("details", [])[:_TOLD_AT_MOST]]
    return f"{answer.status_code}: {words}" + "".join(details)
