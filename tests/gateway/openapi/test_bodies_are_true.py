"""The schema of every JSON body says what is accepted, whatever a generator of requests makes of it.

The same as schemathesis asks over HTTP, many times as fast, since nothing but the body is read. Always the same
requests: what a new one would find is found by changing `EXAMPLES`.
"""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from services.gateway.openapi.files import APIS, file_text
from services.gateway.openapi.operations import Operation
from tests.gateway.openapi.agreeing import Described

EXAMPLES = 40

pytestmark = pytest.mark.thorough


def _bodies_alone(document: dict[str, Any]) -> dict[str, Any]:
    """A document without parameters, so that nothing but bodies is made up, and spoilt."""
    return document | {
        "paths": {
            re.sub(r"[{}]", "", path): {
                method: {key: value for key, value in operation.items() if key not in {"parameters", "security"}}
                for method, operation in methods.items()
            }
            for path, methods in document["paths"].items()
        }
    }


DOCUMENTS = {name: json.loads(file_text(name)) for name in APIS}
GENERATORS = {name: schemathesis.openapi.from_dict(_bodies_alone(document)) for name, document in DOCUMENTS.items()}
OPERATIONS = {
    operation.body.name: (name, operation)
    for name, api in APIS.items()
    for operation in api.operations
    if operation.body is not None and "application/json" in operation.body.media_types
}

once = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def described(name: str) -> Described:
    """The body of this name."""
    document, operation = OPERATIONS[name]
    assert operation.body is not None
    return Described.of(DOCUMENTS[document], name, operation.body.adapter)


def examples(operation: Operation) -> list[Any]:
    """The bodies that readers are shown."""
    return list(operation.body.examples.values()) if operation.body is not None else []


def made_by(mode: schemathesis.GenerationMode, name: str) -> Callable[[Callable[[Any], None]], Callable[[], None]]:
    """Runs a function with requests that the schema allows, or refuses somewhere."""
    document, operation = OPERATIONS[name]
    path = re.sub(r"[{}]", "", operation.path)
    requests = GENERATORS[document][path][operation.method.upper()].as_strategy(generation_mode=mode)
    return lambda function: once(given(requests)(function))


@pytest.mark.parametrize("name", OPERATIONS)
def test_schema_and_api_agree_whatever_stands_in_any_one_place_of_an_example(name: str) -> None:
    for example in examples(OPERATIONS[name][1]):
        described(name).check_edges(example)


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
@pytest.mark.parametrize("name", OPERATIONS)
def test_schema_and_api_agree_on_made_up_bodies(name: str, mode: schemathesis.GenerationMode) -> None:
    body, seen = described(name), list[bool]()

    @made_by(mode, name)
    def check(request: Any) -> None:
        if is_json(request.body):
            seen.append(body.schema.is_valid(request.body))
            body.check(request.body)

    check()
    assert mode.is_positive in seen, "no body of this kind was made"


def is_json(value: Any) -> bool:
    """Whether there is a body, and not one of bytes."""
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True
