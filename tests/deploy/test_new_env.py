"""deploy/compose/new-env.sh: the file with secrets that docker-compose.yml is started with."""

import stat
import subprocess
from pathlib import Path

import pytest

from deploy.local.secrets_file import read_variables
from services.__main__ import SERVICES
from tests.architecture.sources import ROOT
from tests.deploy.test_compose import SECRETS, environment, settings_of

SCRIPT = ROOT / "deploy/compose/new-env.sh"


def new_env(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", SCRIPT, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_starts_with_what_is_made_for_a_rehearsal(tmp_path: Path, service: str) -> None:
    new_env(tmp_path / "env", "sandbox")

    settings = settings_of(service).from_env(environment(service, read_variables(tmp_path / "env")))

    assert settings.is_local


def test_only_metas_own_secret_is_left_open(tmp_path: Path) -> None:
    done = new_env(tmp_path / "env")

    made = read_variables(tmp_path / "env")
    assert done.returncode == 0, done.stderr
    assert [name for name in SECRETS if not made[name]] == ["META_APP_SECRET"]
    assert set(made) == set(SECRETS)


def test_a_rehearsal_talks_to_the_sandbox_alone(tmp_path: Path) -> None:
    new_env(tmp_path / "env", "sandbox")

    made = read_variables(tmp_path / "env")
    assert made["COMPOSE_PROFILES"] == "sandbox"
    assert made["COMPOSE_PROJECT_NAME"] == "waapi-sandbox"  # never the data of a real installation
    assert environment("messaging", made)["META_GRAPH_URL"] == "http://sandbox:4010"
    assert environment("templates", made)["META_GRAPH_URL"] == "http://sandbox:4010"
    assert made["WEBHOOK_ALLOW_CIDRS"] == environment("gateway", made)["DASHBOARD_TRUSTED_CIDRS"]


def test_secrets_are_made_anew_each_time_and_each_is_another(tmp_path: Path) -> None:
    new_env(tmp_path / "one", "sandbox")
    new_env(tmp_path / "two", "sandbox")

    one, two = (read_variables(tmp_path / name) for name in ("one", "two"))
    assert len({made[name] for made in (one, two) for name in SECRETS}) == 2 * len(SECRETS)


def test_nobody_but_its_owner_reads_the_file(tmp_path: Path) -> None:
    new_env(tmp_path / "env")

    assert stat.S_IMODE((tmp_path / "env").stat().st_mode) == 0o600


def test_a_file_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("MASTER_KEYS=precious\n", encoding="utf-8")

    done = new_env(tmp_path / "env")

    assert done.returncode == 73
    assert (tmp_path / "env").read_text(encoding="utf-8") == "MASTER_KEYS=precious\n"


@pytest.mark.parametrize("arguments", [(), ("env", "production"), ("env", "sandbox", "more")])
def test_other_arguments_are_refused(arguments: tuple[str, ...]) -> None:
    done = new_env(*arguments)

    assert done.returncode == 64
    assert done.stderr.startswith("usage:")
