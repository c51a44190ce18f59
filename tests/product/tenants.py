"""A user with phone numbers, keys, templates and a webhook, made by the API alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from tests.product.api import Api

PERMISSIONS = ("send_text", "send_media", "send_template", "send_interactive", "read_templates")


@dataclass(frozen=True, slots=True)
class Line:
    """One phone number and the key that may send from it."""

    phone_number_id: str
    meta_phone_number_id: str
    encoded_phone_id: str
    token: str

    @property
    def path(self) -> str:
        """Where its messages are posted."""
        return f"/api/external/send-message/{self.encoded_phone_id}"


@dataclass(frozen=True, slots=True)
class Tenant:
    """A user and everything that was made for it."""

    number: int
    user_id: str
    waba_id: str
    access_token: str
    lines: tuple[Line, ...]
    webhook_id: str
    webhook_secret: str
    receiver_path: str

    @property
    def secrets(self) -> list[str]:
        """What must never be seen in a log."""
        return [self.access_token, self.webhook_secret, *(line.token for line in self.lines)]

    def sync(self) -> tuple[str, dict[str, str]]:
        """Path and body of the call that brings its templates over from Meta."""
        return "/api/v1/templates/sync", {
            "user_id": self.user_id,
            "phone_number_id": self.lines[0].phone_number_id,
        }


def add_tenant(api: Api, number: int, *, lines: int = 1) -> Tenant:
    """Make the tenant of this number: every number is another user with another WABA."""
    user_id, waba_id, access_token = f"usr_{number}", f"{102290129340399 + number}", f"EAASIM-canary{number:08d}"
    api.made("/api/v1/users", {"user_id": user_id, "email": f"{user_id}@example.com", "company_name": "Acme"})
    path = f"/receiver/{user_id}"
    webhook = api.made(
        "/admin/webhooks", {"user_id": user_id, "url": f"{api.sandbox}{path}", "events": ["message.sent"]}
    )
    api.control("PUT", "receiver", {"secret": webhook["secret"], "path": path})
    tenant = Tenant(
        number=number,
        user_id=user_id,
        waba_id=waba_id,
        access_token=access_token,
        lines=tuple(
            _add_line(api, user_id, waba_id, access_token, f"1{number:06d}{each:04d}") for each in range(lines)
        ),
        webhook_id=webhook["webhook_id"],
        webhook_secret=webhook["secret"],
        receiver_path=path,
    )
    api.made(*tenant.sync())
    return tenant


def _add_line(api: Api, user_id: str, waba_id: str, access_token: str, meta_id: str) -> Line:
    number = {
        "user_id": user_id,
        "platform": "whatsapp",
        "meta_phone_number_id": meta_id,
        "access_token": access_token,
        "display_name": "Acme",
        "waba_id": waba_id,
    }
    phone_number_id = api.made("/api/v1/phone-numbers", number)["id"]
    asked = {
        "user_id": user_id,
        "phone_number_id": phone_number_id,
        "name": "tests",
        "permissions": list(PERMISSIONS),
    }
    key = api.made("/admin/api-keys", asked)
    return Line(phone_number_id, meta_id, key["encoded_phone_id"], key["token"])


def send(api: Api, line: Line, body: Mapping[str, Any], *, key: str | None = None) -> httpx2.Response:
    """Post one message, with an Idempotency-Key if one is given."""
    return api.call("POST", line.path, body, token=line.token, headers={"Idempotency-Key": key} if key else None)


def text_to(recipient: str, text: str = "Hello!") -> dict[str, Any]:
    """The body of a text message."""
    return {"to": recipient, "type": "text", "text": text}
