"""What one observation at Meta means: every row of the table, first alone and then through the service."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.messaging.clients.meta import MetaClient, meta_client
from services.messaging.domain.results import (
    Accepted,
    Answered,
    Failed,
    Lost,
    NotConnected,
    Observation,
    Postponed,
    Refused,
    Unknown,
    judge,
)
from shared.contracts.messaging import MetaError
from tests.eventually import eventually
from tests.messaging.meta import Act, MetaStandIn, accept, answer, cut, hang, held, refuse

NOT_ACTED = (4, 613, 80007, 80008, 130429, 131056, 131057, 133004)
ONLY_META_KNOWS = (1, 2, 131000, 131016)
DEFINITE = (0, 3, 10, 33, 100, 190, 200, 368, 131008, 131009, 131026, 131047, 131048, 131049, 132001, 132012, 132015)
BODY = b'{"messaging_product":"whatsapp"}'


def refused(code: int) -> Refused:
    return Refused(MetaError(message="no", code=code))


def test_an_acceptance_is_an_acceptance() -> None:
    assert judge(Answered("wamid.1"), tries=0) == Accepted("wamid.1")
    assert judge(Answered("wamid.1", held=True), tries=7, is_resent=True) == Accepted("wamid.1", held=True)


@pytest.mark.parametrize("code", NOT_ACTED)
def test_a_refusal_for_now_is_tried_again(code: int) -> None:
    verdict = judge(refused(code), tries=0)

    assert isinstance(verdict, Postponed)
    assert verdict.reason == f"meta_{code}"
    assert timedelta(0) < verdict.delay <= timedelta(seconds=30)


@pytest.mark.parametrize("code", ONLY_META_KNOWS)
def test_an_error_that_may_come_after_the_act_leaves_the_outcome_unknown(code: int) -> None:
    verdict = judge(refused(code), tries=0)

    assert verdict == Unknown(f"meta_{code}", MetaError(message="no", code=code))


@pytest.mark.parametrize("code", DEFINITE)
def test_every_other_error_of_metas_is_final(code: int) -> None:
    assert judge(refused(code), tries=3) == Failed(MetaError(message="no", code=code))


@pytest.mark.parametrize("code", DEFINITE)
def test_a_refused_repetition_does_not_say_that_the_first_attempt_failed(code: int) -> None:
    verdict = judge(refused(code), tries=0, is_resent=True)

    assert verdict == Unknown(f"meta_{code}", MetaError(message="no", code=code))


def test_what_never_left_is_tried_again_and_what_may_have_left_is_unknown() -> None:
    assert isinstance(judge(NotConnected("refused"), tries=0), Postponed)
    assert judge(Lost("cut"), tries=0) == Unknown("cut")


@pytest.mark.parametrize(("tries", "seconds"), [(0, 1), (1, 4), (2, 16), (3, 64), (4, 256), (5, 300)])
def test_a_pair_that_is_too_fast_waits_four_to_the_power_of_its_tries(tries: int, seconds: int) -> None:
    verdict = judge(refused(131056), tries=tries)

    assert isinstance(verdict, Postponed)
    assert verdict.delay == timedelta(seconds=seconds)


@given(
    observation=st.sampled_from([NotConnected("refused"), *map(refused, NOT_ACTED)]),
    tries=st.integers(min_value=0, max_value=100_000),
    jitter=st.floats(min_value=0, max_value=1),
)
def test_no_wait_is_longer_than_five_minutes_however_often_it_was_tried(
    observation: Observation, tries: int, jitter: float
) -> None:
    verdict = judge(observation, tries=tries, jitter=lambda: jitter)

    assert isinstance(verdict, Postponed)
    assert timedelta(0) < verdict.delay <= timedelta(minutes=5)


@pytest.fixture
async def meta() -> AsyncIterator[MetaStandIn]:
    meta = MetaStandIn()
    await meta.start()
    yield meta
    await meta.stop()


@pytest.fixture
async def client(meta: MetaStandIn) -> AsyncIterator[MetaClient]:
    async with meta_client(meta.url, "v25.0") as client:
        yield client


async def observed(client: MetaClient, *, timeout_seconds: float = 30, authorization: str = "Bearer t") -> Observation:
    body = BODY[:-1] + b',"biz_opaque_callback_data":"w1:x:1"}'
    return await client.send("106", authorization, body, timeout_seconds=timeout_seconds)


async def test_the_client_reads_an_acceptance(meta: MetaStandIn, client: MetaClient) -> None:
    for_quality = b'{"messages":[{"id":"wamid.9","message_status":"held_for_quality_assessment"}]}'
    meta.will(accept, answer(200, for_quality))

    assert await observed(client) == Answered("wamid.1")
    assert await observed(client) == Answered("wamid.9", held=True)


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (answer(200, b"{}"), "accepted_without_id"),
        (answer(200, b'{"messages":[]}'), "accepted_without_id"),
        (answer(200, b'{"messages":[{"id":null}]}'), "accepted_without_id"),
        (answer(200, b'{"messages":[{"id":""}]}'), "accepted_without_id"),
        (answer(200, b'{"messages":"abc"}'), "accepted_without_id"),
        (answer(200, b"null"), "accepted_without_id"),
        (answer(200, b"\xff\xfe"), "accepted_without_id"),
        (answer(200, b""), "accepted_without_id"),
        (answer(502, b"<html>Bad Gateway</html>", "text/html"), "http_502_without_reason"),
        (answer(500, b'{"error":"a text"}'), "http_500_without_reason"),
        (answer(500, b'{"error":{"message":"no code"}}'), "http_500_without_reason"),
        (answer(302, b""), "http_302_without_reason"),
        (answer(404, b"null"), "http_404_without_reason"),
        (cut, "answer_lost: ServerDisconnectedError"),
    ],
)
async def test_an_answer_that_is_none_is_lost(meta: MetaStandIn, client: MetaClient, act: Act, reason: str) -> None:
    meta.will(act)

    assert await observed(client) == Lost(reason)


@pytest.mark.parametrize("status", [200, 400, 401, 429, 500, 503])
async def test_an_error_of_metas_is_a_refusal_whatever_its_http_status(
    meta: MetaStandIn, client: MetaClient, status: int
) -> None:
    meta.will(refuse(131026, status))

    observation = await observed(client)

    assert isinstance(observation, Refused)
    assert (observation.error.code, observation.error.message) == (131026, "(#131026) refused")


async def test_silence_is_a_lost_answer(meta: MetaStandIn, client: MetaClient) -> None:
    meta.will(hang)

    observation = await observed(client, timeout_seconds=1)  # enough to reach Meta on a busy machine

    assert isinstance(observation, Lost)
    assert len(meta.calls) == 1


async def test_a_refused_connection_is_not_a_lost_answer(meta: MetaStandIn, client: MetaClient) -> None:
    await meta.stop()

    assert await observed(client) == NotConnected("not_connected: ClientConnectorError")


async def test_a_call_that_finds_no_free_connection_in_its_turn_is_not_made(meta: MetaStandIn) -> None:
    meta_answers = asyncio.Event()
    meta.will(held(meta_answers))
    async with aiohttp.ClientSession() as session:
        client = MetaClient(session, f"{meta.url}/v25.0", slots=asyncio.Semaphore(1), turn_seconds=0.05)
        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(observed(client))
            await eventually(lambda: len(meta.calls) == 1)
            second = await observed(client)
            meta_answers.set()

    assert second == NotConnected("not_connected: all connections are busy")
    assert first.result() == Answered("wamid.1")
    assert len(meta.calls) == 1


async def test_an_error_that_nobody_foresaw_is_an_observation_too(client: MetaClient) -> None:
    observation = await observed(client, authorization="Bearer two\r\nlines")

    assert observation == Lost("answer_lost: ValueError")
