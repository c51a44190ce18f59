"""Every message on the bus: with an example, unchanged by its way through JSON, and written down."""

import json
from collections import Counter

import pytest
from pydantic import ValidationError

from shared.contracts.base import Done, ErrorReply, Event, Message, Reply, Request
from shared.contracts.schemas import CATALOGUE, SCHEMAS, files, message_types
from shared.errors import BY_NAME, ConflictError, InternalError, WaapiError
from tests.contracts.examples import EXAMPLES

MESSAGES = message_types()


def test_every_message_has_one_example() -> None:
    examples = Counter(example.message_type for example in EXAMPLES)

    assert examples == Counter(list(MESSAGES)), "give each new message an example in tests/contracts/samples"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.message_type)
def test_a_message_comes_through_json_unchanged(example: Message) -> None:
    assert type(example).model_validate_json(example.model_dump_json()) == example


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.message_type)
def test_a_message_with_a_key_that_nobody_knows_is_refused(example: Message) -> None:
    body = json.dumps({**json.loads(example.model_dump_json()), "surprise": True})

    with pytest.raises(ValidationError, match="surprise"):
        type(example).model_validate_json(body)


def test_the_committed_schemas_are_those_of_the_code() -> None:
    wanted = files()
    committed = {path: path.read_text(encoding="utf-8") for path in (*SCHEMAS.glob("*.json"), CATALOGUE)}

    assert {path.name for path in committed} == {path.name for path in wanted}, "run `make contracts`"
    assert [path.name for path in wanted if committed[path] != wanted[path]] == [], "run `make contracts`"


def test_every_reference_in_the_catalogue_leads_somewhere() -> None:
    document = json.loads(files()[CATALOGUE])

    for reference in _references(document):
        place = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def _references(value: object) -> list[str]:
    if isinstance(value, dict):
        inner = [reference for each in value.values() for reference in _references(each)]
        return [*inner, value["$ref"]] if "$ref" in value else inner
    if isinstance(value, list):
        return [reference for each in value for reference in _references(each)]
    return []


@pytest.mark.parametrize("name", MESSAGES)
def test_a_wire_name_is_owner_name_and_version(name: str) -> None:
    owner, words, version = name.split(".")

    assert owner in {"messaging", "templates", "campaigns", "agents", "webhooks"}
    assert words == words.lower()
    assert version.removeprefix("v").isdigit()


@pytest.mark.parametrize("message", MESSAGES.values(), ids=lambda message: message.message_type)
def test_a_message_is_either_a_request_with_a_reply_or_an_event(message: type[Message]) -> None:
    if issubclass(message, Request):
        assert issubclass(message.reply_type, Reply)
    else:
        assert issubclass(message, Event)


def test_two_messages_cannot_have_one_wire_name() -> None:
    with pytest.raises(TypeError, match=r"messaging\.get_credits\.v1"):

        class Impostor(Event):
            message_type = "messaging.get_credits.v1"


def test_messages_are_immutable() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        EXAMPLES[0].message_id = "another"  # type: ignore[attr-defined]


@pytest.mark.parametrize("error_type", BY_NAME.values())
def test_an_error_comes_back_as_it_went(error_type: type[WaapiError]) -> None:
    error = error_type("so it is", code="a_code", details=[{"field": "to", "message": "no"}], retry_after_seconds=9)

    back = ErrorReply.model_validate_json(ErrorReply.of(error).model_dump_json()).to_error()

    assert type(back) is error_type
    assert vars(back) == vars(error)


def test_an_error_class_that_is_not_known_elsewhere_comes_back_as_internal() -> None:
    class LocalError(ConflictError):
        """Known here only."""

    back = ErrorReply.of(LocalError("x")).to_error()

    assert type(back) is InternalError


def test_done_says_nothing_more() -> None:
    assert Done().model_dump() == {}
