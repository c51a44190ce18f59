"""Examples: a message's timeline."""

from shared.contracts import timeline
from shared.contracts.base import Message
from tests.contracts.samples.basics import WA_MESSAGE_ID

EXAMPLES: tuple[Message, ...] = (timeline.GetMessageTimeline(message_id=WA_MESSAGE_ID),)
