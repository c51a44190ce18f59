"""A demo tenant, made through the HTTP API as any operator would; made again, it finds what is there."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from deploy.local.admin_token import admin_token
from deploy.local.calls import Answer, call
from deploy.local.secrets_file import write_private
from deploy.local.stack import Stack

USER_ID = "usr_demo"
META_PHONE_NUMBER_ID = "106540352242922"
WABA_ID = "102290129340398"
RECIPIENT = "+14155550123"
KEY_NAME = "demo"
PERMISSIONS = ("send_text", "send_media", "send_template", "send_interactive", "read_templates")


class DemoError(Exception):
    """The API did not do what the demo needs. The text names the call and what was answered."""


@dataclass(frozen=True, slots=True)
class Demo:
    """The demo tenant as `.local/demo.json` holds it: the token and the secret are shown only when they are made."""

    user_id: str
    phone_number_id: str
    encoded_phone_id: str
    api_token: str
    admin_token: str
    webhook_secret: str
    key_id: str
    webhook_id: str

    def write(self, file: Path) -> None:
        """Keep it, for its owner alone."""
        content = {name: getattr(self, name) for name in self.__slots__}
        write_private(file, json.dumps(content, indent=2) + "\n")


@dataclass(frozen=True, slots=True)
class DemoSeeder:
    """Makes the demo tenant on a running stack."""

    gateway: str
    sandbox: str
    admin_token: str
    kept: Mapping[str, str]
    templates_may_fail: bool
    say: Callable[[str], None]

    @classmethod
    def on(cls, stack: Stack, file: Path, *, templates_may_fail: bool) -> Self:
        """A seeder for a stack, knowing what an earlier run kept in `file`.

        `templates_may_fail`: whether Meta's templates may be out of reach, as when the operator named another
        Graph API than the sandbox.
        """
        return cls(
            gateway=stack.url("GATEWAY_PRIVATE_BIND"),
            sandbox=stack.url("SANDBOX_BIND"),
            admin_token=admin_token(stack.env),
            kept=kept_demo(file),
            templates_may_fail=templates_may_fail,
            say=stack.progress.say,
        )

    def seed(self) -> Demo:
        """Make what is missing and return the whole. DemoError names the call that failed."""
        self._add_user()
        phone_number_id = self._phone_number_id()
        key = self._api_key(phone_number_id)
        webhook = self._webhook()
        self._call("PUT", f"{self.sandbox}/_sandbox/receiver", {"secret": webhook["secret"]})
        self._sync_templates(phone_number_id)
        return Demo(
            user_id=USER_ID,
            phone_number_id=phone_number_id,
            encoded_phone_id=key["encoded_phone_id"],
            api_token=key["token"],
            admin_token=self.admin_token,
            webhook_secret=webhook["secret"],
            key_id=key["key_id"],
            webhook_id=webhook["webhook_id"],
        )

    def _add_user(self) -> None:
        user = {"user_id": USER_ID, "email": "demo@example.com", "company_name": "Demo Inc"}
        self._call("POST", f"{self.gateway}/api/v1/users", user, also_fine=409)

    def _phone_number_id(self) -> str:
        number = {
            "user_id": USER_ID,
            "platform": "whatsapp",
            "meta_phone_number_id": META_PHONE_NUMBER_ID,
            "access_token": "EAASIM-demo",
            "display_name": "+1 555 010 0001",
            "waba_id": WABA_ID,
        }
        url = f"{self.gateway}/api/v1/phone-numbers"
        answer = self._call("POST", url, number, also_fine=409)
        if answer.status == 409:
            known = self._list(f"{url}?user_id={USER_ID}")
            ours = [row for row in known if row["meta_phone_number_id"] == META_PHONE_NUMBER_ID]
            if not ours:
                raise DemoError(f"the number {META_PHONE_NUMBER_ID} belongs to another user than {USER_ID}")
            return str(ours[0]["id"])
        return str(answer.data["id"])

    def _api_key(self, phone_number_id: str) -> dict[str, str]:
        url = f"{self.gateway}/admin/api-keys"
        ours = [row for row in self._list(f"{url}?user_id={USER_ID}") if row["name"] == KEY_NAME]
        for row in ours:
            if row["key_id"] == self.kept.get("key_id") and row["phone_number_id"] == phone_number_id:
                return {"token": self.kept["api_token"], "encoded_phone_id": self.kept["encoded_phone_id"]} | row
        for row in ours:  # its token was shown once, and nobody has it any more
            self._call("DELETE", f"{url}/{row['key_id']}", also_fine=404)
        asked = {
            "user_id": USER_ID,
            "phone_number_id": phone_number_id,
            "name": KEY_NAME,
            "permissions": list(PERMISSIONS),
        }
        return dict(self._call("POST", url, asked).data)

    def _webhook(self) -> dict[str, str]:
        url, receiver = f"{self.gateway}/admin/webhooks", f"{self.sandbox}/receiver/demo"
        ours = [row for row in self._list(f"{url}?user_id={USER_ID}") if row["url"] == receiver]
        for row in ours:
            if row["webhook_id"] == self.kept.get("webhook_id"):
                return row | {"secret": self.kept["webhook_secret"]}
        for row in ours:  # its secret was shown once, and nobody has it any more
            self._call("DELETE", f"{url}/{row['webhook_id']}", also_fine=404)
        asked = {"user_id": USER_ID, "url": receiver, "events": ["message.sent"]}
        return dict(self._call("POST", url, asked).data)

    def _sync_templates(self, phone_number_id: str) -> None:
        url = f"{self.gateway}/api/v1/templates/sync"
        try:
            self._call("POST", url, {"user_id": USER_ID, "phone_number_id": phone_number_id})
        except DemoError as error:
            if not self.templates_may_fail:
                raise
            self.say(f"  the demo has no templates: {error}")

    def _list(self, url: str) -> list[dict[str, Any]]:
        return list(self._call("GET", url).data)

    def _call(self, method: str, url: str, body: Mapping[str, Any] | None = None, *, also_fine: int = 0) -> Answer:
        answer = call(method, url, body, token=self.admin_token if "/admin/" in url else "")
        if answer.status >= 300 and answer.status != also_fine:
            raise DemoError(f"{method} {url} answered {answer.status}: {answer.body}")
        return answer


def kept_demo(file: Path) -> dict[str, str]:
    """What an earlier run kept; nothing if the file is missing or was damaged."""
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return kept if isinstance(kept, dict) and set(Demo.__slots__) <= kept.keys() else {}
