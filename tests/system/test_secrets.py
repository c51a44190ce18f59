"""Nothing that was entrusted to the product is readable in any log."""

import base64
from pathlib import Path

import pytest

from deploy.local.environment import SERVICES
from deploy.local.secrets_file import read_variables
from tests.product.running import Product
from tests.product.tenants import Line, Tenant, send, text_to
from tests.product.waiting import seen

pytestmark = pytest.mark.system

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


def test_no_secret_token_code_or_text_is_in_any_log(stack: Product, tenant: Tenant, line: Line) -> None:
    make_trouble(stack, tenant, line)
    kept = read_variables(stack.stack.root / "secrets.env")
    keys = [kept["MASTER_KEYS"].partition(":")[2], base64.b64encode(kept["META_APP_SECRET"].encode()).decode()]
    secrets = [*tenant.secrets, stack.api.admin_token, *kept.values(), *keys]

    of_services = [log for log in stack.logs if log.stem in SERVICES]

    assert hits(stack.logs, secrets) == []
    assert hits(of_services, [CODE, TEXT, RECIPIENT]) == []
    assert len(of_services) == len(SERVICES)
