"""A service that is told to stop finishes what it has in hand: nothing is lost, doubled, or left unknown."""

import pytest
import uvloop

from tests.crash.options import Options
from tests.crash.plan import Strike
from tests.crash.run import Run, new_tenant
from tests.product.running import Product

pytestmark = pytest.mark.system

STOPPED = ("messaging", "gateway", "webhooks", "messaging", "templates", "gateway", "messaging", "webhooks")
MESSAGES_BETWEEN = 60


def test_services_that_are_stopped_in_turn_under_load_lose_and_double_nothing(stack: Product) -> None:
    options = Options(
        messages=MESSAGES_BETWEEN * (len(STOPPED) + 1),
        per_second=40,
        batches=2,
        lose_reply=0,
        customers=0,
        campaigns=0,
        dashboard=False,
        seed=1,
    )
    stops = tuple(
        Strike("term", name, after=index * MESSAGES_BETWEEN + 10, until=(index + 1) * MESSAGES_BETWEEN)
        for index, name in enumerate(STOPPED)
    )
    tenant = new_tenant(stack, 40)

    nobody = tenant  # nobody writes, makes campaigns or sits at the dashboard meanwhile
    run = Run(stack, options, tenant, nobody, nobody, nobody, stops, lambda _: None)
    report = uvloop.run(run.to_its_end())

    assert report.violations == {}, report.table()
    assert report.numbers()["states"] == {"SENT": len(report.facts.posted)}
    assert report.numbers()["declared_resends"] == 0
    said = stack.stack.progress.out.getvalue()  # type: ignore[attr-defined]
    assert said.count("ended with code 0") == len(STOPPED), said
