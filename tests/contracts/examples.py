"""One example of every message on the bus. A new message needs one in `samples`, and `make contracts`."""

from shared.contracts.base import Message
from tests.contracts.samples import (
    agents,
    basics,
    campaigns,
    contacts,
    conversations,
    credits,
    inbound,
    numbers,
    subscriptions,
    templates,
    threads,
    timeline,
    turns,
    webchat,
)

EXAMPLES: tuple[Message, ...] = (
    *agents.EXAMPLES,
    *basics.EXAMPLES,
    *campaigns.EXAMPLES,
    *contacts.EXAMPLES,
    *conversations.EXAMPLES,
    *credits.EXAMPLES,
    *inbound.EXAMPLES,
    *numbers.EXAMPLES,
    *subscriptions.EXAMPLES,
    *templates.EXAMPLES,
    *threads.EXAMPLES,
    *timeline.EXAMPLES,
    *turns.EXAMPLES,
    *webchat.EXAMPLES,
)
