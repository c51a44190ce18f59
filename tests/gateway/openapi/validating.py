"""Judging JSON by the schemas of an OpenAPI document."""

from typing import Any

from jsonschema_rs import Draft202012Validator


def validator(document: dict[str, Any], schema: dict[str, Any], *, formats: bool = False) -> Draft202012Validator:
    """Judges by a schema that may refer to those of the document; by its formats only when told to."""
    return Draft202012Validator(schema | {"components": document["components"]}, validate_formats=formats)


def reference(name: str) -> dict[str, Any]:
    """The schema of this name in a document."""
    return {"$ref": f"#/components/schemas/{name}"}


def faults(document: dict[str, Any], schema: dict[str, Any], value: Any) -> list[str]:
    """What is wrong with a value; empty when nothing is."""
    return [f"{error.instance_path}: {error.message}" for error in validator(document, schema).iter_errors(value)]
