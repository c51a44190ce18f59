"""`python -m tests.crash`: the short run, or the long one with `--messages 100000 --kills 50`.

The exit code is 1 when a promise was not kept.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from deploy.local.environment import CHECKOUT
from shared.logging import configure_logging
from tests.crash.options import Options
from tests.crash.presets import MUTANTS
from tests.crash.run import CrashStack
from tests.product.running import stop_in_order_when_told_to

SHORT = Options()
REPORTS = CHECKOUT / ".local" / "crash"
LONG_RUN_SECONDS = 600  # what a long run should take for its load
BATCHES_PER_THOUSAND = 4
CUSTOMERS_PER_KILL = 12  # so that some write beside every blow


def main(arguments: Sequence[str]) -> int:
    """Run and report; 0 when every promise was kept (with mutants: when every one of them was noticed)."""
    asked = _parser().parse_args(arguments)
    stop_in_order_when_told_to()
    configure_logging(log_format="console", level="critical")  # our own bus tells of every broker that we kill
    root = Path(tempfile.mkdtemp(prefix="waapi-crash-"))
    with CrashStack.running(root, _say) as stack:
        code = _all_mutants(stack) if asked.all_mutants else _one_run(stack, _options(asked))
    if code == 0 and not asked.keep:
        shutil.rmtree(root, ignore_errors=True)
    else:
        _say(f"  everything of this run, logs among it, is left in {root}")
    return code


def _one_run(stack: CrashStack, options: Options) -> int:
    _say(f"seed {options.seed}: {options.messages} messages, {options.strikes} strikes; --seed makes this run again")
    report = stack.crash(options)
    _say(report.table())
    _say(f"  written to {report.write(REPORTS)}")
    return 1 if report.violations else 0


def _all_mutants(stack: CrashStack) -> int:
    """Every deliberate bug must be noticed, by a promise that it breaks."""
    unnoticed = []
    for number, (name, mutant) in enumerate(MUTANTS.items(), start=1):
        _say(f"with {name}:")
        report = stack.crash(mutant.options, tenant_number=number)
        _say(report.table())
        unnoticed += [] if mutant.breaks & report.violations.keys() else [name]
    _say(f"not noticed: {', '.join(unnoticed)}" if unnoticed else f"all {len(MUTANTS)} deliberate bugs were noticed")
    return 1 if unnoticed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--messages", type=int, default=SHORT.messages)
    parser.add_argument("--kills", type=int, default=SHORT.kills, help="of services; others come on top, see below")
    parser.add_argument("--brokers", type=int, help="kills of the broker (default: 3 for 50 kills, at least 1)")
    parser.add_argument("--databases", type=int, help="kills of mongod (default: 3 for 50 kills, at least 1)")
    parser.add_argument(
        "--freezes", type=int, help="SIGSTOPs longer than a lease (default: 5 for 50 kills, at least 1)"
    )
    parser.add_argument("--batches", type=int, help="campaign batches of 50 (default: 4 for 1,000 messages)")
    parser.add_argument("--campaigns", type=int, help="large ones (default: 1 for 5,000 messages, at least 5)")
    parser.add_argument("--per-second", type=float, help="messages begun (default: as many as make ten minutes)")
    parser.add_argument("--seed", type=int, help="make an earlier run again")
    parser.add_argument("--keep", action="store_true", help="leave data and logs, also of a run that went well")
    parser.add_argument("--mutant", choices=sorted(MUTANTS), help="with one deliberate bug; must end with exit code 1")
    parser.add_argument("--all-mutants", action="store_true", help="each deliberate bug once; 0 if all are noticed")
    return parser


def _options(asked: argparse.Namespace) -> Options:
    """What was asked for; the rest in proportion to it."""
    if asked.mutant:
        return replace(MUTANTS[asked.mutant].options, **({} if asked.seed is None else {"seed": asked.seed}))
    defaults = {
        "messages": asked.messages,
        "kills": asked.kills,
        "brokers": max(1, round(asked.kills * 0.06)),
        "databases": max(1, round(asked.kills * 0.06)),
        "freezes": max(1, round(asked.kills * 0.1)),
        "campaigns": max(SHORT.campaigns, asked.messages // 5_000),
        "customers": max(SHORT.customers, asked.kills * CUSTOMERS_PER_KILL),
        "batches": asked.messages * BATCHES_PER_THOUSAND // 1000,
        "per_second": max(SHORT.per_second, asked.messages / LONG_RUN_SECONDS),
    }
    given = {name: value for name, value in vars(asked).items() if name in (*defaults, "seed") and value is not None}
    return Options(**(defaults | given))


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a program for the terminal


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
