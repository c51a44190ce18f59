"""Reading what Meta posts: every form it is known to take, and whatever else may come."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.webhooks.domain.meta_updates import MetaUpdates, parse_updates
from shared.contracts.messaging import MetaError
from shared.contracts.webhooks import MetaStatus, TemplateUpdate

RECEIVED = datetime(2026, 3, 5, 10, 30, tzinfo=UTC)
METADATA = {"display_phone_number": "15550783881", "phone_number_id": "106540352242922"}


def status(**changes: Any) -> dict[str, Any]:
    """A status as Meta sends it, with some members changed; None leaves one out."""
    known = {
        "id": "wamid.AAA=",
        "status": "sent",
        "timestamp": "1750030073",
        "recipient_id": "16505551234",
        "biz_opaque_callback_data": "w1:6789abcdef1234567890abcd:1",
        "pricing": {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "marketing"},
    }
    return {key: value for key, value in (known | changes).items() if value is not None}


def template_update(**changes: Any) -> dict[str, Any]:
    """The value of a template's status update."""
    known = {
        "event": "APPROVED",
        "message_template_id": 1689556908129835,
        "message_template_name": "order_confirmation",
        "message_template_language": "en-US",
        "reason": "NONE",
    }
    return known | changes


def change(field: str, value: Any) -> dict[str, Any]:
    return {"field": field, "value": value}


def body(*changes: Any, **entry: Any) -> bytes:
    """One post with one entry."""
    known = {"id": "102290129340398", "changes": list(changes)}
    return json.dumps({"object": "whatsapp_business_account", "entry": [known | entry]}).encode()


def messages(**value: Any) -> dict[str, Any]:
    return change("messages", {"messaging_product": "whatsapp", "metadata": METADATA} | value)


def parse(raw: bytes) -> MetaUpdates:
    return parse_updates(raw, RECEIVED)


def test_a_status_is_read_with_its_own_time_and_our_opaque_data() -> None:
    updates = parse(body(messages(statuses=[status()])))

    assert updates.statuses == (
        MetaStatus(
            wa_message_id="wamid.AAA=",
            status="sent",
            at=datetime(2025, 6, 15, 23, 27, 53, tzinfo=UTC),
            meta_phone_number_id="106540352242922",
            recipient_id="16505551234",
            opaque="w1:6789abcdef1234567890abcd:1",
            pricing="marketing/regular",
        ),
    )
    assert updates.kinds == {"status": 1}
    assert updates.is_fully_told


def test_a_failed_status_carries_its_error() -> None:
    error = {"code": 131049, "title": "Not delivered", "error_data": {"details": "to maintain a healthy ecosystem"}}

    updates = parse(body(messages(statuses=[status(status="failed", errors=[error], pricing=None)])))

    assert updates.statuses[0].error == MetaError(
        message="Not delivered", code=131049, details="to maintain a healthy ecosystem"
    )


@pytest.mark.parametrize("errors", ["text", [7], [{"code": "many"}], [{"code": {"a": 1}}], {}])
def test_a_failure_whose_reason_cannot_be_read_is_still_a_failure(errors: Any) -> None:
    updates = parse(body(messages(statuses=[status(status="failed", errors=errors)])))

    assert [(item.status, item.error) for item in updates.statuses] == [("failed", None)]


def test_numbers_where_meta_documents_text_are_taken_as_text() -> None:
    updates = parse(body(messages(statuses=[status(recipient_id=16505551234, timestamp=1750030073)])))

    assert updates.statuses[0].recipient_id == "16505551234"
    assert updates.statuses[0].at == datetime(2025, 6, 15, 23, 27, 53, tzinfo=UTC)


@pytest.mark.parametrize("timestamp", [None, "", "soon", "-1", True, 1.5, "9" * 30, [], "١٢٣"])
def test_a_time_that_cannot_be_read_is_when_the_post_came(timestamp: Any) -> None:
    updates = parse(body(messages(statuses=[status(timestamp=timestamp)])))

    assert updates.statuses[0].at == RECEIVED


@pytest.mark.parametrize(
    "broken",
    [7, "text", [], status(id=None), status(id=""), status(id=True), status(status={}), status(id="x" * 2000)],
)
def test_one_broken_status_never_stops_the_others_of_its_batch(broken: Any) -> None:
    updates = parse(body(messages(statuses=[status(id="wamid.1"), broken, status(id="wamid.2")])))

    assert [item.wa_message_id for item in updates.statuses] == ["wamid.1", "wamid.2"]
    assert updates.kinds == {"status": 2, "unreadable": 1}
    assert not updates.is_fully_told


def test_half_an_emoji_in_a_profile_name_costs_no_status() -> None:
    raw = body(messages(statuses=[status()], contacts=[{"profile": {"name": "NAME"}}])).replace(b"NAME", rb"Ana \ud83d")

    assert len(parse(raw).statuses) == 1


def test_every_entry_and_every_change_is_read() -> None:
    entries = [
        {
            "id": "1",
            "changes": [messages(statuses=[status(id="a"), status(id="b")]), messages(statuses=[status(id="c")])],
        },
        {"id": "2", "changes": [messages(statuses=[status(id="d")])]},
    ]

    updates = parse(json.dumps({"object": "whatsapp_business_account", "entry": entries}).encode())

    assert [item.wa_message_id for item in updates.statuses] == ["a", "b", "c", "d"]


def test_what_customers_write_is_read_and_what_cannot_be_read_is_left_to_the_stored_bytes() -> None:
    inbound = [{"from": "1", "id": "wamid.I", "type": "text", "text": {"body": "hi"}}, {"type": "button"}, {}]

    updates = parse(body(messages(messages=inbound, errors=[{"code": 130429}])))

    assert [(message.sender, message.text) for message in updates.messages] == [("1", "hi")]
    assert updates.kinds == {"message.text": 1, "unreadable": 2, "notice.account_error": 1}
    assert not updates.is_fully_told


def test_a_templates_id_becomes_text_its_language_ours_and_no_reason_none() -> None:
    updates = parse(body(change("message_template_status_update", template_update()), time=1751247548))

    assert updates.templates == (
        TemplateUpdate(
            waba_id="102290129340398",
            meta_template_id="1689556908129835",
            name="order_confirmation",
            language="en_US",
            event="APPROVED",
            reason=None,
            at=datetime(2025, 6, 30, 1, 39, 8, tzinfo=UTC),
        ),
    )
    assert updates.is_fully_told


def test_a_rejection_keeps_its_reason() -> None:
    rejected = template_update(event="REJECTED", reason="INVALID_FORMAT", message_template_language="bn")

    updates = parse(body(change("message_template_status_update", rejected)))

    assert [(item.event, item.reason, item.language) for item in updates.templates] == [
        ("REJECTED", "INVALID_FORMAT", "bn")
    ]


def test_what_meta_tells_people_about_a_rejection_or_a_pause_is_kept() -> None:
    info = {"reason": "Parameters stand next to each other.", "recommendation": "Put words between them."}
    rejected = template_update(event="REJECTED", reason="INVALID_FORMAT", rejection_info=info)
    paused = template_update(event="PAUSED", other_info={"title": "FIRST_PAUSE", "description": "Low quality."})

    updates = parse(body(*(change("message_template_status_update", value) for value in (rejected, paused))))

    assert [item.explanation for item in updates.templates] == [
        "Parameters stand next to each other. Put words between them.",
        "Low quality.",
    ]


@pytest.mark.parametrize("name", ["message_template_quality_update", "message_template_status_update"])
def test_quality_news_is_known_by_its_score_whatever_its_name(name: str) -> None:
    news = template_update(previous_quality_score="GREEN", new_quality_score="YELLOW")

    updates = parse(body(change(name, news)))

    assert [(item.event, item.quality_score, item.name) for item in updates.templates] == [
        ("QUALITY_UPDATE", "YELLOW", "order_confirmation")
    ]
    assert updates.is_fully_told


def test_a_change_of_category_is_told_when_it_is_announced_and_when_it_happens() -> None:
    coming = template_update(new_category="UTILITY", correct_category="MARKETING", category_update_timestamp=1746169200)
    done = template_update(previous_category="UTILITY", new_category="MARKETING")

    updates = parse(body(*(change("template_category_update", value) for value in (coming, done))))

    assert [(item.event, item.category, item.correct_category) for item in updates.templates] == [
        ("CATEGORY_UPDATE", "UTILITY", "MARKETING"),
        ("CATEGORY_UPDATE", "MARKETING", None),
    ]


@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [
        ("history", {}, "field.history"),
        ("message_template_status_update", {"new_quality_score": "YELLOW"}, "unreadable"),
        ("message_template_quality_update", {"event": "APPROVED"}, "unreadable"),
        ("template_category_update", {"new_category": 7}, "unreadable"),
        ("Weird Field!", {}, "field.other"),
        (None, {}, "field.other"),
        (7, {}, "field.other"),
        ("messages", "text", "unreadable"),
        ("message_template_status_update", {"event": "APPROVED"}, "unreadable"),
    ],
)
def test_an_unknown_or_unreadable_change_is_counted_and_is_no_error(field: Any, value: Any, kind: str) -> None:
    updates = parse(body(change(field, value), messages(statuses=[status()])))

    assert updates.kinds == {kind: 1, "status": 1}
    assert not updates.is_fully_told


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"", "unreadable"),
        (b"{", "unreadable"),
        (b"\xff\xfe", "unreadable"),
        (b"[]", "unreadable"),
        (b"[" * 100_000, "unreadable"),
        (b'{"object": "page", "entry": []}', "object.page"),
        (b'{"object": null}', "object.other"),
        (b'{"object": "whatsapp_business_account"}', "unreadable"),
        (b'{"object": "whatsapp_business_account", "entry": [{"changes": 7}]}', "unreadable"),
    ],
)
def test_a_post_of_another_kind_is_counted_and_is_no_error(raw: bytes, kind: str) -> None:
    assert parse(raw).kinds == {kind: 1}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)
damaged_statuses = st.fixed_dictionaries(
    {}, optional={key: json_values for key in ("id", "status", "timestamp", "recipient_id", "errors")}
)


@given(st.lists(damaged_statuses | json_values, max_size=5), json_values)
def test_no_content_makes_reading_fail_and_good_statuses_survive_bad_neighbours(bad: list[Any], value: Any) -> None:
    updates = parse(body(messages(statuses=[*bad, status(id="good")]), change("messages", value), value))

    assert "good" in [item.wa_message_id for item in updates.statuses]


@given(st.binary(max_size=200))
def test_no_bytes_make_reading_fail(raw: bytes) -> None:
    parse(raw)
