"""Telling the customer that a message was read, and that an answer is being written.

Source: Meta, WhatsApp Cloud API, "Mark messages as read" and "Typing indicators"; Instagram's `sender_action`.
"""

from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from shared.contracts.messaging import NumberAccess
from shared.errors import UpstreamRejectedError, UpstreamUnavailableError
from shared.meta.errors import parse_graph_error
from shared.sealing import KeyRing

_TIMEOUT = aiohttp.ClientTimeout(total=10.0, sock_connect=3.0)


@dataclass(frozen=True, slots=True)
class ReadReceipts:
    """Posts what no message is. Repeating it is harmless."""

    session: aiohttp.ClientSession
    whatsapp_url: str  # with the Graph version, without a trailing slash
    instagram_url: str
    keys: KeyRing

    async def mark_read(self, access: NumberAccess, recipient: str, wa_message_id: str, *, typing: bool) -> None:
        """Mark a customer's message, and all before it, as read; `typing` shows dots for up to 25 seconds.

        Raises UpstreamRejectedError with Meta's reason, UpstreamUnavailableError when no answer in its terms came.
        """
        if access.platform == "instagram":
            await self._post(access, self.instagram_url, {"recipient": {"id": recipient}, "sender_action": "mark_seen"})
            if typing:
                action = {"recipient": {"id": recipient}, "sender_action": "typing_on"}
                await self._post(access, self.instagram_url, action)
            return
        body: dict[str, Any] = {"messaging_product": "whatsapp", "status": "read", "message_id": wa_message_id}
        if typing:
            body["typing_indicator"] = {"type": "text"}
        await self._post(access, self.whatsapp_url, body)

    async def _post(self, access: NumberAccess, base_url: str, body: dict[str, Any]) -> None:
        token = self.keys.open(access.sealed_access_token, owner_id=access.phone_number_id, field="access_token")
        try:
            async with self.session.post(
                f"{base_url}/{access.meta_phone_number_id}/messages",
                data=orjson.dumps(body),
                headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
                timeout=_TIMEOUT,
                allow_redirects=False,
            ) as response:
                raw = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UpstreamUnavailableError(f"Meta did not answer: {type(error).__name__}") from error
        if response.status == 200:
            return
        if (refusal := parse_graph_error(raw)) is None:
            raise UpstreamUnavailableError(f"Meta answered {response.status} without a reason")
        raise UpstreamRejectedError(f"{refusal.message} (code {refusal.code})")
