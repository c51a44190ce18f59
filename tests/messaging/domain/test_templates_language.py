import pytest

from services.messaging.domain.templates_language import resolve_language
from shared.contracts.templates import Template
from shared.errors import InvalidInputError
from tests.messaging.domain.made import body, template

HELLO = body("Hello")
ENGLISH = template(HELLO, language="en")
AMERICAN = template(HELLO, language="en_US")
BENGALI = template(HELLO, language="bn")
PAUSED = template(HELLO, language="hi", status="PAUSED")


def test_the_requested_language_is_taken() -> None:
    assert resolve_language([ENGLISH, BENGALI], "bn", prefer_en_us=False) is BENGALI


@pytest.mark.parametrize("written", ["en-US", "en_us", "EN-us"])
def test_a_language_may_be_written_with_a_hyphen_or_in_another_case(written: str) -> None:
    assert resolve_language([ENGLISH, AMERICAN], written, prefer_en_us=False) is AMERICAN


@pytest.mark.parametrize("prefer_en_us", [True, False])
def test_the_only_approved_language_is_taken_when_none_is_requested(*, prefer_en_us: bool) -> None:
    assert resolve_language([PAUSED, BENGALI], None, prefer_en_us=prefer_en_us) is BENGALI


def test_a_carousel_prefers_american_english_among_several() -> None:
    assert resolve_language([BENGALI, AMERICAN], None, prefer_en_us=True) is AMERICAN


@pytest.mark.parametrize(
    ("candidates", "requested", "prefer_en_us", "expected"),
    [
        (
            [ENGLISH, BENGALI],
            None,
            False,
            "template.language: required, because the template is approved in several languages: bn, en",
        ),
        (
            [ENGLISH, AMERICAN],
            None,
            False,
            "template.language: required, because the template is approved in several languages: en, en_US",
        ),
        (
            [ENGLISH, BENGALI],
            None,
            True,
            "carousel.language: required, because the template is approved in several languages: bn, en",
        ),
        (
            [ENGLISH, BENGALI, PAUSED],
            "en_US",
            False,
            "template.language: en_US is not an approved language of this template; approved: bn, en",
        ),
        (
            [ENGLISH, PAUSED],
            "hi",
            False,
            "template.language: hi is not an approved language of this template; approved: en",
        ),
        (
            [PAUSED],
            None,
            False,
            "template.language: no language of this template is approved (hi is PAUSED)",
        ),
    ],
)
def test_a_language_that_is_not_clear_is_refused_with_the_list(
    candidates: list[Template], requested: str | None, expected: str, *, prefer_en_us: bool
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        resolve_language(candidates, requested, prefer_en_us=prefer_en_us)

    assert refused.value.message == expected
