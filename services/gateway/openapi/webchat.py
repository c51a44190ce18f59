"""The web chat's transport, described: what the widget speaks, and what another front end may speak instead."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from services.gateway.openapi import webchat_models as models
from services.gateway.openapi.dashboard_models import RefusedAnswer
from services.gateway.openapi.document import Api
from services.gateway.openapi.operations import Answer, Operation, Parameter, RequestBody
from services.gateway.schemas.webchat import OpenSessionBody, VisitorMessageBody

_CHANNEL = Parameter(
    "webchat_id",
    "path",
    "The channel's id, which stands in its embed code; its agent's id does as well.",
    {"type": "string", "minLength": 1},
    "webchat_8uJ1iK3oL5pZ7xC9vB2nM4",
    required=True,
)
_ORIGIN = Parameter(
    "Origin",
    "header",
    "The page's origin. Browsers send it by themselves; a channel may list those that it answers.",
    {"type": "string"},
    "https://shop.example",
)
_POSITION = {"type": "integer", "minimum": 1, "maximum": 999_999_999}
_INVALID = {400: "A field or parameter is missing or not valid; `details` names each."}
_BODY = {**_INVALID, 413: "The body is larger than 1 MiB.", 415: "The body is not sent as plain JSON."}
_TOKEN = {401: "No session token, or one that is wrong, expired, or another channel's: open a session."}
_LIMITED = {429: "Too many: 10 messages a minute for a session, 60 for an address, 20 new sessions an hour."}
_LATE = {504: "This takes longer than usual and goes on; sent again with the same id, a message is stored once."}
_EVERYWHERE = {
    403: "This channel does not answer pages of this origin, or not visitors without a proven identity.",
    404: "There is no such channel, or no such session any more.",
    500: "A fault of ours.",
    503: "Broker, database or a service is away; try again after `Retry-After`.",
}
_HEADERS = {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}


def _answers(status: int, model: type[BaseModel], description: str, *errors: Mapping[int, str]) -> Mapping[int, Answer]:
    texts = {code: text for more in (*errors, _EVERYWHERE) for code, text in more.items()}
    refusals = {code: Answer(text, (RefusedAnswer,), {}, _HEADERS.get(code, ())) for code, text in texts.items()}
    return {status: Answer(description, (model,)), **dict(sorted(refusals.items()))}


def _operation(parameters: tuple[Parameter, ...] = (), **rest: Any) -> Operation:
    return Operation(tag="Web chat", parameters=(_CHANNEL, _ORIGIN, *parameters), **rest)


OPERATIONS = (
    _operation(
        method="post",
        path="/webchat/{webchat_id}/sessions",
        name="openWebchatSession",
        summary="Open a session",
        description="A token for a day, bound to the channel and to the origin of the page. With a good token in "
        "`Authorization` the session goes on under a new token.\n\nA site may prove who its visitor is: `proof` is the "
        "hex HMAC-SHA256 of `external_id` under the channel's identity secret, computed by the site's own server. A "
        "proven visitor has one session on all devices. A wrong proof is refused, never ignored.",
        access="open",
        body=RequestBody.of(OpenSessionBody, {}),
        answers=_answers(201, models.SessionAnswer, "The session.", _BODY, _LIMITED, _LATE),
    ),
    _operation(
        method="post",
        path="/webchat/{webchat_id}/messages",
        name="sendVisitorMessage",
        summary="Write a message",
        description="Stored once for each `client_message_id`; the answer comes by the stream.",
        access="visitor",
        body=RequestBody.of(VisitorMessageBody, {"client_message_id": "c_1", "text": "Where is my order?"}),
        answers=_answers(201, models.ReceivedAnswer, "The message as it is stored.", _BODY, _TOKEN, _LIMITED, _LATE),
    ),
    _operation(
        (
            Parameter("before", "query", "Only lines before this position.", _POSITION),
            Parameter("limit", "query", "How many.", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}),
        ),
        method="get",
        path="/webchat/{webchat_id}/messages",
        name="listVisitorMessages",
        summary="Read what was said",
        description="The newest lines, the oldest of them first.",
        access="visitor",
        answers=_answers(200, models.TranscriptAnswer, "The lines.", _INVALID, _TOKEN),
    ),
    _operation(
        (
            Parameter("after", "query", "Only lines after this position.", {"type": "integer", "minimum": 0}),
            Parameter("Last-Event-ID", "header", "The same, as streams resume; it wins.", {"type": "string"}),
            Parameter(
                "wait",
                "query",
                "Seconds to wait for lines and answer once, in JSON, where streams do not come through.",
                {"type": "integer", "minimum": 1, "maximum": 25},
            ),
        ),
        method="get",
        path="/webchat/{webchat_id}/events",
        name="followWebchat",
        summary="Hear what is said, as it is said",
        description="Without `wait` a stream (`text/event-stream`) of these events, with a comment as a ping every 15 "
        "seconds:\n\n| event | data | id |\n|---|---|---|\n"
        "| `entry` | a line of the transcript | its position |\n"
        "| `delta` | `turn_id`, `offset` (UTF-16 units), `text`: from the offset on, the answer in the making reads "
        "so | none |\n"
        "| `ready` | `position`: everything up to here has been told | none |\n\n"
        "A delta may be lost; the line that follows holds the whole answer. A stream that broke is resumed with "
        "`Last-Event-ID`.",
        access="visitor",
        answers=_answers(200, models.NewsAnswer, "A stream; with `wait` the new lines.", _INVALID, _TOKEN),
    ),
)

WEBCHAT_API = Api(
    title="WAAPI web chat",
    version="1.0.0",
    description="What a web chat's widget speaks with the gateway. The widget itself is `/widget.js`; "
    "`/widget-config.html` tries it. All of it is served by the public listener alone. Answers are JSON in the "
    "dashboard API's envelope; every call names the origin of its page, and tokens travel in `Authorization`, never in "
    "cookies.",
    tags={"Web chat": "Sessions, messages and streams of visitors."},
    operations=OPERATIONS,
)
