"""Nothing that was entrusted to the product is readable in any log, nor in any answer after the one that shows it."""

import base64
from pathlib import Path
from typing import Any

import pytest

from deploy.local.environment import SERVICES
from deploy.local.secrets_file import read_variables
from tests.product.running import Product
from tests.product.tenants import Line, Tenant, send, text_to
from tests.product.waiting import seen

pytestmark = pytest.mark.system

NEW_TOKEN, INSTRUCTIONS = "EAAnewcanary", "a canary tells its agent what to sing"
CODE, TEXT, RECIPIENT = "915264", "a canary sings", "+4915199200001"


def hits(logs: list[Path], canaries: list[str]) -> list[str]:
    """Where a canary was found; the canary itself is not repeated in a test's output."""
    found = []
    for log in logs:
        content = log.read_text(errors="replace")
        found += [f"{log.name} holds canary {index}" for index, canary in enumerate(canaries) if canary in content]
    return found


def make_trouble(stack: Product, tenant: Tenant, line: Line) -> None:
    """Use every secret, in calls that succeed and in calls that are refused."""
    code = {"name": "otp_message", "body": {"variables": [CODE]}, "copy_code": CODE}
    send(stack.api, line, text_to(RECIPIENT, TEXT), key="canary")
    send(stack.api, line, text_to("+999013100000", TEXT))
    send(stack.api, line, {"to": RECIPIENT, "type": "template", "template": code})
    send(stack.api, line, {"to": RECIPIENT, "type": "template", "template": code | {"name": "no_such_template"}})
    stack.api.call("POST", line.path, text_to(RECIPIENT), token=f"{line.token[:-1]}x")
    stack.api.call("GET", f"/admin/webhooks?user_id={tenant.user_id}", token=f"{stack.api.admin_token}x")
    number = {"user_id": tenant.user_id, "platform": "whatsapp", "access_token": tenant.access_token}
    stack.api.call("POST", "/api/v1/phone-numbers", number)
    seen(lambda: stack.api.deliveries(tenant.receiver_path))


def change_token(stack: Product, tenant: Tenant) -> str:
    """Give the tenant a number of its own another token, which nobody is to see either; the number's id."""
    number = {
        "user_id": tenant.user_id,
        "platform": "whatsapp",
        "meta_phone_number_id": f"77{tenant.number:04}",
        "access_token": tenant.access_token,
        "waba_id": tenant.waba_id,
    }
    number_id: str = stack.api.made("/api/v1/phone-numbers", number)["id"]
    changed = stack.api.call("PATCH", f"/api/v1/phone-numbers/{number_id}", {"access_token": NEW_TOKEN})
    assert changed.status_code == 200, changed.text
    assert stack.api.call("POST", f"/api/v1/phone-numbers/{number_id}/verify").status_code == 200
    return number_id


def ids_of(stack: Product, tenant: Tenant) -> dict[str, str]:
    """An id of each kind that this test can make; of others nobody has the one that is asked for."""
    number_id = change_token(stack, tenant)
    owner = {"user_id": tenant.user_id, "name": "Canary"}
    prompt = {"user_id": tenant.user_id, "prompt_id": "prompt_canary", "instructions": INSTRUCTIONS}
    agent = owner | {"phone_number_id": number_id, "prompt_id": "prompt_canary"}
    return {
        "user_id": tenant.user_id,
        "phone_number_id": number_id,
        "webhook_id": tenant.webhook_id,
        "prompt_id": stack.api.made("/admin/prompts", prompt)["prompt_id"],
        "agent_id": stack.api.made("/api/v1/agents", agent)["agent_id"],
        "webchat_id": stack.api.made("/api/v1/webchat/channels", owner | {"prompt_id": "prompt_canary"})["webchat_id"],
    }


def read_everything(stack: Product, ids: dict[str, str]) -> dict[str, str]:
    """What every route that only reads answers, by its path; streams are left out, which would not end."""
    document = stack.api.call("GET", "/openapi-dashboard.json").json()
    answers = {}
    for path, methods in document["paths"].items():
        if "get" in methods and not _is_stream(methods["get"]):
            query = [each["name"] for each in methods["get"].get("parameters", []) if each["in"] == "query"]
            wanted = "&".join(f"{name}={ids[name]}" for name in query if name in {"user_id", "phone_number_id"})
            filled = path.format_map(_OrUnknown(ids))
            answers[path] = stack.api.call("GET", f"{filled}?{wanted}").text
    return answers


def _is_stream(operation: dict[str, Any]) -> bool:
    return any("application/json" not in answer.get("content", {}) for answer in operation["responses"].values())


class _OrUnknown(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "unknown"


def test_no_answer_shows_a_secret_again(stack: Product, tenant: Tenant, line: Line) -> None:
    ids = ids_of(stack, tenant)
    kept = read_variables(stack.stack.root / "secrets.env")

    answers = read_everything(stack, ids)

    secrets = [*tenant.secrets, NEW_TOKEN, stack.api.admin_token, *kept.values(), "sealed", line.token]
    showing = [path for path, answer in answers.items() for secret in secrets if secret in answer]
    assert showing == []
    assert ids["agent_id"] in answers["/api/v1/agents/{agent_id}"], "the crawl must meet what there is"
    assert len(answers) > 15
    of_services = [log for log in stack.logs if log.stem in SERVICES]
    assert hits(of_services, [NEW_TOKEN, INSTRUCTIONS]) == []


def test_no_secret_token_code_or_text_is_in_any_log(stack: Product, tenant: Tenant, line: Line) -> None:
    make_trouble(stack, tenant, line)
    kept = read_variables(stack.stack.root / "secrets.env")
    keys = [kept["MASTER_KEYS"].partition(":")[2], base64.b64encode(kept["META_APP_SECRET"].encode()).decode()]
    secrets = [*tenant.secrets, stack.api.admin_token, *kept.values(), *keys]

    of_services = [log for log in stack.logs if log.stem in SERVICES]

    assert hits(stack.logs, secrets) == []
    assert hits(of_services, [CODE, TEXT, RECIPIENT]) == []
    assert len(of_services) == len(SERVICES)
