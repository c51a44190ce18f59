"""A model that fails: the customer hears the agent's fallback text once, the operator sees why and what to do."""

from typing import Any

import pytest

from shared.contracts.agents import UpdatePrompt
from tests.agents.turns.messaging import AGENT, USER
from tests.agents.turns.stage import DEBOUNCE_SECONDS, FALLBACK, PROMPT, Stage, stage_on

FAILURES: list[tuple[str, dict[str, Any], str, str]] = [
    ("says nothing", {"behaviour": "empty"}, "empty_answer", "Check the prompt's instructions"),
    ("declines", {"behaviour": "refuse"}, "model_declined", "It said: I'm sorry, but I can't help with that."),
    ("is cut off", {"behaviour": "incomplete"}, "incomplete_answer", "Ask for shorter answers"),
    ("fails by itself", {"behaviour": "fail"}, "model_failed", "The model failed."),
    ("breaks the stream", {"behaviour": "break"}, "model_unavailable", "OPENAI_BASE_URL"),
    ("writes 50,000 characters", {"answer_characters": 50_000}, "answer_too_long", "Ask for shorter answers"),
    ("is down", {"error_status": 500}, "model_unavailable", "OPENAI_BASE_URL"),
    ("has no time for us", {"error_status": 429}, "rate_limited", "AGENT_CONCURRENCY"),
    ("takes no key", {"error_status": 401}, "key_refused", "Set OPENAI_API_KEY"),
    ("refuses the request", {"error_status": 400}, "request_refused", "Check the prompt's tools"),
    ("is retired", {"retired_models": ["default-model"]}, "model_refused", "OPENAI_MODEL"),
]


@pytest.mark.parametrize(
    ("faults", "code", "remedy"), [case[1:] for case in FAILURES], ids=[case[0] for case in FAILURES]
)
async def test_a_model_that(stage: Stage, faults: dict[str, Any], code: str, remedy: str) -> None:
    thread = stage.messaging.open()
    await stage.switch(**faults)

    await stage.say(thread, "Hello")
    await stage.answer()
    await stage.answer(after_seconds=3_600)

    error = (await stage.agent()).last_error
    assert stage.messaging.texts(thread) == [FALLBACK]
    assert error is not None
    assert error.code == code
    assert remedy in error.message


async def test_a_model_that_does_not_answer_in_time(stage: Stage) -> None:
    async with stage_on(stage.database, stage.sandbox, openai_timeout_seconds=0.2) as hurried:
        thread = hurried.messaging.open()
        await hurried.switch(behaviour="hang")

        assert await hurried.talk(thread, "Hello") == FALLBACK

        error = (await hurried.agent()).last_error
        assert error is not None
        assert error.code == "model_timeout"


async def test_the_agents_own_fallback_text_is_used(stage: Stage) -> None:
    await stage.agents.change(AGENT, {"fallback_text": "Bea will write to you tomorrow."})
    thread = stage.messaging.open()
    await stage.switch(behaviour="empty")

    assert await stage.talk(thread, "Hello") == "Bea will write to you tomorrow."


async def test_a_fault_that_passes_is_waited_out(stage: Stage) -> None:
    thread = stage.messaging.open()
    await stage.switch(error_status=503, error_next=1)

    assert await stage.talk(thread, "Hello") == "You wrote: Hello"
    assert (await stage.agent()).last_error is None


async def test_the_error_is_gone_with_the_next_answer_that_works(stage: Stage) -> None:
    thread = stage.messaging.open()
    await stage.switch(behaviour="empty")
    await stage.talk(thread, "One")
    await stage.switch(behaviour="answer")

    answer = await stage.talk(thread, "Two")

    assert answer == "You wrote: Two"
    assert (await stage.agent()).last_error is None


async def test_the_model_is_told_later_what_the_customer_heard_instead(stage: Stage) -> None:
    thread = stage.messaging.open()
    await stage.switch(behaviour="empty")
    await stage.talk(thread, "One")
    await stage.switch(behaviour="answer")

    await stage.talk(thread, "Two")

    request = (await stage.asked())[-1]
    assert [(item["role"], item["content"]) for item in request["input"]] == [
        ("user", "One"),
        ("assistant", FALLBACK),
        ("user", "Two"),
    ]


async def test_a_registered_prompt_is_sent_with_its_words(stage: Stage) -> None:
    await stage.prompts.change(
        UpdatePrompt(
            work_id="w2", user_id=USER, prompt_id=PROMPT, model="special-model", tools=({"type": "web_search"},)
        )
    )
    thread = stage.messaging.open()

    await stage.talk(thread, "Hello")

    [request] = await stage.asked()
    assert request["instructions"] == "You help the customers of Lakeside Books."
    assert request["model"] == "special-model"
    assert [tool.get("name", tool["type"]) for tool in request["tools"]] == ["web_search", "hand_over_to_human"]
    assert "prompt" not in request


async def test_a_prompt_that_is_not_registered_is_asked_for_upstream(stage: Stage) -> None:
    await stage.agents.change(AGENT, {"prompt_id": "pmpt_theirs"})
    thread = stage.messaging.open()

    answer = await stage.talk(thread, "Hello")

    [request] = await stage.asked()
    assert answer == "You wrote: Hello"
    assert request["prompt"] == {"id": "pmpt_theirs"}
    assert "model" not in request
    assert "instructions" not in request


async def test_a_prompt_that_upstream_knows_no_more_is_a_visible_error(stage: Stage) -> None:
    await stage.agents.change(AGENT, {"prompt_id": "pmpt_theirs"})
    await stage.switch(retired_prompts=["pmpt_theirs"])
    thread = stage.messaging.open()

    assert await stage.talk(thread, "Hello") == FALLBACK

    error = (await stage.agent()).last_error
    assert error is not None
    assert error.code == "prompt_refused"
    assert "POST /admin/prompts" in error.message


async def test_without_any_model_named_the_operator_is_told_where_to_name_one(stage: Stage) -> None:
    async with stage_on(stage.database, stage.sandbox, openai_model=None) as unnamed:
        thread = unnamed.messaging.open()

        assert await unnamed.talk(thread, "Hello") == FALLBACK

        error = (await unnamed.agent()).last_error
        assert error is not None
        assert error.code == "no_model"


async def test_beyond_the_daily_budget_no_model_is_asked_until_the_next_day(stage: Stage) -> None:
    await stage.agents.change(AGENT, {"daily_budget": 2})
    thread = stage.messaging.open()

    answers = [await stage.talk(thread, text) for text in ("One", "Two", "Three")]
    error = (await stage.agent()).last_error
    stage.clock.pass_time(24 * 3_600)
    tomorrow = await stage.talk(thread, "Four")

    assert answers == ["You wrote: One", "You wrote: Two", FALLBACK]
    assert error is not None
    assert error.code == "budget_exhausted"
    assert tomorrow == "You wrote: Four"
    assert len(await stage.asked()) == 3


async def test_a_customer_who_asks_for_a_human_gets_one_with_a_note(stage: Stage) -> None:
    thread = stage.messaging.open()

    answer = await stage.talk(thread, "I want to talk to a human")
    await stage.say(thread, "Still there?")
    await stage.answer(after_seconds=DEBOUNCE_SECONDS)

    assert answer == "A colleague will answer you here."
    assert stage.messaging.notes == ["The customer wrote: I want to talk to a human"]
    assert thread.handled_by == "human"
    assert stage.messaging.texts(thread) == ["A colleague will answer you here."]


async def test_after_a_hand_over_and_back_the_chain_goes_on_before_the_call(stage: Stage) -> None:
    thread = stage.messaging.open()
    await stage.talk(thread, "One")
    await stage.talk(thread, "Give me a human")
    await stage.messaging.change_handling(thread, "agent")

    answer = await stage.talk(thread, "Two")

    first = next(iter(stage.messaging.sent.values()))
    assert (await stage.asked())[-1]["previous_response_id"] == first.response_id
    assert answer == "You wrote: Two"


async def test_a_function_that_nobody_carries_out_is_a_visible_error(stage: Stage) -> None:
    tool = {"type": "function", "name": "call_a_human_doctor", "parameters": {"type": "object", "properties": {}}}
    await stage.prompts.change(UpdatePrompt(work_id="w2", user_id=USER, prompt_id=PROMPT, tools=(tool,)))
    await stage.switch(behaviour="hand_over")
    thread = stage.messaging.open()

    assert await stage.talk(thread, "Hello") == FALLBACK

    error = (await stage.agent()).last_error
    assert error is not None
    assert error.code == "tool_unknown"


async def test_a_refusal_of_the_send_itself_is_a_visible_error(stage: Stage) -> None:
    thread = stage.messaging.open()
    stage.messaging.fails_with = "meta_131026"

    await stage.talk_in_vain(thread, "Hello")

    error = (await stage.agent()).last_error
    assert error is not None
    assert (error.code, "meta_131026" in error.message) == ("send_refused", True)
