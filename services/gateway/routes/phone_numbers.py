"""`/api/v1/phone-numbers`."""

from dataclasses import dataclass
from typing import Any, get_args

from aiohttp import web

from services.gateway.repositories.api_keys import ApiKeyRepository
from services.gateway.repositories.users import UserRepository
from services.gateway.routes.asking import Asking
from services.gateway.routes.idempotent import Fixed, Idempotency
from services.gateway.routes.parameters import path_id, query_choice, required_query_id
from services.gateway.schemas.dashboard import AddPhoneNumberBody
from services.gateway.schemas.numbers import ChangePhoneNumberBody
from shared.clock import Clock, iso_millis
from shared.contracts.agents import GetAgent
from shared.contracts.messaging import AddPhoneNumber, GetPhoneNumber, ListPhoneNumbers, PhoneNumber, Platform
from shared.contracts.numbers import DeletePhoneNumber, UpdatePhoneNumber, VerifyPhoneNumber
from shared.errors import ConflictError, NotFoundError
from shared.ids import new_id
from shared.sealing import KeyRing
from shared.web.body import parse_body, read_json_bytes
from shared.web.envelopes import success

_PLATFORMS: tuple[Platform, ...] = get_args(Platform)
_WEBCHAT = "webchat"  # its numbers are listed only when asked for
_ONE = "/api/v1/phone-numbers/{phone_number_id}"


@dataclass(frozen=True, slots=True)
class PhoneNumberRoutes:
    """Phone numbers belong to messaging. The access token is sealed here and never leaves again."""

    users: UserRepository
    keys: ApiKeyRepository
    asking: Asking
    idempotency: Idempotency
    key_ring: KeyRing
    now: Clock

    def table(self) -> list[web.RouteDef]:
        """What is served where."""
        return [
            web.get("/api/v1/phone-numbers", self.list_phone_numbers),
            web.post("/api/v1/phone-numbers", self.add_phone_number),
            web.get(_ONE, self.get_phone_number),
            web.patch(_ONE, self.change_phone_number),
            web.delete(_ONE, self.delete_phone_number),
            web.post(f"{_ONE}/verify", self.verify_phone_number),
        ]

    async def list_phone_numbers(self, request: web.Request) -> web.Response:
        """200 with a user's numbers, newest first; none for an unknown user."""
        user_id = required_query_id(request, "user_id")
        wanted = query_choice(request, "platform", _PLATFORMS)
        platform = next((platform for platform in _PLATFORMS if platform == wanted), None)
        numbers = await self.asking.query(ListPhoneNumbers(user_id=user_id, platform=platform))
        shown = [number for number in numbers.items if platform is not None or number.platform != _WEBCHAT]
        return success(request, [_number(number) for number in shown])

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
        number = await self.asking.query(GetPhoneNumber(phone_number_id=_number_id(request)))
        more = number.model_dump(include={"messages_per_second", "quality_rating", "enforce_window"})
        return success(request, _number(number) | {"agent": await self._agent_of(number)} | more)

    async def change_phone_number(self, request: web.Request) -> web.Response:
        """200 with the number as it is now; 409 for another user's WABA."""
        number_id = _number_id(request)
        changes = (await parse_body(request, ChangePhoneNumberBody)).changes()
        await self._require_no_webchat(number_id, "changed", "PATCH")
        if token := changes.pop("access_token", None):
            changes["sealed_access_token"] = self.key_ring.seal(token, owner_id=number_id, field="access_token")
        command = UpdatePhoneNumber(phone_number_id=number_id, **changes)
        number = await self.asking.command(command, look_at=f"GET /api/v1/phone-numbers/{number_id}")
        more = number.model_dump(include={"messages_per_second", "enforce_window"})
        return success(request, _number(number) | more)

    async def delete_phone_number(self, request: web.Request) -> web.Response:
        """200, and its API keys are refused from then on; 409 while an agent or a campaign needs it."""
        number_id = _number_id(request)
        try:
            await self._require_no_webchat(number_id, "deleted", "DELETE")
            command = DeletePhoneNumber(phone_number_id=number_id)
            await self.asking.command(command, look_at=f"GET /api/v1/phone-numbers/{number_id}")
        except NotFoundError:  # perhaps deleted by a process that did not get to the keys; listing them heals it, too
            await self.keys.mark_number_gone(number_id, self.now())
            raise
        await self.keys.mark_number_gone(number_id, self.now())
        return success(request, message="Phone number deleted successfully", data_key=False)

    async def verify_phone_number(self, request: web.Request) -> web.Response:
        """200 with what Meta says of the number, check by check; what is wrong is no error of this request."""
        await read_json_bytes(request)  # nothing is read from it, but a form of another site must not get here
        self.idempotency.check_key(request)
        found = await self.asking.query(VerifyPhoneNumber(phone_number_id=_number_id(request)), asks_meta=True)
        return success(request, found.model_dump(mode="json"))

    async def _agent_of(self, number: PhoneNumber) -> dict[str, Any] | None:
        if number.agent_id is None:
            return None
        try:
            agent = await self.asking.query(GetAgent(agent_id=number.agent_id))
        except NotFoundError:  # it is being deleted
            return None
        shown = agent.model_dump(include={"agent_id", "name", "prompt_id"})
        return shown | {"created_at": iso_millis(agent.created_at)}

    async def _require_no_webchat(self, number_id: str, done: str, method: str) -> None:
        number = await self.asking.query(GetPhoneNumber(phone_number_id=number_id))
        if number.platform == _WEBCHAT:
            raise ConflictError(
                f"This number belongs to a webchat channel and is {done} with it: "
                f"{method} /api/v1/webchat/channels/{number.meta_phone_number_id}"
            )

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


def _number_id(request: web.Request) -> str:
    return path_id(request, "phone_number_id", unknown="Phone number not found")


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
