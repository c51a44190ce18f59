"""What callers hear while something is down, and that all of it comes back without a restart."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from deploy.local.environment import SERVICES
from tests.product.running import Product
from tests.product.tenants import Line, Tenant, send, text_to
from tests.product.waiting import seen

pytestmark = pytest.mark.system


@contextmanager
def without_messaging(stack: Product) -> Iterator[None]:
    """Messaging is down inside the block."""
    stack.stop("messaging")
    try:
        yield
    finally:
        stack.start("messaging")
        stack.wait_until_ready("messaging")


@contextmanager
def without_server(stack: Product, name: str) -> Iterator[None]:
    """The broker or the database is down inside the block; every service is ready again after it."""
    stack.stop(name)
    try:
        yield
    finally:
        stack.start_servers()
        stack.wait_until_ready()


def test_while_messaging_is_down_a_send_is_queued_and_done_later_and_questions_are_refused(
    stack: Product, tenant: Tenant, line: Line
) -> None:
    recipient, api = "+4915199100001", stack.api
    number = {
        "user_id": tenant.user_id,
        "platform": "whatsapp",
        "meta_phone_number_id": "19999990001",
        "access_token": tenant.access_token,
        "waba_id": tenant.waba_id,
    }
    numbers = f"/api/v1/phone-numbers?user_id={tenant.user_id}"

    with without_messaging(stack), ThreadPoolExecutor() as pool:
        sending = pool.submit(send, api, line, text_to(recipient))
        adding = pool.submit(api.call, "POST", "/api/v1/phone-numbers", number)
        asked = api.call("GET", numbers)
        sent, added = sending.result(), adding.result()

    assert (asked.status_code, int(asked.headers["Retry-After"]) > 0) == (503, True)
    assert (sent.status_code, sent.json()["data"]["status"]) == (202, "queued")
    assert sent.json()["data"]["wa_message_id"] is None
    assert added.status_code == 504
    assert len(seen(lambda: api.messages_to(recipient))) == 1
    assert seen(lambda: len(api.call("GET", numbers).json()["data"]) == 2)
    message_id = sent.json()["data"]["message_id"]
    assert seen(lambda: [each for each in api.deliveries(tenant.receiver_path) if message_id in each["body"]])


@pytest.mark.parametrize("server", ["rabbitmq", "mongod"])
def test_while_a_server_is_down_callers_are_told_to_come_again_and_it_recovers_without_a_restart(
    stack: Product, line: Line, server: str
) -> None:
    starts = {name: stack.starts(name) for name in SERVICES}

    with without_server(stack, server):
        refused = send(stack.api, line, text_to("+4915199100002"))
        seen(lambda: not any(stack.is_ready(name) for name in SERVICES))
    sent = seen(lambda: (answer := send(stack.api, line, text_to("+4915199100003"))).status_code == 200 and answer)

    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) > 0
    assert sent
    assert {name: stack.starts(name) for name in SERVICES} == starts
    assert stack.api.messages_to("+4915199100002") == []
