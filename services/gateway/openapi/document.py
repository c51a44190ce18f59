"""Renders operations as an OpenAPI 3.1 document, whose schemas are pydantic's.

Source: https://spec.openapis.org/oas/v3.1.1
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from services.gateway.openapi.operations import Access, Answer, Operation, Parameter, RequestBody

_SCHEMA_REFERENCE = "#/components/schemas/{model}"
_SCHEMES: Mapping[Access, tuple[str, Mapping[str, str]]] = {
    "api_key": (
        "ApiKey",
        {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "wak_live_…",
            "description": "An API key for one phone number, made by the operator and shown once.",
        },
    ),
    "admin": (
        "AdminToken",
        {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "An operator's token."},
    ),
    "visitor": (
        "VisitorToken",
        {"type": "http", "scheme": "bearer", "bearerFormat": "wvt_…", "description": "A web chat session's token."},
    ),
}
_HEADERS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "X-Correlation-Id": ("The request's id in our logs; `X-Request-Id` chooses it.", {"type": "string"}),
    "Deprecation": ("Since when the route is deprecated: `@` and Unix seconds.", {"type": "string"}),
    "Link": ("The route to use instead, as `successor-version`.", {"type": "string"}),
    "Retry-After": ("Seconds after which to try again.", {"type": "integer", "minimum": 0}),
    "Location": ("Where to go on.", {"type": "string", "format": "uri"}),
    "WWW-Authenticate": ("`Bearer`", {"type": "string"}),
    "RateLimit-Limit": ("Requests a second in the long run.", {"type": "integer"}),
    "RateLimit-Remaining": ("Requests left now.", {"type": "integer"}),
    "RateLimit-Reset": ("Seconds until there are more.", {"type": "integer"}),
}


@dataclass(frozen=True, slots=True)
class Api:
    """A set of operations that is published as one document."""

    title: str
    description: str
    version: str
    tags: Mapping[str, str]
    operations: Sequence[Operation]


def document(api: Api) -> dict[str, Any]:
    """The OpenAPI document, as JSON values."""
    schemas = _Schemas(api.operations)
    paths: dict[str, dict[str, Any]] = {}
    for operation in api.operations:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation, schemas)
    schemes = dict(_SCHEMES[each.access] for each in api.operations if each.access in _SCHEMES)
    return {
        "openapi": "3.1.1",
        "info": {"title": api.title, "version": api.version, "description": api.description},
        "servers": [{"url": "/", "description": "This gateway, or the domain in front of it"}],
        "tags": [{"name": name, "description": text} for name, text in api.tags.items()],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "headers": {name: {"description": text, "schema": schema} for name, (text, schema) in _HEADERS.items()},
            "securitySchemes": schemes,
        },
    }


class _Generator(GenerateJsonSchema):
    """pydantic's schemas without what readers need not be told, and with the discriminators of our own unions."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """`Template Name` says no more than `template_name`."""
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Left out, a field that may be null is null: nobody needs to read that forty times."""
        shown = super().default_schema(schema)
        return {key: value for key, value in shown.items() if key != "default" or value not in (None, [], "")}

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        """Tools choose by `type` as we do; see `shared.web.field_errors.UnionBy` for tags in parentheses."""
        shown = super().tagged_union_schema(schema)
        field = schema.get("custom_error_context", {}).get("by_field")
        if field is not None and len(shown["oneOf"]) > 1:
            chosen = {str(tag)[1:-1]: self.generate_inner(choice) for tag, choice in schema["choices"].items()}
            mapping = {value: choice["$ref"] for value, choice in chosen.items()}
            shown["discriminator"] = {"propertyName": field, "mapping": mapping}
        return shown


class _Schemas:
    """The schemas of all bodies and answers; every model once, under its name."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        bodies = {each.body.name: each.body.adapter for each in operations if each.body is not None}
        models = {model for each in operations for answer in each.answers.values() for model in answer.models}
        adapters = bodies | {model.__name__: TypeAdapter(model) for model in models}
        inputs = [(name, "validation", adapter) for name, adapter in sorted(adapters.items())]
        found, definitions = TypeAdapter.json_schemas(
            inputs,  # type: ignore[arg-type]  # its keys may be of any type, which its own annotation forgets
            ref_template=_SCHEMA_REFERENCE,
            schema_generator=_Generator,
        )
        unions = {name: schema for (name, _), schema in found.items() if "$ref" not in schema}
        self.components = dict(sorted((definitions.get("$defs", {}) | unions).items()))

    def reference(self, name: str) -> dict[str, str]:
        """Where a schema is to be found."""
        return {"$ref": _SCHEMA_REFERENCE.format(model=name)}


def _operation(operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": operation.description,
        "tags": [operation.tag],
        "security": [{_SCHEMES[operation.access][0]: []}] if operation.access in _SCHEMES else [],
    }
    if operation.deprecated:
        shown["deprecated"] = True
    if operation.permission is not None:
        shown["x-permission"] = operation.permission
    if operation.parameters:
        shown["parameters"] = [_parameter(parameter) for parameter in operation.parameters]
    if operation.body is not None:
        shown["requestBody"] = _body(operation.body, schemas)
    shown["responses"] = {str(status): _answer(answer, schemas) for status, answer in operation.answers.items()}
    return shown


def _parameter(parameter: Parameter) -> dict[str, Any]:
    shown = {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.description,
        "required": parameter.required,
        "schema": dict(parameter.schema),
    }
    return shown if parameter.example is None else {**shown, "example": parameter.example}


def _body(body: RequestBody, schemas: _Schemas) -> dict[str, Any]:
    content = {"schema": schemas.reference(body.name)} | _examples(body.examples)
    return {"required": body.required, "content": dict.fromkeys(body.media_types, content)}


def _answer(answer: Answer, schemas: _Schemas) -> dict[str, Any]:
    references = [schemas.reference(model.__name__) for model in answer.models]
    schema = references[0] if len(references) == 1 else {"anyOf": references}
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Correlation-Id", *answer.headers)}
    content = {answer.media_type: {"schema": schema} | _examples(answer.examples)} if references else {}
    return {"description": answer.description, "headers": headers, "content": content}


def _examples(examples: Mapping[str, Any]) -> dict[str, Any]:
    return {"examples": {name: {"value": value} for name, value in examples.items()}} if examples else {}
