"""Meta's list is read tolerantly: odd entries become errors, and stand in nobody's way."""

from typing import Any

from services.templates.domain.meta_templates import read_listing, same_components

ENTRY: dict[str, Any] = {
    "id": 1387372356726668,
    "name": "reservation_confirmation",
    "language": "en-US",
    "status": "approved",
    "category": "utility",
    "parameter_format": "NAMED",
    "components": [{"type": "BODY", "text": "See you {{day}}."}],
    "quality_score": {"score": "GREEN", "date": 1758754645},
    "rejected_reason": "NONE",
    "last_updated_time": 1758754645,
}


def test_an_entry_is_read_into_our_words() -> None:
    templates, errors = read_listing([ENTRY])

    assert errors == ()
    assert templates[0].model_dump() == {
        "id": "1387372356726668",
        "name": "reservation_confirmation",
        "language": "en_US",
        "status": "APPROVED",
        "category": "UTILITY",
        "parameter_format": "named",
        "components": ({"type": "BODY", "text": "See you {{day}}."},),
        "quality_score": "GREEN",
        "rejected_reason": None,
    }


def test_what_cannot_be_read_is_named_and_the_rest_is_kept() -> None:
    without_body = {name: value for name, value in ENTRY.items() if name != "components"} | {"id": "2"}

    templates, errors = read_listing([without_body, "nonsense", ENTRY])

    assert [one.id for one in templates] == ["1387372356726668"]
    assert [(one.name, one.language) for one in errors] == [("reservation_confirmation", "en-US"), ("unnamed", None)]
    assert "components: Field required" in errors[0].error


def test_a_template_that_moved_between_pages_counts_once_as_last_seen() -> None:
    templates, _ = read_listing([ENTRY, ENTRY | {"status": "PAUSED"}])

    assert [(one.id, one.status) for one in templates] == [("1387372356726668", "PAUSED")]


def test_a_sample_link_that_meta_signs_anew_is_no_difference() -> None:
    def header(link: str) -> tuple[dict[str, Any], ...]:
        return ({"type": "HEADER", "format": "IMAGE", "example": {"header_handle": [link]}},)

    assert same_components(header("https://cdn.example/a?sig=1"), header("https://cdn.example/a?sig=2"))
    assert not same_components(header("a"), ({"type": "HEADER", "format": "VIDEO", "example": {}},))
