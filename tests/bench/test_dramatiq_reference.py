"""What the reference for dramatiq is told."""

from datetime import UTC, datetime

import dramatiq

from shared.contracts.content import TemplateContent
from shared.contracts.messaging import BatchMessage, SendBatch
from tests.bench.dramatiq_reference import message_of

COMMAND = SendBatch(
    user_id="usr_1",
    phone_number_id="pn_1",
    campaign_id="camp_1",
    content=TemplateContent(name="spring_offer", language="en_US", variables=("Ana",)),
    items=(BatchMessage(message_id="0" * 24, recipient_id="rcp_1", to="+4915100000001"),),
    expires_at=datetime(2026, 3, 5, 10, 30, tzinfo=UTC),
)


def test_a_command_of_one_recipient_is_a_message_for_its_actor() -> None:
    message = dramatiq.Message.decode(message_of(COMMAND))

    assert (message.queue_name, message.actor_name) == ("bench.dramatiq.v1", "send")
    assert SendBatch.model_validate_json(message.args[0]) == COMMAND
