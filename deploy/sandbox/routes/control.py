"""`/_sandbox/…`: looking at what was sent, playing users, switching faults, starting over."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import orjson
from aiohttp import web
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ..faults import Faults, FaultsError
from ..files import KINDS, Files
from ..inbound import Inbox
from ..instagram import InstagramDesk
from ..ledger import Ledger
from ..templates.store import Templates
from ..webhooks.handshake import Handshake
from .answers import invalid, json_answer, refusal


def digits(number: str) -> str:
    """A phone number without its `+` (which an unescaped query turns into a space)."""
    return number.strip().removeprefix("+")


def upper(value: Any) -> Any:
    """Meta's words are taken in either case."""
    return value.upper() if isinstance(value, str) else value


class InboundBody(BaseModel):
    """A user's message; beside the named members one object called like `type` carries any other kind."""

    model_config = ConfigDict(extra="allow")

    phone_number_id: str
    sender: Annotated[str, AfterValidator(digits), Field(alias="from", min_length=1)]
    type: str = "text"
    context_id: str | None = None
    times: int = Field(default=1, ge=1, le=1_000)
    within_seconds: float = Field(default=0, ge=0, le=60)  # over which the repetitions are spread, in any order
    name: str = "Sandbox User"
    platform: Literal["whatsapp", "instagram"] = "whatsapp"
    hidden: bool = False  # shows a user name instead of a number


class TemplateBody(BaseModel):
    """A template to register as it stands."""

    model_config = ConfigDict(extra="forbid")

    waba_id: str
    name: str
    language: str
    category: Annotated[Literal["MARKETING", "UTILITY", "AUTHENTICATION"], BeforeValidator(upper)]
    status: Annotated[Literal["APPROVED", "PENDING", "REJECTED", "PAUSED", "DISABLED"], BeforeValidator(upper)] = (
        "APPROVED"
    )
    parameter_format: Annotated[Literal["POSITIONAL", "NAMED"], BeforeValidator(upper)] = "POSITIONAL"
    components: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class ControlRoutes:
    """The controls."""

    ledger: Ledger
    inbox: Inbox
    instagram: InstagramDesk
    files: Files
    faults: Faults
    templates: Templates
    handshake: Handshake
    count_pending: Callable[[], int]
    start_over: Callable[[], None]

    def table(self) -> list[web.RouteDef]:
        """The routes."""
        return [
            web.get("/healthz", self.health),
            web.get("/_sandbox/messages", self.messages),
            web.get("/_sandbox/calls", self.calls),
            web.get("/_sandbox/inbound", self.inbound_list),
            web.post("/_sandbox/inbound", self.inbound),
            web.get("/_sandbox/webhooks", self.webhooks),
            web.get("/_sandbox/faults", self.show_faults),
            web.put("/_sandbox/faults", self.change_faults),
            web.post("/_sandbox/templates", self.register_template),
            web.post("/_sandbox/handshake", self.shake_hands),
            web.post("/_sandbox/reset", self.reset),
        ]

    async def health(self, request: web.Request) -> web.Response:
        """Up."""
        return json_answer({"status": "ok"})

    async def messages(self, request: web.Request) -> web.Response:
        """Messages to one recipient, or all, newest last; or of all only what was told of them."""
        if request.query.get("by") == "statuses":
            return json_answer({"told": self.ledger.list_told()})
        to = request.query.get("to")
        found = self.ledger.list_messages(digits(to) if to else None)
        return json_answer({"messages": [message.view() for message in found]})

    async def calls(self, request: web.Request) -> web.Response:
        """Sends: how many were acted on, how often each opaque text, or all of them with their outcome."""
        if request.query.get("count") == "true":
            return json_answer({"count": self.ledger.count_accepted()})
        if request.query.get("by") == "opaque":
            return json_answer({"counts": self.ledger.count_by_opaque()})
        return json_answer({"calls": self.ledger.list_calls()})

    async def inbound_list(self, request: web.Request) -> web.Response:
        """What users wrote, newest last."""
        sender = request.query.get("from")
        found = self.inbox.list_from(digits(sender) if sender else None)
        return json_answer({"messages": [message.view() for message in found]})

    async def inbound(self, request: web.Request) -> web.Response:
        """Play a user who writes, taps or reacts."""
        try:
            body = InboundBody.model_validate_json(await request.read())
        except ValidationError as error:
            return invalid(error)
        extra = body.model_extra or {}
        content = extra.get(body.type)
        if content is None:
            return refusal(body.type, f"a message of type {body.type!r} needs an object {body.type!r}")
        if body.type == "text" and isinstance(content, str):
            content = {"body": content}
        if body.type == "preference":
            self.inbox.prefer(body.phone_number_id, body.sender, str(content.get("value", "stop")))
            return json_answer({"wamid": None})
        if body.platform == "instagram":
            if body.type != "text":
                return refusal("type", "on Instagram the sandbox's users write text alone")
            sender, told = body.sender, {"type": "text", "text": content}
            mid = self.instagram.receive(body.phone_number_id, sender, told, times=body.times)
            return json_answer({"wamid": mid})
        if body.type in KINDS:
            content = self.files.taken(body.type, content)
        wamid = self.inbox.receive(
            body.phone_number_id,
            body.sender,
            {"type": body.type, body.type: content},
            context_id=body.context_id,
            times=body.times,
            name=body.name,
            hidden=body.hidden,
            within_seconds=body.within_seconds,
        )
        return json_answer({"wamid": wamid})

    async def webhooks(self, request: web.Request) -> web.Response:
        """How many webhooks have still to be taken, repetitions among them."""
        return json_answer({"pending": self.count_pending()})

    async def show_faults(self, request: web.Request) -> web.Response:
        """The faults in force."""
        return json_answer(self.faults.now.model_dump())

    async def change_faults(self, request: web.Request) -> web.Response:
        """Merge a change into the faults in force."""
        try:
            change = orjson.loads(await request.read())
        except orjson.JSONDecodeError as error:
            return refusal("body", f"not JSON: {error}")
        if not isinstance(change, dict):
            return refusal("body", "must be a JSON object")
        try:
            return json_answer(self.faults.merge(change).model_dump())
        except FaultsError as error:
            return refusal(error.name, str(error))

    async def register_template(self, request: web.Request) -> web.Response:
        """Put a template into an account as it stands, replacing its namesake."""
        try:
            body = TemplateBody.model_validate_json(await request.read())
            template = self.templates.add(body.waba_id, **body.model_dump(exclude={"waba_id"}))
        except ValidationError as error:
            return invalid(error)
        except (KeyError, AttributeError, TypeError) as error:
            return refusal("components", f"not the components of a template: {error!r}")
        return json_answer({"id": template.template_id, "status": template.status, "category": template.category})

    async def shake_hands(self, request: web.Request) -> web.Response:
        """Verify the receiver as Meta does when a callback is registered."""
        return json_answer(await self.handshake.perform())

    async def reset(self, request: web.Request) -> web.Response:
        """Everything forgotten, defaults again."""
        self.start_over()
        return json_answer({"status": "reset"})
