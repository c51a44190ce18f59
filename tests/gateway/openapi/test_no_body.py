"""Requests that need no body and have none, as different libraries send them."""

import re
from urllib.parse import urlencode

import pytest

from services.gateway.openapi.dashboard import DASHBOARD_API
from services.gateway.openapi.operations import Operation
from tests.gateway.conftest import Gateway, admin_token, make_tenant

WITHOUT_BODY = {
    operation.name: operation
    for operation in DASHBOARD_API.operations
    if operation.method in {"post", "delete"} and (operation.body is None or not operation.body.required)
}
NAMED_ALL_THE_SAME = ("application/octet-stream", "application/json", "text/csv")  # of a body that is not there


def url_of(operation: Operation) -> str:
    """Its path and query with the ids of the document's examples."""
    examples = {each.name: str(each.example) for each in operation.parameters if each.required}
    path = re.sub(r"{(\w+)}", lambda match: examples.pop(match[1]), operation.path)
    return f"{path}?{urlencode(examples)}"


def test_there_are_such_routes() -> None:
    assert {
        "startCampaign",
        "retryFailedRecipients",
        "submitTemplate",
        "verifyPhoneNumber",
        "handOverConversation",
        "rotateWebhookSecret",
        "testWebhook",
        "resendDelivery",
        "replayDeadLetters",
        "optOut",
    } <= set(WITHOUT_BODY)


@pytest.mark.parametrize("content_type", NAMED_ALL_THE_SAME)
async def test_a_type_of_no_body_is_not_looked_at(gateway: Gateway, content_type: str) -> None:
    await make_tenant(gateway, "usr_123")
    refused = {}
    for name, operation in WITHOUT_BODY.items():
        headers = {"Content-Type": content_type}
        if operation.access == "admin":
            headers["Authorization"] = f"Bearer {admin_token()}"
        response = await gateway.private.request(operation.method, url_of(operation), data=b"", headers=headers)
        if response.status not in {200, 404}:
            refused[name] = (response.status, await response.text())

    assert refused == {}
