"""Calls to our own listeners on this machine: small, synchronous, never through a proxy."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import OpenerDirector, ProxyHandler, Request, build_opener

TIMEOUT_SECONDS = 30


class NoAnswerError(Exception):
    """Nobody answered at the address, or not with HTTP."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, and the body as JSON (None if it is not)."""

    status: int
    body: Any

    @property
    def data(self) -> Any:
        """The part of our envelope that holds what was asked for."""
        return self.body.get("data") if isinstance(self.body, dict) else None


def call(
    method: str, url: str, body: Mapping[str, Any] | None = None, *, token: str = "", timeout: float = TIMEOUT_SECONDS
) -> Answer:
    """One call with a JSON body; every status is an answer. NoAnswerError if there is none."""
    content = None if body is None else json.dumps(body).encode()
    request = Request(url, data=content, method=method)  # noqa: S310 - our own listeners, by http
    if content is not None:
        request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with _direct().open(request, timeout=timeout) as response:
            return Answer(response.status, _json(response.read()))
    except HTTPError as error:
        with error:
            return Answer(error.code, _json(error.read()))
    except (OSError, HTTPException) as error:
        raise NoAnswerError(f"{method} {url}: {error}") from error


def answers_ok(url: str) -> bool:
    """Whether a GET of the address says 200 now."""
    try:
        return call("GET", url, timeout=5).status == 200
    except NoAnswerError:
        return False


def _direct() -> OpenerDirector:
    """A proxy that the environment names is for the world outside, not for this machine."""
    return build_opener(ProxyHandler({}))


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None
