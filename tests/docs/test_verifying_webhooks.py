"""The code that docs/verifying-webhooks.md gives to vendors, run against signatures that webhooks really makes."""

import base64
import json
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from multidict import CIMultiDict

from services.webhooks.domain.signing import signed_headers
from services.webhooks.domain.telling import message_sent
from shared.clock import utc_now
from tests.webhooks.stage import sent_message

PAGE = Path(__file__).parent.parent.parent / "docs" / "verifying-webhooks.md"
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
EVENT = message_sent(sent_message())
BODY = EVENT.body

HARNESS = """
import { readFileSync } from "node:fs";
import { isAuthentic, isAuthenticAndFresh } from "./snippet.mjs";
const judge = ({ body, headers, secret }) =>
  [isAuthentic, isAuthenticAndFresh].map((verify) => verify(Buffer.from(body, "base64"), headers, secret));
console.log(JSON.stringify(JSON.parse(readFileSync(0)).map(judge)));
"""


@dataclass(frozen=True)
class Post:
    """A request at a vendor's door, and what the two functions of a snippet should say of it."""

    authentic: bool
    fresh: bool
    body: bytes = BODY
    headers: Mapping[str, str] = field(default_factory=dict)
    secret: str = SECRET

    def with_headers(self, **changed: str) -> "Post":
        """The same with other headers."""
        return replace(self, headers={**self.headers, **{name.replace("_", "-"): changed[name] for name in changed}})


def signed(*, authentic: bool, fresh: bool, age: timedelta = timedelta(0), body: bytes = BODY) -> Post:
    """A request that webhooks signed some time ago."""
    return Post(authentic, fresh, body, signed_headers(body, [SECRET], event_id=EVENT.event_id, at=utc_now() - age))


def posts() -> dict[str, Post]:
    """Genuine requests and everything that must not pass for one."""
    genuine = signed(authentic=True, fresh=True)
    only_authentic, neither = replace(genuine, fresh=False), replace(genuine, authentic=False, fresh=False)
    known = genuine.headers["webhook-signature"]
    return {
        "genuine": genuine,
        "a body beyond ASCII": signed(authentic=True, fresh=True, body='{"name":"Zoë ₹ 🎉"}'.encode()),
        "an empty body": signed(authentic=True, fresh=True, body=b""),
        "four minutes old": signed(authentic=True, fresh=True, age=timedelta(minutes=4)),
        "six minutes old": signed(authentic=True, fresh=False, age=timedelta(minutes=6)),
        "six minutes early": signed(authentic=True, fresh=False, age=timedelta(minutes=-6)),
        "the second signature is right": genuine.with_headers(webhook_signature=f"v1,AAAA {known}"),
        "the first signature is right": genuine.with_headers(webhook_signature=f"{known} v2,AAAA"),
        "a byte more": replace(neither, body=BODY + b" "),
        "parsed and written again": replace(neither, body=json.dumps(json.loads(BODY)).encode()),
        "another secret": replace(neither, secret="whsec_" + base64.b64encode(b"x" * 32).decode()),
        "nothing signed": replace(neither, headers={}),
        "empty headers": replace(neither, headers=dict.fromkeys(genuine.headers, "")),
        "headers beyond ASCII": replace(neither, headers=dict.fromkeys(genuine.headers, "é\u0663")),
        "a replay with a new time": only_authentic.with_headers(webhook_timestamp=str(int(utc_now().timestamp()) + 1)),
        "a replay as another event": only_authentic.with_headers(webhook_id="message.sent:other"),
        "a time that is none": only_authentic.with_headers(webhook_timestamp="soon"),
        "a time without end": only_authentic.with_headers(webhook_timestamp="9" * 5000),
        "a signature without its version": only_authentic.with_headers(webhook_signature=known.removeprefix("v1,")),
        "half a signature": replace(genuine, authentic=False).with_headers(X_Webhook_Signature="0" * 32),
    }


def snippet(language: str) -> str:
    """The page's one block of code in this language."""
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(f"\n```{language}\n")
    code, end, _ = rest.partition("\n```\n")
    assert end, f"{PAGE.name} has no code in {language}"
    return code


def in_python(given: list[Post]) -> list[list[bool]]:
    """What the Python snippet says."""
    names: dict[str, Callable[..., bool]] = {}
    exec(compile(snippet("python"), PAGE.name, "exec"), names)  # noqa: S102 - the page's code is what is tested
    functions = (names["is_authentic"], names["is_authentic_and_fresh"])
    return [[verify(post.body, CIMultiDict(post.headers), post.secret) for verify in functions] for post in given]


def in_node(node: Path, folder: Path, given: list[Post]) -> list[list[bool]]:
    """What the Node snippet says."""
    (folder / "snippet.mjs").write_text(snippet("js"))
    (folder / "harness.mjs").write_text(HARNESS)
    asked = [
        {
            "body": base64.b64encode(post.body).decode(),
            "headers": {name.lower(): value for name, value in post.headers.items()},
            "secret": post.secret,
        }
        for post in given
    ]
    command = [str(node), str(folder / "harness.mjs")]
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=True, timeout=30)
    said: list[list[bool]] = json.loads(done.stdout)
    return said


def expected(given: Mapping[str, Post]) -> dict[str, Any]:
    """What both functions should say of each."""
    return {name: [post.authentic, post.fresh] for name, post in given.items()}


def test_the_python_snippet_tells_genuine_requests_from_all_others() -> None:
    given = posts()

    said = in_python(list(given.values()))

    assert dict(zip(given, said, strict=True)) == expected(given)


def test_the_node_snippet_tells_genuine_requests_from_all_others(node: Path, tmp_path: Path) -> None:
    given = posts()

    said = in_node(node, tmp_path, list(given.values()))

    assert dict(zip(given, said, strict=True)) == expected(given)


@pytest.mark.parametrize("language", ["python", "js", "php", "go", "bash"])
def test_every_snippet_is_on_the_page_once(language: str) -> None:
    assert PAGE.read_text(encoding="utf-8").count(f"\n```{language}\n") == 1
    assert "300" in snippet(language) or "5 * time.Minute" in snippet(language)
