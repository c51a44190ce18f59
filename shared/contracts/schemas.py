"""Writes down what travels on the bus: a JSON Schema for each message, and one AsyncAPI catalogue of them all.

`python -m shared.contracts.schemas` writes the files; they are committed, and a test compares them with the code, so
that a change of a contract is seen in review.
"""

import json
import pkgutil
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

import shared.contracts
from shared.contracts.asyncapi import catalogue
from shared.contracts.base import MESSAGE_TYPES, Message, Request

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "tests" / "contracts" / "schemas"
CATALOGUE = ROOT / "docs" / "asyncapi.json"

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def message_types() -> Mapping[str, type[Message]]:
    """Every message of the product by wire name, in alphabetical order."""
    for module in pkgutil.iter_modules(shared.contracts.__path__):
        import_module(f"shared.contracts.{module.name}")
    return {name: message for name, message in sorted(MESSAGE_TYPES.items()) if _is_ours(message)}


def message_schema(message: type[Message]) -> dict[str, Any]:
    """The JSON Schema of a message. A request names the schema of its reply under `x-reply`."""
    models: list[type[BaseModel]] = [message]
    if issubclass(message, Request):
        models.append(message.reply_type)
    references, definitions = models_json_schema([(model, "validation") for model in models])
    schema = {"$schema": _DIALECT, **references[message, "validation"]}
    if issubclass(message, Request):
        schema["x-reply"] = references[message.reply_type, "validation"]
    return {**schema, **definitions}


def files() -> dict[Path, str]:
    """Every file, by its place, with what it should hold."""
    messages = message_types()
    schemas = {SCHEMAS / f"{name}.json": _text(message_schema(message)) for name, message in messages.items()}
    return {**schemas, CATALOGUE: _text(catalogue(messages))}


def write() -> None:
    """Write all files; the schemas of messages that are no more go."""
    wanted = files()
    for stale in set(SCHEMAS.glob("*.json")) - set(wanted):
        stale.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _is_ours(message: type[Message]) -> bool:
    """Not one that a test has made up."""
    return message.__module__.startswith("shared.contracts.")


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    write()
