"""`/api/v1/contacts`: who a user writes to, and whether they want marketing."""

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from services.gateway.repositories.users import UserRepository
from services.gateway.routes.asking import Asking
from services.gateway.routes.contact_import import import_contacts
from services.gateway.routes.idempotent import Fixed, Idempotency
from services.gateway.routes.parameters import (
    CONTACT_CURSOR,
    path_id,
    query_cursor,
    query_number,
    query_search,
    refused_query,
    required_query_id,
)
from services.gateway.schemas.sending import ChangeConsentBody, ChangeContactBody
from shared.contracts.contacts import ChangeConsent, Contact, EraseContact, GetContact, ListContacts, UpdateContact
from shared.ids import new_id
from shared.web.body import parse_body, read_json_bytes, validate
from shared.web.envelopes import success
from shared.web.json_text import parse_json

_ONE = "/api/v1/contacts/{contact_id:(?!import$)[^/]+}"  # importing has a method of its own, and no others
_LONGEST_TAG = 100


@dataclass(frozen=True, slots=True)
class ContactRoutes:
    """Contacts and their consents are messaging's."""

    users: UserRepository
    asking: Asking
    idempotency: Idempotency
    local: bool  # magic numbers pass

    def table(self) -> list[web.RouteDef]:
        """What is served where."""
        return [
            web.get("/api/v1/contacts", self.list_contacts),
            web.post("/api/v1/contacts/import", self.import_contacts),
            web.get(_ONE, self.get_contact),
            web.patch(_ONE, self.change_contact),
            web.post("/api/v1/contacts/{contact_id}/opt-out", self.opt_out),
            web.post("/api/v1/contacts/{contact_id}/opt-in", self.opt_in),
            web.delete("/admin/contacts/{contact_id}", self.erase_contact),
        ]

    async def list_contacts(self, request: web.Request) -> web.Response:
        """200 with a page, newest first; none for an unknown user."""
        limit = query_number(request, "limit", default=50, most=200)
        page = await self.asking.query(
            ListContacts(
                user_id=required_query_id(request, "user_id"),
                search=query_search(request),
                tag=_query_text(request, "tag", _LONGEST_TAG),
                cursor=query_cursor(request, CONTACT_CURSOR),
                limit=limit,
            )
        )
        shown = [_contact(contact) for contact in page.items]
        response = {"contacts": shown, "pagination": {"limit": limit, "next_cursor": page.next_cursor}}
        return success(request, response)

    async def get_contact(self, request: web.Request) -> web.Response:
        """200 with the contact."""
        return success(request, _contact(await self.asking.query(GetContact(contact_id=_contact_id(request)))))

    async def change_contact(self, request: web.Request) -> web.Response:
        """200 with the contact as it is now."""
        contact_id = _contact_id(request)
        changes = (await parse_body(request, ChangeContactBody)).changes()
        for field in {"name", "email", "company"} & changes.keys():
            changes[field] = changes[field] or ""  # given, and empty
        command = UpdateContact(contact_id=contact_id, **changes)
        look_at = f"GET /api/v1/contacts/{contact_id}"
        return success(request, _contact(await self.asking.command(command, look_at=look_at)))

    async def opt_out(self, request: web.Request) -> web.Response:
        """200 with the contact, to whom no marketing is sent from now on."""
        return await self._change_consent(request, opted_out=True)

    async def opt_in(self, request: web.Request) -> web.Response:
        """200 with the contact, to whom marketing may be sent again."""
        return await self._change_consent(request, opted_out=False)

    async def import_contacts(self, request: web.Request) -> web.Response:
        """200 with how many contacts are new, changed and refused, and why."""
        user_id = required_query_id(request, "user_id")
        self.idempotency.check_key(request)  # rows are known by their phones: a repetition changes nothing
        await self.users.get(user_id)
        return success(request, await import_contacts(request, user_id, self.asking, local=self.local))

    async def erase_contact(self, request: web.Request) -> web.Response:
        """200 when nothing of the person is left; again, too."""
        contact_id = _contact_id(request)
        await self.asking.command(EraseContact(contact_id=contact_id), look_at=f"GET /api/v1/contacts/{contact_id}")
        return success(request, message="Contact erased successfully", data_key=False)

    async def _change_consent(self, request: web.Request, *, opted_out: bool) -> web.Response:
        contact_id = _contact_id(request)
        raw = await read_json_bytes(request)
        body = validate(ChangeConsentBody, parse_json(raw)) if raw else ChangeConsentBody()
        contact = await self.asking.query(GetContact(contact_id=contact_id))

        async def work(fixed: Fixed) -> web.Response:
            command = ChangeConsent(
                change_id=fixed["change_id"],
                contact_id=contact_id,
                opted_out=opted_out,
                proof="api",
                evidence=body.evidence,
            )
            changed = await self.asking.command(command, look_at=f"GET /api/v1/contacts/{contact_id}")
            return success(request, _contact(changed))

        fixed = {"change_id": new_id("consent_")}
        return await self.idempotency.run(request, owner=contact.user_id, fixed=fixed, work=work)


def _contact_id(request: web.Request) -> str:
    return path_id(request, "contact_id", unknown="Contact not found")


def _query_text(request: web.Request, name: str, most: int) -> str | None:
    text = request.query.get(name) or None
    if text is not None and (len(text) > most or not text.isprintable()):
        raise refused_query(name, f"{name} query parameter must have at most {most} printable characters")
    return text


def _contact(contact: Contact) -> dict[str, Any]:
    return contact.model_dump(mode="json")
