"""`python -m tests.bench`: bring the product up, measure it beside its references, print a table and write JSON."""

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import uvloop

from deploy.local.environment import CHECKOUT, python_module
from shared.logging import configure_logging
from tests.bench import dramatiq_reference
from tests.bench.dispatch import TEMPLATE
from tests.bench.parts import PARTS, Bench, Sizes
from tests.bench.processes import Processes
from tests.bench.reference import URL_VARIABLE
from tests.product.running import Product, stop_in_order_when_told_to
from tests.product.tenants import Tenant, add_tenant

REPORTS = CHECKOUT / ".local" / "bench"
LINES = 8  # at 1,000 messages a second each, of which a campaign may use 765: more than anything here can send
SETTINGS = {"DEFAULT_MESSAGES_PER_SECOND": "1000"}
FAULTS = {"rate_limit_per_second": 100_000}
OPEN_FILES = 8_192  # a visitor's stream is one of ours and one of the gateway's


def main(arguments: Sequence[str]) -> int:
    """Measure; 0 whatever the figures are, since a busy machine is no fault of the code."""
    asked = _parser().parse_args(arguments)
    stop_in_order_when_told_to()
    configure_logging(log_format="console", level="critical")
    _allow_open_files(OPEN_FILES)
    sizes = Sizes(asked.messages, asked.rounds, asked.seconds, asked.waiting, asked.stored)
    root = Path(tempfile.mkdtemp(prefix="waapi-bench-"))
    try:
        with Product.running(root, SETTINGS) as product, _references_running(product) as references:
            processes = Processes(lambda: _pids(product) | references)
            report = uvloop.run(Bench(product, processes, _new_tenant(product), sizes).measure(asked.only))
    finally:
        shutil.rmtree(root, ignore_errors=True)
    print(report.table())  # noqa: T201 - a program for the terminal
    print(f"  written to {report.write(REPORTS)}")  # noqa: T201
    return 0


@contextmanager
def _references_running(product: Product) -> Iterator[dict[str, int]]:
    """Their process ids by name. They wait when nobody asks them for anything, and cost nothing then."""
    env = {**product.stack.env, URL_VARIABLE: f"{product.api.sandbox}/bench"}
    modules = {"reference": "tests.bench.reference"}
    for number in range(dramatiq_reference.PROCESSES):
        modules[f"dramatiq {number + 1}"] = "tests.bench.dramatiq_reference"
    running: dict[str, subprocess.Popen[bytes]] = {}
    with (product.stack.root / "log" / "references.log").open("wb") as log:
        try:
            for name, module in modules.items():
                running[name] = subprocess.Popen(python_module(module), env=env, stdout=log, stderr=log)
            yield {name: process.pid for name, process in running.items()}
        finally:
            for process in running.values():
                process.terminate()
            for process in running.values():
                process.wait(timeout=10)


def _new_tenant(product: Product) -> Tenant:
    """A tenant without a webhook: deliveries to vendors are not what is measured here."""
    product.api.control("PUT", "faults", FAULTS)
    tenant = add_tenant(product.api, 1, lines=LINES)
    product.api.call("DELETE", f"/admin/webhooks/{tenant.webhook_id}")
    body = {"type": "BODY", "text": "Hi {{1}}, spring is here!", "example": {"body_text": [["Ana"]]}}
    template = {"name": TEMPLATE, "language": "en_US", "category": "MARKETING", "components": [body]}
    product.api.control("POST", "templates", {"waba_id": tenant.waba_id, **template})
    product.api.made(*tenant.sync())
    return tenant


def _pids(product: Product) -> dict[str, int]:
    names = (*product.services(), "sandbox", "rabbitmq", "mongod")
    return {name: pid for name in names if (pid := product.pid(name)) is not None}


def _allow_open_files(count: int) -> None:
    """For us and whatever we start, as far as the machine lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=tuple(PARTS), metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--messages", type=int, default=6_000, help="of one dispatch round")
    parser.add_argument("--rounds", type=int, default=3, help="of dispatch, references and product in turn")
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement of single sends")
    parser.add_argument("--waiting", type=int, default=1_000_000, help="deliveries beside which few are due")
    parser.add_argument("--stored", type=int, default=1_000_000, help="messages that are there when reads are measured")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
