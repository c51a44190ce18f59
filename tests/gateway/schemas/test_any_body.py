"""Whatever JSON a caller sends: it is understood or refused in words, and what is understood fits on the bus."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.schemas.send import ignored_fields, parse_send_body
from shared.clock import utc_now
from shared.contracts.messaging import SendMessage
from shared.errors import InvalidInputError
from tests.gateway.schemas.bodies import AUDIO, BUTTON, CARDS, CAROUSEL, CTA_URL, DOCUMENT, IMAGE, LIST, TEMPLATE, TEXT

ALL_BODIES = [TEXT, IMAGE, AUDIO, DOCUMENT, TEMPLATE, BUTTON, CTA_URL, LIST, CARDS, CAROUSEL]

ANY_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a body."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    return [(value, key) for key in keys] + [place for key in keys for place in places(value[key])]


@st.composite
def spoilt(draw: st.DrawFn) -> Any:
    """A right body in which up to three places hold something else."""
    body = draw(st.sampled_from(ALL_BODIES).map(_copied))
    for _ in range(draw(st.integers(1, 3))):
        found = places(body)
        container, key = found[draw(st.integers(0, len(found) - 1))]
        container[key] = draw(ANY_JSON)
    return body


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


@settings(max_examples=300, deadline=None)
@given(spoilt() | ANY_JSON)
def test_a_body_is_translated_or_refused_in_words(value: Any) -> None:
    try:
        body = parse_send_body(value, local=False)
    except InvalidInputError:
        return

    ignored_fields(body)
    command = SendMessage(
        message_id="0" * 24,
        user_id="usr_1",
        phone_number_id="pn_1",
        to=body.to,
        content=body.content(),
        contact=body.contact.content() if body.contact else None,
        source="external_api",
        accepted_at=utc_now(),
    )
    assert SendMessage.model_validate_json(command.model_dump_json()) == command
