"""The product's API and the sandbox's controls, called as a person would call them by hand."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import httpx2

from deploy.local.admin_token import admin_token
from deploy.local.stack import Stack

PATIENCE_SECONDS = 40  # a send is answered within 20


@dataclass(frozen=True, slots=True)
class Api:
    """One HTTP client for everything; no answer raises, since a refusal is often what a test wants to see."""

    http: httpx2.Client
    gateway: str
    public: str
    sandbox: str
    admin_token: str

    @classmethod
    @contextmanager
    def opened(cls, stack: Stack) -> Iterator[Self]:
        """The API of a stack. Proxies named in the environment are for other machines than this one."""
        gateway, public, sandbox = map(stack.url, ("GATEWAY_PRIVATE_BIND", "GATEWAY_PUBLIC_BIND", "SANDBOX_BIND"))
        with httpx2.Client(trust_env=False, timeout=PATIENCE_SECONDS) as http:
            yield cls(http, gateway, public, sandbox, admin_token(stack.env))

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx2.Response:
        """A call to the private listener; `/admin` gets the operator's token by itself."""
        given = self.admin_token if token is None and path.startswith("/admin") else token
        authorization = {"Authorization": f"Bearer {given}"} if given else {}
        return self.http.request(
            method, f"{self.gateway}{path}", json=body, headers={**authorization, **(headers or {})}
        )

    def made(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """What a POST that must succeed has made."""
        answer = self.call("POST", path, body)
        assert answer.is_success, f"POST {path} answered {answer.status_code}: {answer.text}"
        return dict(answer.json()["data"])

    def control(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The JSON that a control route of the sandbox answers."""
        answer = self.http.request(method, f"{self.sandbox}/_sandbox/{path}", json=body)
        assert answer.is_success, f"{method} {path} answered {answer.status_code}: {answer.text}"
        return answer.json()

    def messages_to(self, recipient: str) -> list[dict[str, Any]]:
        """What the phone of a recipient shows, newest last."""
        return list(self.control("GET", f"messages?to={recipient.lstrip('+')}")["messages"])

    def deliveries(self, path: str) -> list[dict[str, Any]]:
        """What a vendor's receiver has got."""
        return list(self.control("GET", f"receiver?path={path}")["deliveries"])
