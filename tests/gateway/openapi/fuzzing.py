"""schemathesis asks the running gateway whether an OpenAPI document is true.

`FUZZ_SEED` and `FUZZ_EXAMPLES` look elsewhere and longer than a test run does. What is wrong with a body is found by
test_bodies_are_true.py without a gateway, so only requests without one are spoilt in every place here.
"""

import asyncio
import os
import sys
from pathlib import Path

from tests.gateway.conftest import Client, Tenant

ROOT = Path(__file__).parents[3]
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
SEED, EXAMPLES = os.environ.get("FUZZ_SEED", "20261121"), os.environ.get("FUZZ_EXAMPLES", "6")
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

[[operations]]
include-operation-id = "sendMessage"
phases.coverage.generation.mode = "positive"
phases.fuzzing.generation.max-examples = {many_examples}

[[operations]]
include-method = ["POST", "PUT", "PATCH"]
phases.coverage.generation.mode = "positive"

[[operations]]  # a file may hold anything: none is wrong by its schema
include-operation-id = ["importContacts", "uploadRecipients"]
generation.mode = "positive"

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
    amount = {"seed": SEED, "examples": EXAMPLES, "many_examples": 10 * int(EXAMPLES)}
    file.write_text(SETTINGS.format(tenant=tenant, **amount, **credential))
    fuzzer = await asyncio.create_subprocess_exec(
        SCHEMATHESIS,
        *("--config-file", str(file), "run", str(client.make_url(document))),
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "FUZZED_NUMBER": tenant.phone_number_id},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await fuzzer.communicate()
    return fuzzer.returncode, output.decode()
