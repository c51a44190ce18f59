"""`/admin/webchat/channels/{webchat_id}/identity-secret`: by which a site proves who its visitors are."""

import secrets
from dataclasses import dataclass

from aiohttp import web

from services.gateway.routes.asking import Asking
from services.gateway.routes.idempotent import Fixed, Idempotency
from services.gateway.routes.parameters import path_id
from services.gateway.schemas.webchat import IdentitySecretBody
from shared.contracts.webchat import SetWebchatIdentity
from shared.sealing import KeyRing
from shared.web.body import parse_body
from shared.web.envelopes import success

_PATH = "/admin/webchat/channels/{webchat_id}/identity-secret"
_FIELD = "identity_secret"
_BYTES = 32  # as many as HMAC-SHA256 can make use of


@dataclass(frozen=True, slots=True)
class WebchatIdentityRoutes:
    """Whoever has the secret can speak as any visitor of the channel, so it is the operator's to give."""

    asking: Asking
    idempotency: Idempotency
    key_ring: KeyRing

    def table(self) -> list[web.RouteDef]:
        """What is served where."""
        return [web.post(_PATH, self.make_secret), web.delete(_PATH, self.remove_secret)]

    async def make_secret(self, request: web.Request) -> web.Response:
        """201 with a new secret, shown this once; the one before is worth nothing any more."""
        webchat_id = path_id(request, "webchat_id", unknown="Webchat channel not found")
        body = await parse_body(request, IdentitySecretBody)

        async def work(fixed: Fixed) -> web.Response:
            sealed = self.key_ring.seal(fixed["secret"], owner_id=webchat_id, field=_FIELD)
            await self._set(SetWebchatIdentity(webchat_id=webchat_id, sealed_secret=sealed, required=body.required))
            data = {"webchat_id": webchat_id, "secret": fixed["secret"], "required": body.required}
            return success(request, data, status=201)

        fixed = {"secret": f"wis_{secrets.token_urlsafe(_BYTES)}"}
        return await self.idempotency.run(request, owner=webchat_id, fixed=fixed, work=work)

    async def remove_secret(self, request: web.Request) -> web.Response:
        """200; from then on the channel proves nobody."""
        webchat_id = path_id(request, "webchat_id", unknown="Webchat channel not found")
        await self._set(SetWebchatIdentity(webchat_id=webchat_id, sealed_secret=None))
        return success(request, message="Identity secret deleted successfully", data_key=False)

    async def _set(self, command: SetWebchatIdentity) -> None:
        await self.asking.command(command, look_at="doing it again")
