"""A vendor's webhook receiver: checks both signatures, keeps what came, answers as told."""

import base64
import binascii
import hashlib
import hmac
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from .clock import iso

# Standard Webhooks: a delivery older than this may be a replay.
TOLERANCE_SECONDS = 300


@dataclass(frozen=True, slots=True)
class ReceiverSettings:
    """How deliveries to a path are checked and answered."""

    secret: str | None = None
    status: int = 200
    delay_ms: float = 0


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery; the header names are shared among deliveries, the values are one text."""

    path: str
    header_names: tuple[str, ...]
    header_values: str
    body: bytes
    problems: tuple[str, ...]
    event_id: str | None
    at: float

    def view(self) -> dict[str, Any]:
        """As `/_sandbox/receiver` shows it."""
        return {
            "path": self.path,
            "headers": dict(zip(self.header_names, self.header_values.split("\n"), strict=True)),
            "body": self.body.decode(errors="replace"),
            "verified": not self.problems,
            "problems": self.problems,
            "at": iso(self.at),
        }


class Receiver:
    """All deliveries since the start or the last reset, and the settings of all paths or of one."""

    def __init__(self) -> None:
        self._settings: dict[str | None, ReceiverSettings] = {None: ReceiverSettings()}
        self._deliveries: list[Delivery] = []
        self._header_names: dict[tuple[str, ...], tuple[str, ...]] = {}

    def settings_for(self, path: str | None) -> ReceiverSettings:
        """The settings of a path, else those of all."""
        return self._settings.get(path) or self._settings[None]

    def configure(self, path: str | None, settings: ReceiverSettings) -> None:
        """Change how deliveries to a path (None: to all others) are checked and answered."""
        self._settings[path] = settings

    def keep(self, path: str, headers: Mapping[str, str], body: bytes) -> None:
        """Check and keep one delivery."""
        names = tuple(headers)
        self._deliveries.append(
            Delivery(
                path=path,
                header_names=self._header_names.setdefault(names, names),
                header_values="\n".join(headers.values()),
                body=body,
                problems=tuple(problems_of(headers, body, self.settings_for(path).secret, time.time())),
                event_id=_event_id(body),
                at=time.time(),
            )
        )

    def list_deliveries(self, path: str | None) -> list[Delivery]:
        """Deliveries to a path, or all, oldest first."""
        return [delivery for delivery in self._deliveries if path is None or delivery.path == path]

    def reset(self) -> None:
        """Forget everything."""
        self._settings = {None: ReceiverSettings()}
        self._deliveries.clear()


def summary(deliveries: Iterable[Delivery]) -> dict[str, int]:
    """Deliveries in numbers; a duplicate is a delivery whose event id came before."""
    listed = list(deliveries)
    events = [delivery.event_id for delivery in listed if delivery.event_id is not None]
    return {
        "count": len(listed),
        "verified": sum(not delivery.problems for delivery in listed),
        "event_ids_distinct": len(set(events)),
        "duplicates": len(events) - len(set(events)),
    }


def count_by_event_id(deliveries: Iterable[Delivery]) -> dict[str, Any]:
    """How often each event was delivered with signatures that hold, and how many deliveries had others."""
    listed = list(deliveries)
    verified = Counter(delivery.event_id for delivery in listed if not delivery.problems and delivery.event_id)
    return {"counts": verified, "unverified": sum(bool(delivery.problems) for delivery in listed)}


def problems_of(headers: Mapping[str, str], body: bytes, secret: str | None, now: float) -> list[str]:
    """What is wrong with a delivery's signatures; empty when both hold."""
    if not secret:
        return ["no secret is known for this path"]
    problems = []
    bare = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    if not _same(headers.get("x-webhook-signature"), bare):
        problems.append("x-webhook-signature is not the lower-case hex HMAC-SHA256 of the body")
    return problems + _standard_problems(headers, body, secret, now)


def _standard_problems(headers: Mapping[str, str], body: bytes, secret: str, now: float) -> list[str]:
    message_id, timestamp = headers.get("webhook-id"), headers.get("webhook-timestamp", "")
    if not message_id or not timestamp.isdecimal():
        return ["webhook-id or webhook-timestamp is missing"]
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        return ["webhook-timestamp is more than five minutes off"]
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        return ["the secret is not whsec_ and base64"]
    signed = f"{message_id}.{timestamp}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    if not any(_same(entry, expected) for entry in headers.get("webhook-signature", "").split()):
        return ["webhook-signature holds no valid v1 signature"]
    return []


def _same(given: str | None, expected: str) -> bool:
    return hmac.compare_digest((given or "").encode(), expected.encode())


def _event_id(body: bytes) -> str | None:
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    event_id = event.get("event_id") if isinstance(event, dict) else None
    return event_id if isinstance(event_id, str) else None
