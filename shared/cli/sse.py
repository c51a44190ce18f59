"""Server-sent events, read line by line (WHATWG HTML, "Server-sent events")."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """One event; `id` is what a stream that breaks is resumed with."""

    name: str
    data: str
    id: str


def read_events(lines: Iterable[str]) -> Iterator[Event]:
    """The events of a stream; comments (pings) are left out."""
    name, data, id_ = "message", list[str](), ""
    for line in lines:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                yield Event(name, "\n".join(data), id_)
            name, data = "message", []
        elif field == "event":
            name = value
        elif field == "data":
            data.append(value)
        elif field == "id":
            id_ = value
