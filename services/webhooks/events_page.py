"""The catalogue of vendor events as a page: `python -m services.webhooks.events_page` writes docs/events.md."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from services.webhooks.domain.catalogue import event_types
from shared.contracts.subscriptions import EventType

PAGE = Path(__file__).parents[2] / "docs" / "events.md"

_HEAD = """# Webhook events

What WAAPI can tell your own servers. Subscribe with `POST /admin/webhooks` to exact names, or to `*` for all; the same
list with JSON Schemas is answered by `GET /api/v1/event-types`. Each event is one POST with a flat JSON object. How to
check its signature: [verifying-webhooks.md](verifying-webhooks.md).

- **`event_id`** is the same in every attempt, resend and replay, and in the header `webhook-id`. An event may come
  more than once; what you have seen, you know. `timestamp` is when it happened.
- **Filters** of a subscription: `phone_number_ids`, `channels`, `sources`. An empty filter lets everything pass, but
  for web chat, which is told only where `channels` names `webchat`. A filter holds back no event that it says nothing
  about.
- **Order** is not promised, since a failed delivery is tried again later. With `ordered: true` the events of one
  conversation come one after the other: the next one once the former was accepted or has used up its attempts.
- **Delivered** means any 2xx within 15 seconds. Anything else, redirects included, is tried again 5 s, 5 min, 30 min,
  2 h, 5 h, 10 h, 14 h, 20 h and 24 h later (each give or take a fifth); a longer `Retry-After` is honoured.
- **An endpoint in trouble** is left alone: after ten failures in a row, or 70 % of five minutes, only one delivery
  tries whether it is back, 30 s later and then after twice the time up to an hour. What waits meanwhile loses no
  attempt.
- **410** disables a webhook at once, 120 hours of nothing but failures do too, and your other webhooks hear
  `webhook.disabled`. Events of a disabled or paused webhook are kept for 30 days and delivered when
  `PATCH /admin/webhooks/{id}` says `{"status": "active"}`.
- **The log**: `GET /admin/webhooks/{id}/deliveries` shows every attempt with request and response. One delivery is made
  again by `POST /admin/deliveries/{id}/resend`, a range by `POST /admin/webhooks/{id}/replay`.
- **While you develop**, `waapi webhooks listen` (or `GET /admin/events/stream`) shows events as they happen, without a
  URL of yours.

| event | when |
|---|---|
"""


def text() -> str:
    """The whole page."""
    rows = "".join(f"| [`{kind.name}`](#{_anchor(kind.name)}) | {kind.description} |\n" for kind in event_types())
    return _HEAD + rows + "".join("\n" + "\n".join(_section(kind)) for kind in event_types())


def _section(kind: EventType) -> Iterator[str]:
    example = json.dumps(kind.example, indent=2, ensure_ascii=False)
    yield from (f"## `{kind.name}`", "", kind.description, "", "```json", example, "```", "")
    yield from ("| member | type | |", "|---|---|---|")
    for name, schema in kind.body_schema["properties"].items():
        yield f"| `{name}` | {_type(schema)} | {schema.get('description', '')} |"
    yield ""


def _type(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_type(choice) for choice in schema["anyOf"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    return {"date-time": "time"}.get(schema.get("format", ""), str(schema.get("type", "any")))


def _anchor(name: str) -> str:
    return name.replace(".", "")


def write() -> None:
    """Write the page."""
    PAGE.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    write()
