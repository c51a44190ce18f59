"""`/admin/api-keys`: keys for the external send API, shown once."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from services.gateway.domain.api_keys import ApiKey, NewKey, hash_secret, new_key, prefix_of
from services.gateway.domain.phone_ids import encode_phone_id
from services.gateway.repositories.api_keys import ApiKeyRepository
from services.gateway.repositories.users import UserRepository
from services.gateway.routes.asking import Asking
from services.gateway.routes.idempotent import Fixed, Idempotency
from services.gateway.routes.parameters import path_id, required_query_id
from services.gateway.schemas.admin import ChangeApiKeyBody, CreateApiKeyBody
from shared.clock import Clock, iso_millis
from shared.contracts.messaging import GetPhoneNumber, ListPhoneNumbers, PhoneNumber
from shared.errors import InvalidInputError, NotFoundError
from shared.web.body import parse_body
from shared.web.envelopes import success


@dataclass(frozen=True, slots=True)
class ApiKeyRoutes:
    """API keys belong to the gateway; of a key's secret only a hash under the pepper is kept."""

    keys: ApiKeyRepository
    users: UserRepository
    asking: Asking
    idempotency: Idempotency
    pepper: str
    now: Clock

    def table(self) -> list[web.RouteDef]:
        """What is served where."""
        return [
            web.post("/admin/api-keys", self.create_key),
            web.get("/admin/api-keys", self.list_keys),
            web.patch("/admin/api-keys/{key_id}", self.change_key),
            web.delete("/admin/api-keys/{key_id}", self.delete_key),
        ]

    async def create_key(self, request: web.Request) -> web.Response:
        """201 with the token, which is never shown again."""
        body = await parse_body(request, CreateApiKeyBody)
        self._require_future(body.expires_at)

        async def work(fixed: Fixed) -> web.Response:
            secret = NewKey(fixed["key_id"], fixed["secret"])
            await self.users.get(body.user_id)
            key = await self.keys.add_once(self._key(body, secret, await self._number(body)))
            return success(request, _key(key) | {"token": secret.token} | _times(key), status=201)

        made = new_key()
        fixed = {"key_id": made.key_id, "secret": made.secret}
        return await self.idempotency.run(request, owner=body.user_id, fixed=fixed, work=work)

    async def list_keys(self, request: web.Request) -> web.Response:
        """200 with a user's keys, without their tokens."""
        keys = await self._with_numbers(required_query_id(request, "user_id"))
        return success(request, [_without_token(key) for key in keys])

    async def change_key(self, request: web.Request) -> web.Response:
        """200 with the key as it is now; the next request with it already meets the change."""
        key_id = path_id(request, "key_id", unknown="API key not found")
        body = await parse_body(request, ChangeApiKeyBody)
        self._require_future(body.expires_at)
        changes = body.changes()
        if "permissions" in changes:
            changes["permissions"] = list(dict.fromkeys(changes["permissions"]))
        return success(request, _without_token(await self.keys.change(key_id, changes)))

    async def delete_key(self, request: web.Request) -> web.Response:
        """200; the key is refused from the next request on."""
        await self.keys.mark_revoked(path_id(request, "key_id", unknown="API key not found"), self.now())
        return success(request, message="API key deleted successfully", data_key=False)

    async def _with_numbers(self, user_id: str) -> list[ApiKey]:
        """A user's keys; those of numbers that are gone are revoked, in case whoever deleted one did not get to it."""
        keys = await self.keys.list_live(user_id)
        if not keys:
            return []
        # Asked after the keys were read: a number that was added meanwhile has none of these.
        numbers = await self.asking.query(ListPhoneNumbers(user_id=user_id))
        known = {number.id for number in numbers.items}
        for gone in {key.phone_number_id for key in keys} - known:
            await self.keys.mark_number_gone(gone, self.now())
        return [key for key in keys if key.phone_number_id in known]

    def _require_future(self, expires_at: datetime | None) -> None:
        if expires_at is not None and expires_at <= self.now():
            message = "expires_at must lie in the future"
            raise InvalidInputError(message, details=[{"field": "expires_at", "message": message}])

    async def _number(self, body: CreateApiKeyBody) -> PhoneNumber:
        number = await self.asking.query(GetPhoneNumber(phone_number_id=body.phone_number_id))
        if number.user_id != body.user_id:
            raise NotFoundError("Phone number not found")
        return number

    def _key(self, body: CreateApiKeyBody, secret: NewKey, number: PhoneNumber) -> ApiKey:
        return ApiKey(
            key_id=secret.key_id,
            user_id=body.user_id,
            name=body.name,
            phone_number_id=number.id,
            meta_phone_number_id=number.meta_phone_number_id,
            platform=number.platform,
            permissions=tuple(dict.fromkeys(body.permissions)),
            secret_hash=hash_secret(self.pepper, secret.secret),
            created_at=self.now(),
            expires_at=body.expires_at,
        )


def _key(key: ApiKey) -> dict[str, Any]:
    return {
        "key_id": key.key_id,
        "name": key.name,
        "prefix": prefix_of(key.key_id),
        "permissions": list(key.permissions),
        "phone_number_id": key.phone_number_id,
        "encoded_phone_id": encode_phone_id(key.phone_number_id),
    }


def _without_token(key: ApiKey) -> dict[str, Any]:
    return _key(key) | _times(key) | {"last_used_at": _iso(key.last_used_at)}


def _times(key: ApiKey) -> dict[str, Any]:
    return {"created_at": iso_millis(key.created_at), "expires_at": _iso(key.expires_at)}


def _iso(moment: datetime | None) -> str | None:
    return iso_millis(moment) if moment is not None else None
