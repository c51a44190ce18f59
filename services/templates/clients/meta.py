"""Meta's Graph API, as far as templates need it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.templates.clients.graph import CursorLostError, Graph
from shared.errors import UpstreamRejectedError, UpstreamUnavailableError

_NOT_FOUND = frozenset({2593002, 33})  # subcodes: no such template, no such object


@dataclass(frozen=True, slots=True)
class MetaClient:
    """Reads and writes the templates of WhatsApp Business Accounts."""

    graph: Graph
    page_size: int = 100  # templates a call; an account holds at most 6,000

    async def list_templates(self, waba_id: str, access_token: str, fields: tuple[str, ...]) -> list[Any]:
        """Every template of a WABA, page by page.

        Raises UpstreamRejectedError when Meta refuses (wrong token, unknown WABA) and UpstreamUnavailableError when it
        cannot be reached, is overloaded, or answers in other terms than its own.
        """
        try:
            return await self._read_pages(waba_id, access_token, fields)
        except CursorLostError:
            pass
        try:
            return await self._read_pages(waba_id, access_token, fields)
        except CursorLostError as error:
            raise UpstreamUnavailableError("Meta's list of templates keeps changing while it is read") from error

    async def find_templates(self, waba_id: str, access_token: str, fields: tuple[str, ...], name: str) -> list[Any]:
        """The languages of one name, as Meta writes them. Raises as `list_templates` does."""
        query = {"fields": ",".join(fields), "limit": str(self.page_size), "name": name}
        return _entries(await self.graph.call("GET", _templates_of(waba_id), access_token, query=query))

    async def create_template(self, waba_id: str, access_token: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Hand over a new template; Meta answers `id`, `status` and `category`. Raises as `Graph.call` does."""
        return await self.graph.call("POST", _templates_of(waba_id), access_token, body=body)

    async def edit_template(self, meta_template_id: str, access_token: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Replace what a template says; it is reviewed again. Raises as `Graph.call` does."""
        return await self.graph.call("POST", meta_template_id, access_token, body=body)

    async def delete_template(self, waba_id: str, access_token: str, meta_template_id: str, name: str) -> None:
        """Delete one language of a name; done as well when Meta no longer has it. Raises as `Graph.call` does."""
        query = {"hsm_id": meta_template_id, "name": name}
        try:
            await self.graph.call("DELETE", _templates_of(waba_id), access_token, query=query)
        except UpstreamRejectedError as error:
            if not any(detail.get("subcode") in _NOT_FOUND for detail in error.details):
                raise

    async def _read_pages(self, waba_id: str, access_token: str, fields: tuple[str, ...]) -> list[Any]:
        entries: list[Any] = []
        query = {"fields": ",".join(fields), "limit": str(self.page_size)}
        seen: set[str] = set()
        while True:
            page = await self.graph.call("GET", _templates_of(waba_id), access_token, query=query)
            entries.extend(_entries(page))
            after = _next_cursor(page)
            if after is None:
                return entries
            if after in seen:
                raise UpstreamUnavailableError("Meta's list of templates repeats itself")
            seen.add(after)
            query["after"] = after


def _templates_of(waba_id: str) -> str:
    return f"{waba_id}/message_templates"


def _entries(page: dict[str, Any]) -> list[Any]:
    entries = page.get("data")
    if not isinstance(entries, list):
        raise UpstreamUnavailableError("Meta's list of templates holds no data")
    return entries


def _next_cursor(page: dict[str, Any]) -> str | None:
    """The cursor of the next page; `next` itself is not followed or logged, since its address holds the token."""
    paging = page.get("paging")
    if not isinstance(paging, dict) or not paging.get("next"):
        return None
    cursors = paging.get("cursors")
    after = cursors.get("after") if isinstance(cursors, dict) else None
    if not isinstance(after, str):
        raise UpstreamUnavailableError("Meta's list of templates names a next page without a cursor")
    return after
