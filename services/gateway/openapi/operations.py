"""The words in which a route is described: what it takes, what it answers, and whom it lets in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, TypeAdapter

Access = Literal["open", "admin", "api_key", "visitor"]
"""Who may call: anybody who reaches the listener, an operator with a JWT, the holder of an API key, or of a web
chat session."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A part of the path, the query or the headers. `schema` says what its text may be; only paths are required."""

    name: str
    place: Literal["path", "query", "header"]
    description: str
    schema: Mapping[str, Any]
    example: Any = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class RequestBody:
    """A JSON body. `adapter` reads it when it is sent, `name` is what its schema is called, `examples` are bodies."""

    name: str
    adapter: TypeAdapter[Any]
    examples: Mapping[str, Any]
    media_types: tuple[str, ...] = ("application/json",)
    required: bool = True

    @classmethod
    def of(cls, model: type[BaseModel], example: Any) -> "RequestBody":
        """The body of a route that takes one kind."""
        return cls(model.__name__, TypeAdapter(model), {"example": example})


@dataclass(frozen=True, slots=True)
class Answer:
    """What one status means. `models` are alternatives; `headers` come on top of those that every answer has."""

    description: str
    models: tuple[type[BaseModel], ...]
    examples: Mapping[str, Any] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
    media_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path. `permission` is what an API key needs; a mapping when it depends on the body's type."""

    method: Literal["get", "post", "put", "patch", "delete"]
    path: str
    name: str
    summary: str
    description: str
    tag: str
    access: Access
    answers: Mapping[int, Answer]
    parameters: tuple[Parameter, ...] = ()
    body: RequestBody | None = None
    permission: str | Mapping[str, str] | None = None
    deprecated: bool = False
