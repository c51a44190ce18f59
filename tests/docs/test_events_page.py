"""The page of webhook events is that of the code."""

from services.webhooks.domain.events import EVENT_NAMES
from services.webhooks.events_page import PAGE, text


def test_the_committed_page_is_that_of_the_code() -> None:
    assert PAGE.read_text(encoding="utf-8") == text(), "run `make contracts`"


def test_every_event_has_a_section() -> None:
    assert [f"## `{name}`\n" in text() for name in EVENT_NAMES] == [True] * len(EVENT_NAMES)
