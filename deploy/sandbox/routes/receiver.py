"""`/receiver/<any>`, where vendor webhooks arrive, and `/_sandbox/receiver`, where they are looked at."""

import asyncio
from dataclasses import dataclass, replace
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..receiver import Receiver, count_by_event_id, summary
from .answers import invalid, json_answer


class ReceiverBody(BaseModel):
    """A change of the receiver's settings; with `path`, of that path alone."""

    model_config = ConfigDict(extra="forbid", strict=True)

    secret: str | None = None
    status: Annotated[int, Field(ge=200, le=599)] = 200
    delay_ms: Annotated[float, Field(ge=0)] = 0
    path: str | None = Field(default=None, pattern=r"^/receiver/")


@dataclass(frozen=True, slots=True)
class ReceiverRoutes:
    """The receiver."""

    receiver: Receiver

    def table(self) -> list[web.RouteDef]:
        """The routes."""
        return [
            web.post("/receiver/{any:.*}", self.receive),
            web.get("/_sandbox/receiver", self.show),
            web.put("/_sandbox/receiver", self.configure),
        ]

    async def receive(self, request: web.Request) -> web.Response:
        """Keep a delivery, then answer as told."""
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.receiver.keep(request.path, headers, body)
        settings = self.receiver.settings_for(request.path)
        if settings.delay_ms:
            await asyncio.sleep(settings.delay_ms / 1_000)
        return web.Response(status=settings.status)

    async def show(self, request: web.Request) -> web.Response:
        """The deliveries (`?path=` one path's), or with `?summary=true` or `?by=event_id` their numbers."""
        deliveries = self.receiver.list_deliveries(request.query.get("path"))
        if request.query.get("by") == "event_id":
            return json_answer(count_by_event_id(deliveries))
        if request.query.get("summary") == "true":
            return json_answer(summary(deliveries))
        return json_answer({"deliveries": [delivery.view() for delivery in deliveries]})

    async def configure(self, request: web.Request) -> web.Response:
        """Change the members that are named, keep the others."""
        try:
            body = ReceiverBody.model_validate_json(await request.read())
        except ValidationError as error:
            return invalid(error)
        change = body.model_dump(exclude_unset=True, exclude={"path"})
        settings = replace(self.receiver.settings_for(body.path), **change)
        self.receiver.configure(body.path, settings)
        return json_answer({"secret": settings.secret, "status": settings.status, "delay_ms": settings.delay_ms})
