"""schemathesis asks the running gateway whether its OpenAPI documents are true."""

import asyncio
import os
import sys
from pathlib import Path

from tests.gateway.conftest import Client, Gateway, Tenant, admin_token, make_tenant

ROOT = Path(__file__).parents[3]
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
SEED, EXAMPLES = os.environ.get("FUZZ_SEED", "20261121"), os.environ.get("FUZZ_EXAMPLES", "8")
EXAMPLE_USER = "usr_123"  # of the examples in the document
SETTINGS = """
hooks = "tests.gateway.openapi.fuzz_hooks"
seed = {seed}
rate-limit = "90/s"  # a key may call 100 times a second
continue-on-failure = true

[parameters]
"path.encodedPhoneId" = "{tenant.encoded_phone_id}"
"path.user_id" = "{tenant.user_id}"
"path.phone_number_id" = "{tenant.phone_number_id}"
"query.phone_number_id" = "{tenant.phone_number_id}"
"path.key_id" = "{tenant.key_id}"

[auth.openapi.{scheme}]
bearer = "{token}"

[generation]
allow-x00 = false
max-examples = {examples}  # for each of a hundred operations

[phases.stateful]
enabled = false

[[operations]]  # wrong bodies one place at a time: test_schema_is_true.py does that without a gateway, and more of it
include-operation-id = "sendMessage"
phases.coverage.generation.mode = "positive"
phases.fuzzing.generation.max-examples = 80

[[operations]]  # a stream that does not end
include-operation-id = "streamEvents"
enabled = false

[checks]
positive_data_acceptance.enabled = false  # ours, in the hooks, knows the rules beyond JSON Schema
"""


async def fuzz(
    client: Client, document: str, tenant: Tenant, folder: Path, **credential: str
) -> tuple[int | None, str]:
    """schemathesis's exit code and report."""
    file = folder / "schemathesis.toml"
    file.write_text(SETTINGS.format(tenant=tenant, seed=SEED, examples=EXAMPLES, **credential))
    fuzzer = await asyncio.create_subprocess_exec(
        SCHEMATHESIS,
        *("--config-file", str(file), "run", str(client.make_url(document))),
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "FUZZED_NUMBER": tenant.phone_number_id},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await fuzzer.communicate()
    return fuzzer.returncode, output.decode()


async def test_the_external_send_api_is_as_described(gateway: Gateway, tenant: Tenant, tmp_path: Path) -> None:
    code, report = await fuzz(gateway.public, "/openapi.json", tenant, tmp_path, scheme="ApiKey", token=tenant.token)

    assert code == 0, report
    assert len(gateway.messaging.sends) > 100, f"too few messages got through to prove much\n{report}"


async def test_the_dashboard_api_is_as_described(gateway: Gateway, tmp_path: Path) -> None:
    tenant = await make_tenant(gateway, EXAMPLE_USER)

    code, report = await fuzz(
        gateway.private, "/openapi-dashboard.json", tenant, tmp_path, scheme="AdminToken", token=admin_token()
    )

    assert code == 0, report
    assert len(gateway.messaging.numbers) > 10, f"too few numbers were added to prove much\n{report}"
