"""schemathesis asks the running gateway whether the dashboard API's document is true."""

from pathlib import Path

from tests.gateway.conftest import Gateway, admin_token, make_tenant
from tests.gateway.openapi.fuzzing import fuzz

EXAMPLE_USER = "usr_123"  # of the examples in the document


async def test_the_dashboard_api_is_as_described(gateway: Gateway, tmp_path: Path) -> None:
    tenant = await make_tenant(gateway, EXAMPLE_USER)

    code, report = await fuzz(
        gateway.private, "/openapi-dashboard.json", tenant, tmp_path, scheme="AdminToken", token=admin_token()
    )

    assert code == 0, report
    assert len(gateway.messaging.numbers) > 10, f"too few numbers were added to prove much\n{report}"
