"""What could not be handled on the bus, described."""

from services.gateway.openapi.campaign_models import Answered
from services.gateway.openapi.dashboard_parts import INVALID, UNKNOWN, answers, in_path, operators_operation
from services.gateway.openapi.operations import Parameter
from services.gateway.openapi.shown import Shown, Time

DEAD_LETTERS_TAG = "Dead letters"

_QUEUE = in_path("queue", "The work queue's name.", "messaging.send.v1")


class DeadQueue(Shown):
    """A work queue and its dead letters."""

    queue: str
    messages: int


class DeadQueuesAnswer(Answered):
    """All queues."""

    data: list[DeadQueue]


class DeadLetterShown(Shown):
    """One message, without its body."""

    message_id: str
    type: str
    """Its wire name."""
    reason: str
    died_at: Time | None


class DeadLettersAnswer(Answered):
    """Dead letters."""

    data: list[DeadLetterShown]


class Replayed(Shown):
    """What was done."""

    replayed: int


class ReplayedAnswer(Answered):
    """A replay."""

    data: Replayed


class Dropped(Shown):
    """What was done."""

    dropped: int


class DroppedAnswer(Answered):
    """A loss that was wanted."""

    data: Dropped


DEAD_LETTER_OPERATIONS = (
    operators_operation(
        DEAD_LETTERS_TAG,
        method="get",
        path="/admin/dlq",
        name="countDeadLetters",
        summary="Count dead letters",
        description="Of every work queue of the product.",
        answers=answers(200, DeadQueuesAnswer, "The queues."),
    ),
    operators_operation(
        DEAD_LETTERS_TAG,
        method="get",
        path="/admin/dlq/{queue}",
        name="listDeadLetters",
        summary="Look at dead letters",
        description="The first of a queue; each goes to the queue's end by being looked at.",
        parameters=(
            _QUEUE,
            Parameter("limit", "query", "How many.", {"type": "integer", "minimum": 1, "maximum": 200, "default": 20}),
        ),
        answers=answers(200, DeadLettersAnswer, "The messages.", INVALID, UNKNOWN),
    ),
    operators_operation(
        DEAD_LETTERS_TAG,
        method="post",
        path="/admin/dlq/{queue}/replay",
        name="replayDeadLetters",
        summary="Hand dead letters over once more",
        description="Their ids stay, so that what was done is not done twice.",
        parameters=(_QUEUE,),
        answers=answers(200, ReplayedAnswer, "How many.", UNKNOWN, {415: "A body that is not JSON."}),
    ),
    operators_operation(
        DEAD_LETTERS_TAG,
        method="delete",
        path="/admin/dlq/{queue}",
        name="dropDeadLetters",
        summary="Forget dead letters",
        description="All that are there now.",
        parameters=(_QUEUE,),
        answers=answers(200, DroppedAnswer, "How many.", UNKNOWN),
    ),
)
