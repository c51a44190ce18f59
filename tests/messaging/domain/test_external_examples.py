import pytest

from services.messaging.domain.payloads import Rendered, graph_payload
from tests.messaging.domain.external_requests import Example, examples
from tests.messaging.domain.made import NOW_MS

EXAMPLES = examples()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_a_documented_request_becomes_the_payload_that_meta_documents(example: Example) -> None:
    rendered = graph_payload(example.to, example.content, example.template, now_ms=NOW_MS)

    assert rendered == Rendered(example.payload, example.warnings)


def test_rendering_changes_nothing_that_is_shared_between_messages() -> None:
    (otp,) = (example for example in EXAMPLES if example.name == "6h OTP copy code")

    first = graph_payload("+15550000001", otp.content, otp.template, now_ms=NOW_MS)
    second = graph_payload("+15550000002", otp.content, otp.template, now_ms=NOW_MS)

    assert first.payload["to"] == "+15550000001"
    assert first.payload["template"] == second.payload["template"]
    assert first.payload["template"] is not second.payload["template"]
