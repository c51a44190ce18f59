"""pywa, a client of Meta's API for Python, and messaging write the same JSON."""

from collections.abc import AsyncIterator

import httpx
import pytest
from pywa_async.client import WhatsApp

from tests.compat.cases import CASES, Case
from tests.compat.graph import PHONE_NUMBER_ID, TOKEN, Graph
from tests.compat.pywa_messages import MESSAGES, UNSUPPORTED
from tests.compat.same_to_meta import as_meta_reads

SENT = [case for case in CASES if case.name not in UNSUPPORTED]


class ToSandbox(httpx.AsyncHTTPTransport):
    """Leads every call to the sandbox: pywa knows no other address than Meta's."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request as it is, to the other host."""
        request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._port)
        return await super().handle_async_request(request)


@pytest.fixture(scope="module")
async def pywa(graph: Graph) -> AsyncIterator[WhatsApp]:
    """pywa, talking to the sandbox."""
    async with httpx.AsyncClient(transport=ToSandbox(graph.port)) as session:
        yield WhatsApp(phone_id=PHONE_NUMBER_ID, token=TOKEN, session=session)


@pytest.mark.parametrize("case", SENT, ids=lambda case: case.name)
async def test_pywa_and_messaging_say_the_same_to_meta(graph: Graph, pywa: WhatsApp, case: Case) -> None:
    await graph.approve(case)
    before = len(await graph.payloads())

    await MESSAGES[case.name](pywa)

    (theirs,) = (await graph.payloads())[before:]
    assert as_meta_reads(theirs) == as_meta_reads(case.our_payload())


def test_every_message_is_sent_or_has_a_reason_not_to_be() -> None:
    assert sorted([*MESSAGES, *UNSUPPORTED]) == sorted(case.name for case in CASES)
