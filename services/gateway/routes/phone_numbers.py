"""`/api/v1/phone-numbers`."""

from dataclasses import dataclass
from typing import Any, get_args

from aiohttp import web

from services.gateway.repositories.users import UserRepository
from services.gateway.routes.asking import Asking
from services.gateway.routes.idempotent import Fixed, Idempotency
from services.gateway.routes.parameters import path_id, query_choice, required_query_id
from services.gateway.schemas.dashboard import AddPhoneNumberBody
from shared.clock import iso_millis
from shared.contracts.messaging import AddPhoneNumber, GetPhoneNumber, ListPhoneNumbers, PhoneNumber, Platform
from shared.ids import new_id
from shared.sealing import KeyRing
from shared.web.body import parse_body
from shared.web.envelopes import success

_PLATFORMS: tuple[Platform, ...] = get_args(Platform)
_WEBCHAT = "webchat"  # its numbers are listed only when asked for


@dataclass(frozen=True, slots=True)
class PhoneNumberRoutes:
    """Phone numbers belong to messaging. The access token is sealed here and never leaves again."""

    users: UserRepository
    asking: Asking
    idempotency: Idempotency
    key_ring: KeyRing

    def table(self) -> list[web.RouteDef]:
        """What is served where."""
        return [
            web.get("/api/v1/phone-numbers", self.list_phone_numbers),
            web.post("/api/v1/phone-numbers", self.add_phone_number),
            web.get("/api/v1/phone-numbers/{phone_number_id}", self.get_phone_number),
        ]

    async def list_phone_numbers(self, request: web.Request) -> web.Response:
        """200 with a user's numbers, newest first; none for an unknown user."""
        user_id = required_query_id(request, "user_id")
        wanted = query_choice(request, "platform", (*_PLATFORMS, _WEBCHAT))
        if wanted == _WEBCHAT:
            return success(request, [])
        platform = next((platform for platform in _PLATFORMS if platform == wanted), None)
        numbers = await self.asking.query(ListPhoneNumbers(user_id=user_id, platform=platform))
        return success(request, [_number(number) for number in numbers.items])

    async def add_phone_number(self, request: web.Request) -> web.Response:
        """201 with the number; 404 for an unknown user, 409 when the number or its WABA is another's."""
        body = await parse_body(request, AddPhoneNumberBody)

        async def work(fixed: Fixed) -> web.Response:
            await self.users.get(body.user_id)
            command = self._command(body, fixed["phone_number_id"])
            look_at = f"GET /api/v1/phone-numbers?user_id={body.user_id}"
            return success(request, _number(await self.asking.command(command, look_at=look_at)), status=201)

        fixed = {"phone_number_id": new_id("pn_")}
        return await self.idempotency.run(request, owner=body.user_id, fixed=fixed, work=work)

    async def get_phone_number(self, request: web.Request) -> web.Response:
        """200 with the number and its agent."""
        number_id = path_id(request, "phone_number_id", unknown="Phone number not found")
        number = await self.asking.query(GetPhoneNumber(phone_number_id=number_id))
        return success(request, _number(number) | {"agent": None})  # no number can have an agent yet

    def _command(self, body: AddPhoneNumberBody, phone_number_id: str) -> AddPhoneNumber:
        return AddPhoneNumber(
            phone_number_id=phone_number_id,
            user_id=body.user_id,
            platform=body.platform,
            meta_phone_number_id=body.meta_phone_number_id,
            sealed_access_token=self.key_ring.seal(body.access_token, owner_id=phone_number_id, field="access_token"),
            display_name=body.display_name,
            waba_id=body.waba_id if body.platform == "whatsapp" else None,
        )


def _number(number: PhoneNumber) -> dict[str, Any]:
    return {
        "id": number.id,
        "user_id": number.user_id,
        "platform": number.platform,
        "meta_phone_number_id": number.meta_phone_number_id,
        "display_name": number.display_name,
        "waba_id": number.waba_id,
        "created_at": iso_millis(number.created_at),
        "updated_at": iso_millis(number.updated_at),
    }
