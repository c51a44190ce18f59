"""The OpenAPI documents as such: right by the specification, complete, and as committed."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from services.gateway.openapi.files import APIS, DASHBOARD, DOCS, EXTERNAL, WEBCHAT, file_text
from tests.gateway.conftest import Client, Gateway
from tests.gateway.openapi.validating import faults, reference

DOCUMENTS = {name: json.loads(file_text(name)) for name in APIS}
EXAMPLES = Path(__file__).parents[2] / "messaging" / "domain" / "external_examples.json"
REQUESTS = {row["example"]: row["request"] for row in json.loads(EXAMPLES.read_text(encoding="utf-8"))}
OPERATIONS = frozenset({"/healthz", "/readyz", "/version", "/metrics"})


@pytest.mark.parametrize("name", APIS)
def test_a_document_is_openapi(name: str) -> None:
    validate(DOCUMENTS[name])


@pytest.mark.parametrize("name", APIS)
def test_a_committed_document_is_that_of_the_code(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == file_text(name), "run `make contracts`"


async def test_every_route_is_described_and_no_other(gateway: Gateway) -> None:
    described = {
        name: {shape(path, method) for path, method, _ in operations(document)} for name, document in DOCUMENTS.items()
    }

    assert routes(gateway.private) == described[EXTERNAL] | described[DASHBOARD]
    assert routes(gateway.public) == described[EXTERNAL] | described[WEBCHAT]


@pytest.mark.parametrize("request_body", REQUESTS.values(), ids=REQUESTS)
def test_the_schema_allows_a_documented_request(request_body: dict[str, Any]) -> None:
    assert faults(DOCUMENTS[EXTERNAL], reference("SendMessageBody"), request_body) == []


def test_readers_are_shown_all_documented_requests() -> None:
    send = DOCUMENTS[EXTERNAL]["paths"]["/api/external/send-message/{encodedPhoneId}"]["post"]
    shown = send["requestBody"]["content"]["application/json"]["examples"]

    documented = {name: request for name, request in REQUESTS.items() if not name.startswith("cURL")}
    assert {name: example["value"] for name, example in shown.items()} == documented


@pytest.mark.parametrize("name", APIS)
def test_every_example_is_allowed_by_its_schema(name: str) -> None:
    document = DOCUMENTS[name]
    contents = [content for _, _, operation in operations(document) for content in contents_of(operation)]

    for content in contents:
        for example in content.get("examples", {}).values():
            assert faults(document, content["schema"], example["value"]) == []


@pytest.mark.parametrize("name", APIS)
def test_every_field_of_a_request_is_explained(name: str) -> None:
    document = DOCUMENTS[name]
    requested = [each["requestBody"] for _, _, each in operations(document) if "requestBody" in each]

    unexplained = [
        f"{model}.{field}"
        for model in models_below(document, requested)
        for field, schema in document["components"]["schemas"][model].get("properties", {}).items()
        if "description" not in schema and field != "type"
    ]
    assert unexplained == []


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and description of every operation."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def contents_of(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The JSON that an operation takes and answers."""
    for part in (operation.get("requestBody"), *operation["responses"].values()):
        if part is not None and "application/json" in part.get("content", {}):
            yield part["content"]["application/json"]


def models_below(document: dict[str, Any], value: Any) -> set[str]:
    """The names of all schemas that a value refers to, through others as well."""
    found: set[str] = set()
    waiting = [value]
    while waiting:
        names = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(waiting.pop()))) - found
        found |= names
        waiting.extend(document["components"]["schemas"][name] for name in names)
    return found


def routes(client: Client) -> set[tuple[str, str]]:
    """What an application serves, but for documentation and operations."""
    return {
        shape(route.resource.canonical, route.method)
        for route in client.app.router.routes()
        if route.resource is not None and not is_aside(route.resource.canonical) and route.method != "HEAD"
    }


def is_aside(path: str) -> bool:
    """Whether a path belongs to no API."""
    return path in OPERATIONS or path.startswith(("/docs", "/openapi", "/widget", "/media/"))


def shape(path: str, method: str) -> tuple[str, str]:
    """A path without the names of its variables, which the documents spell in another way, and its method."""
    return re.sub(r"{\w+}", "{}", path), method.lower()
