"""schemathesis asks the running gateway whether the external send API's document is true."""

from pathlib import Path

from tests.gateway.conftest import Gateway, Tenant
from tests.gateway.openapi.fuzzing import fuzz


async def test_the_external_send_api_is_as_described(gateway: Gateway, tenant: Tenant, tmp_path: Path) -> None:
    code, report = await fuzz(gateway.public, "/openapi.json", tenant, tmp_path, scheme="ApiKey", token=tenant.token)

    assert code == 0, report
    assert len(gateway.messaging.sends) > 100, f"too few messages got through to prove much\n{report}"
