"""Every request that the external send API documents is read as it is meant."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.gateway.domain.permissions import PERMISSION_FOR_TYPE
from services.gateway.schemas.send import ignored_fields, parse_send_body
from services.messaging.domain.payloads import graph_payload
from tests.gateway.schemas.bodies import AUDIO, IMAGE, TEMPLATE, TEXT, changed
from tests.messaging.domain.external_requests import Example, examples
from tests.messaging.domain.made import NOW_MS

_REQUESTS = json.loads((Path(__file__).parents[2] / "messaging/domain/external_examples.json").read_text())
DOCUMENTED = list(zip((row["request"] for row in _REQUESTS), examples(), strict=True))


@pytest.mark.parametrize(("request_body", "example"), DOCUMENTED, ids=[row["example"] for row in _REQUESTS])
def test_a_documented_request_is_understood_and_nothing_of_it_ignored(
    request_body: dict[str, Any], example: Example
) -> None:
    body = parse_send_body(request_body, local=False)

    assert ignored_fields(body) == ()
    assert graph_payload(body.to, body.content(), example.template, now_ms=NOW_MS).payload == example.payload


def test_all_eleven_kinds_of_message_are_among_them() -> None:
    kinds = {(body["type"], body.get("interactive", {}).get("type")) for body, _ in DOCUMENTED}

    assert len(kinds) == 11
    assert {kind for kind, _ in kinds} == set(PERMISSION_FOR_TYPE)


def test_a_contact_travels_with_every_kind() -> None:
    for request_body, _ in DOCUMENTED:
        contact = parse_send_body(request_body | {"contact": {"name": "Ravi", "email": ""}}, local=False).contact

        assert contact is not None
        assert (contact.content().name, contact.content().email) == ("Ravi", None)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (["John", 5, 1299.5], ("John", "5", "1299.5")),
        ({"customer_name": "John", "amount": 5}, {"customer_name": "John", "amount": "5"}),
        (["a    b"], ("a    b",)),
        ([], ()),
        (None, ()),
    ],
)
def test_variables_come_as_a_list_or_by_name_and_numbers_become_text(given: Any, read: Any) -> None:
    body = parse_send_body(changed(TEMPLATE, "template.body.variables", given), local=False)

    assert body.content().variables == read  # type: ignore[union-attr]


def test_buttons_without_an_index_keep_their_place_and_text_indexes_are_numbers() -> None:
    buttons = [{"payload": "A"}, {"index": "2", "payload": "C"}, {"index": 1, "payload": "B"}]

    body = parse_send_body(changed(TEMPLATE, "template.buttons", buttons), local=False)

    assert [(button.index, button.payload) for button in body.content().buttons] == [(0, "A"), (2, "C"), (1, "B")]  # type: ignore[union-attr]


def test_what_means_nothing_is_named_where_it_stands() -> None:
    audio = changed(AUDIO, "media.caption", "A voice")
    template = changed(TEMPLATE, "template.buttons[1].colour", "red")

    assert ignored_fields(parse_send_body(audio, local=False)) == ("ignored_field: media.caption",)
    assert ignored_fields(parse_send_body(template, local=False)) == ("ignored_field: template.buttons[1].colour",)


def test_a_flood_of_unknown_keys_is_named_in_part() -> None:
    body = parse_send_body(TEXT | {f"key_{number}": number for number in range(1000)}, local=False)

    assert len(ignored_fields(body)) == 20


@pytest.mark.parametrize("host", ["127.0.0.1:4010", "localhost", "[::1]:80"])
def test_a_local_gateway_takes_links_to_its_own_machine_and_magic_numbers(host: str) -> None:
    body = changed(changed(IMAGE, "media.url", f"http://{host}/a.jpg"), "to", "+99912345678")

    assert parse_send_body(body, local=True).to == "+99912345678"


def test_even_a_local_gateway_fetches_nothing_over_http_from_elsewhere() -> None:
    with pytest.raises(Exception, match="https://"):
        parse_send_body(changed(IMAGE, "media.url", "http://example.com/a.jpg"), local=True)
