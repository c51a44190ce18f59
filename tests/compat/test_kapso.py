"""@kapso/whatsapp-cloud-api, a client of Meta's API from npm, and messaging write the same JSON."""

import pytest

from tests.compat.cases import CASES, Case
from tests.compat.conftest import NpmClient
from tests.compat.graph import Graph
from tests.compat.same_to_meta import as_meta_reads

UNSUPPORTED = "10 interactive carousel, mixed"  # kapso.mjs says why
SENT = [case for case in CASES if case.name != UNSUPPORTED]


@pytest.mark.parametrize("case", SENT, ids=lambda case: case.name)
async def test_the_npm_client_and_messaging_say_the_same_to_meta(graph: Graph, npm: NpmClient, case: Case) -> None:
    await graph.approve(case)
    before = len(await graph.payloads())

    answer = await npm.call(case.name)

    assert answer == {"sent": True}
    (theirs,) = (await graph.payloads())[before:]
    assert as_meta_reads(theirs) == as_meta_reads(case.our_payload())


async def test_every_message_is_sent_or_has_a_reason_not_to_be(npm: NpmClient) -> None:
    names = await npm.call("names")

    assert sorted(names["supported"]) == sorted(case.name for case in SENT)
    assert names["unsupported"] == [UNSUPPORTED]
