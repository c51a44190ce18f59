"""Dry runs: exactly what a send would post, and nothing else."""

from typing import Any

import pytest

from shared.contracts.content import MediaContent, MessageContent, TemplateContent, TextContent
from shared.contracts.messaging import RenderedMessage, RenderMessage
from shared.errors import InvalidInputError, NotFoundError, ServiceUnavailableError
from shared.mongo import Document
from tests.messaging.stage import NUMBER, TO, USER, Stage, template, text

CODE = TemplateContent(name="login_code", language="en_US", variables=("123456",))
SONG = MediaContent(type="audio", url="https://example.com/song.mp3", caption="A song")


async def render(stage: Stage, content: MessageContent, **changes: Any) -> RenderedMessage:
    """Ask for a dry run, as the gateway does."""
    fields: dict[str, Any] = {"user_id": USER, "phone_number_id": NUMBER, "to": TO, "content": content}
    return await stage.bus.request(RenderMessage(**(fields | changes)), timeout_seconds=30)


async def everything(stage: Stage) -> dict[str, list[Document]]:
    """All that is stored."""
    names = await stage.database.list_collection_names()
    return {name: [document async for document in stage.database[name].find()] for name in sorted(names)}


@pytest.mark.parametrize("content", [TextContent(text="Grüße 👋"), CODE, SONG], ids=lambda content: content.type)
async def test_a_dry_run_shows_what_the_send_then_posts(stage: Stage, content: MessageContent) -> None:
    rendered = await render(stage, content)
    outcome = await stage.ask(text(content=content))

    (call,) = stage.meta.calls
    posted = {name: value for name, value in call.body.items() if name != "biz_opaque_callback_data"}
    assert rendered.payload == posted
    assert list(rendered.payload) == list(posted)
    assert rendered.warnings == outcome.warnings


async def test_a_dry_run_stores_nothing_and_calls_nobody(stage: Stage) -> None:
    before = await everything(stage)

    await render(stage, CODE)
    await render(stage, TextContent(text="hello"))

    assert await everything(stage) == before
    assert (stage.meta.calls, stage.sent(), stage.failed()) == ([], [], [])


async def test_an_unknown_template_is_refused_without_asking_meta(stage: Stage) -> None:
    owner = stage.own_templates()
    owner.at_meta = [template("receipt")]

    with pytest.raises(InvalidInputError, match="no approved template is called 'receipt'"):
        await render(stage, TemplateContent(name="receipt", variables=("Asha",)))

    assert owner.asked == ["receipt"]
    assert (await stage.ask(text(content=TemplateContent(name="receipt", variables=("Asha",))))).status == "sent"


async def test_a_template_that_cannot_be_looked_up_is_rendered_as_the_send_would(stage: Stage) -> None:
    stage.own_templates(error=ServiceUnavailableError("templates are away"))

    rendered = await render(stage, TemplateContent(name="receipt", language="en", variables=("Asha",)))

    assert rendered.warnings == ("template_not_verified",)
    assert rendered.payload["template"]["name"] == "receipt"


async def test_values_that_do_not_fit_the_template_are_refused_as_in_a_send(stage: Stage) -> None:
    stage.own_templates(template())
    content = TemplateContent(name="order_shipped", variables=("a", "b"))

    with pytest.raises(InvalidInputError) as refused:
        await render(stage, content)
    with pytest.raises(InvalidInputError) as refused_send:
        await stage.ask(text(content=content))

    assert refused.value.message == refused_send.value.message


@pytest.mark.parametrize("change", [{"phone_number_id": "pn_nobody"}, {"user_id": "usr_2"}])
async def test_a_number_that_is_not_the_callers_is_not_found(stage: Stage, change: dict[str, str]) -> None:
    with pytest.raises(NotFoundError, match="Phone number not found"):
        await render(stage, TextContent(text="hello"), **change)


async def test_an_instagram_account_has_no_dry_run(stage: Stage) -> None:
    await stage.add_number("pn_insta", platform="instagram", meta_phone_number_id="17841", waba_id=None)

    with pytest.raises(InvalidInputError, match="not a WhatsApp number"):
        await render(stage, TextContent(text="hello"), phone_number_id="pn_insta")
