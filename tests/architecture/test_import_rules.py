"""The import rules of pyproject.toml hold, and would notice if they did not."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from services.__main__ import SERVICES
from tests.architecture.sources import ROOT

FOLDERS = ("services", "shared", "deploy")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]


def lint_imports(root: Path) -> tuple[int, str]:
    """Exit status and output of import-linter."""
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, " ".join((done.stdout + done.stderr).split())


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The product's source, to be spoiled."""
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_import_rules_hold() -> None:
    status, output = lint_imports(ROOT)

    assert status == 0, output


@pytest.mark.parametrize(
    ("file", "import_line", "rule"),
    [
        ("services/agents/main.py", "import services.messaging.settings", "Services know each other only"),
        ("shared/clock.py", "import services.agents.settings", "What is shared knows no service"),
        ("services/templates/domain/statuses.py", "import shared.mongo", "Decisions do no input or output"),
        ("services/templates/handlers/sync.py", "import pymongo", "Handlers and routes speak through"),
        (
            "services/templates/repositories/templates.py",
            "import services.templates.handlers.access",
            "Inside a service",
        ),
        ("deploy/sandbox/clock.py", "import shared.clock", "The stand-in for the outside world"),
    ],
)
def test_a_broken_rule_is_noticed(copy: Path, file: str, import_line: str, rule: str) -> None:
    with (copy / file).open("a", encoding="utf-8") as source:
        source.write(f"\n{import_line}\n")

    status, output = lint_imports(copy)

    broken = [contract["name"] for contract in CONTRACTS if f"{contract['name']} BROKEN" in output]
    assert status != 0
    assert [name for name in broken if name.startswith(rule)], output


def test_the_rules_name_every_service() -> None:
    folders = {path.parent.name for path in (ROOT / "services").glob("*/main.py")}
    named = [contract.get("containers") or contract.get("modules") for contract in CONTRACTS]

    assert folders == set(SERVICES)
    assert [set(names) for names in named if names] == [{f"services.{name}" for name in SERVICES}] * 2
