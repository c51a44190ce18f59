"""How a template is written as a document and read back, and the one form of its changes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from bson.errors import BSONError
from pymongo.errors import DocumentTooLarge

from shared.contracts.templates import Template
from shared.errors import InvalidInputError
from shared.mongo import Document


def change(values: Mapping[str, Any], now: datetime, *, unannounced: Mapping[str, Any] | None = None) -> list[Document]:
    """An update that sets `values`, and notes a change only if one of them differs.

    A pipeline, because `updated_at` must rise with every change, whatever the clocks say: listeners keep the latest.
    """
    differs = {"$or": [{"$ne": [f"${name}", {"$literal": value}]} for name, value in values.items()]}
    literals = {name: {"$literal": value} for name, value in {**values, **(unannounced or {})}.items()}
    later = {"$max": [now, {"$add": ["$updated_at", 1]}]}
    return [
        {
            "$set": {
                **literals,
                "updated_at": {"$cond": [differs, later, "$updated_at"]},
                "pending_event": {"$cond": [differs, True, {"$ifNull": ["$pending_event", "$$REMOVE"]}]},
            }
        }
    ]


@contextmanager
def storable() -> Iterator[None]:
    """Turn what the database cannot hold into an error of the caller's."""
    try:
        yield
    except (BSONError, DocumentTooLarge, OverflowError) as error:
        raise InvalidInputError(f"the template holds a value that cannot be stored: {error}") from error


def to_template(document: Document) -> Template:
    """The template that a document holds; fields that came later are absent in old ones."""
    fields = {name: document[name] for name in Template.model_fields if name in document}
    return Template(template_id=document["_id"], **fields)
