"""Graph nodes by id: phone numbers, accounts' app subscriptions, and templates (which share the bare-id path)."""

from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from ..errors import GraphError, unknown_object
from ..files import File, Files
from ..numbers import Numbers
from ..templates.desk import TemplateDesk
from ..templates.store import DEFAULT_FIELDS, Templates
from ..validation.messages import parse_body
from .access import check_access
from .answers import as_graph, json_answer

NUMBER_FIELDS = ("verified_name", "code_verification_status", "display_phone_number", "quality_rating", "id")


def pick(node: dict[str, Any], asked: str | None, default: tuple[str, ...]) -> dict[str, Any]:
    """The fields asked for (Graph adds the id), or the default ones."""
    names = [name.strip() for name in asked.split(",")] + ["id"] if asked else default
    return {name: node[name] for name in dict.fromkeys(names) if name in node}


@dataclass(frozen=True, slots=True)
class NodeRoutes:
    """Numbers and subscriptions."""

    numbers: Numbers
    templates: Templates
    desk: TemplateDesk
    app_id: str
    files: Files
    subscribed: set[str] = field(default_factory=set)

    def table(self) -> list[web.RouteDef]:
        """The routes."""
        subscriptions = "/{version}/{node_id}/subscribed_apps"
        return [
            web.get("/{version}/{node_id}/download", as_graph(self.download)),
            web.get("/{version}/{node_id}", as_graph(self.show)),
            web.post("/{version}/{node_id}", as_graph(self.change)),
            web.get("/{version}/{node_id}/phone_numbers", as_graph(self.list_numbers)),
            web.get(subscriptions, as_graph(self.list_subscriptions)),
            web.post(subscriptions, as_graph(self.subscribe)),
            web.delete(subscriptions, as_graph(self.unsubscribe)),
        ]

    def reset(self) -> None:
        """Forget the subscriptions."""
        self.subscribed.clear()

    async def show(self, request: web.Request) -> web.StreamResponse:
        """A template or account that is known, else a phone number, adopted if need be."""
        token = check_access(request)
        node_id, asked = _node_id(request), request.query.get("fields")
        if (file := self.files.find(node_id)) is not None:
            return json_answer(_file_node(node_id, file, f"{request.url.with_query(None)}/download"))
        if template := self.templates.find(node_id):
            return json_answer(pick(template.fields(), asked, DEFAULT_FIELDS))
        if self.templates.knows_waba(node_id):
            account = {"id": node_id, "name": f"Sandbox account {node_id[-4:]}", "timezone_id": "1"}
            return json_answer(pick(account, asked, ("id", "name", "timezone_id")))
        return json_answer(pick(self.numbers.adopt(node_id, token).fields(), asked, NUMBER_FIELDS))

    async def download(self, request: web.Request) -> web.StreamResponse:
        """A customer's file; the link is of no use without a token."""
        check_access(request)
        node_id = _node_id(request)
        if (file := self.files.find(node_id)) is None:
            raise unknown_object(node_id)
        return web.Response(body=file.data, headers={"Content-Type": file.mime_type})

    async def change(self, request: web.Request) -> web.StreamResponse:
        """Edit a template; a phone number takes its webhook configuration and does nothing with it."""
        check_access(request)
        node_id, body = _node_id(request), parse_body(await request.read() or b"{}")
        if template := self.templates.find(node_id):
            self.desk.edit(template, body)
        elif "components" in body or "category" in body:
            raise unknown_object(node_id)
        return json_answer({"success": True})

    async def list_numbers(self, request: web.Request) -> web.StreamResponse:
        """An account's numbers: all that its token was used on."""
        token = check_access(request)
        _node_id(request)
        asked = request.query.get("fields")
        numbers = [pick(number.fields(), asked, NUMBER_FIELDS) for number in self.numbers.with_token(token)]
        return json_answer({"data": numbers})

    async def list_subscriptions(self, request: web.Request) -> web.StreamResponse:
        """The apps that receive this account's webhooks: ours, once it was subscribed."""
        check_access(request)
        app = {"id": self.app_id, "link": "https://www.facebook.com/games/?app_id=" + self.app_id, "name": "Sandbox"}
        subscribed = _node_id(request) in self.subscribed
        return json_answer({"data": [{"whatsapp_business_api_data": app}] if subscribed else []})

    async def subscribe(self, request: web.Request) -> web.StreamResponse:
        """Subscribe our app; the calm sandbox posts webhooks of every account anyway."""
        token = check_access(request)
        waba_id = _node_id(request)
        self.numbers.note_token(token, waba_id)
        self.templates.adopt(waba_id)
        self.subscribed.add(waba_id)
        return json_answer({"success": True})

    async def unsubscribe(self, request: web.Request) -> web.StreamResponse:
        """Take the subscription back."""
        check_access(request)
        self.subscribed.discard(_node_id(request))
        return json_answer({"success": True})


def _node_id(request: web.Request) -> str:
    node_id = request.match_info["node_id"]
    if not node_id.isdecimal():
        raise GraphError(100, message=f"(#803) Some of the aliases you requested do not exist: {node_id}", subcode=33)
    return node_id


def _file_node(file_id: str, file: File, url: str) -> dict[str, Any]:
    return {
        "messaging_product": "whatsapp",
        "url": url,
        "mime_type": file.mime_type,
        "sha256": file.sha256,
        "file_size": len(file.data),
        "id": file_id,
    }
