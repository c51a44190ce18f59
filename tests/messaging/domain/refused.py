"""What is common to the tables of contents that do not fit their approved template."""

from typing import Any

import pytest

from services.messaging.domain.payloads import Renderable, graph_payload
from services.messaging.domain.templates import ApprovedTemplate
from shared.contracts.content import MediaHeader, TemplateButton, TemplateContent
from shared.errors import InvalidInputError
from tests.messaging.domain.made import NOW_MS, TO

Row = tuple[ApprovedTemplate, Renderable, str, str]

IMAGE = MediaHeader(type="image", url="https://example.com/a.png")
VIDEO = MediaHeader(type="video", url="https://example.com/a.mp4")


def assert_refused(template: ApprovedTemplate | None, content: Renderable, field: str, message: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        graph_payload(TO, content, template, now_ms=NOW_MS)

    assert refused.value.message == f"{field}: {message}"
    assert refused.value.details == [{"field": field, "message": message}]


def sent(**content: Any) -> TemplateContent:
    return TemplateContent(name="made", **content)


def reply(index: int, payload: str | None = "P") -> TemplateButton:
    return TemplateButton(index=index, payload=payload)


def link(index: int, suffix: str | None = "x") -> TemplateButton:
    return TemplateButton(index=index, sub_type="url", url=suffix)


def coupon(index: int, code: str | None = "SAVE10") -> TemplateButton:
    return TemplateButton(index=index, sub_type="copy_code", payload=code)
