"""What the processes of a local stack are configured by."""

import base64
import stat
from pathlib import Path

import pytest

from deploy.local.environment import local_environment
from deploy.local.ports import Ports

PORTS = Ports(mongodb=1, amqp=2, sandbox=3, webhooks=4, gateway_public=5)


def test_defaults_follow_from_the_ports(tmp_path: Path) -> None:
    env = local_environment(tmp_path, {}, PORTS)

    assert env["AMQP_URL"] == "amqp://guest:guest@127.0.0.1:2/"
    assert env["MONGODB_URL"] == "mongodb://127.0.0.1:1/?replicaSet=rs0"
    assert env["META_GRAPH_URL"] == "http://127.0.0.1:3"
    assert env["OPENAI_BASE_URL"] == "http://127.0.0.1:3/v1"
    assert env["SANDBOX_WEBHOOK_URL"] == "http://127.0.0.1:4/webhooks/meta"
    assert env["PUBLIC_BASE_URL"] == "http://127.0.0.1:5"
    assert env["GATEWAY_PRIVATE_BIND"] == "127.0.0.1:4000"
    assert env["ENVIRONMENT"] == "local"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("META_GRAPH_URL", "http://127.0.0.1:9"),
        ("OPENAI_BASE_URL", "http://127.0.0.1:9/v1"),
        ("META_APP_SECRET", "given"),
        ("META_VERIFY_TOKEN", "given"),
        ("ADMIN_JWT_SECRET", "given-and-long-enough-for-a-signature"),
        ("AMQP_URL", "amqp://elsewhere/"),
        ("MONGODB_URL", "mongodb://elsewhere/"),
        ("GATEWAY_PRIVATE_BIND", "127.0.0.1:9"),
    ],
)
def test_a_given_variable_wins(tmp_path: Path, name: str, value: str) -> None:
    assert local_environment(tmp_path, {name: value}, PORTS)[name] == value


def test_addresses_follow_a_given_bind(tmp_path: Path) -> None:
    env = local_environment(tmp_path, {"SANDBOX_BIND": "0.0.0.0:9", "WEBHOOKS_BIND": "127.0.0.1:8"}, PORTS)

    assert env["META_GRAPH_URL"] == "http://127.0.0.1:9"
    assert env["SANDBOX_WEBHOOK_URL"] == "http://127.0.0.1:8/webhooks/meta"


def test_an_empty_variable_counts_as_missing(tmp_path: Path) -> None:
    env = local_environment(tmp_path, {"META_GRAPH_URL": "", "META_APP_SECRET": "", "CORS_ORIGINS": ""}, PORTS)

    assert env["META_GRAPH_URL"] == "http://127.0.0.1:3"
    assert len(env["META_APP_SECRET"]) == 32
    assert "CORS_ORIGINS" not in env


def test_the_sandboxs_model_has_a_name_and_another_api_names_its_own(tmp_path: Path) -> None:
    ours = local_environment(tmp_path, {}, PORTS)
    theirs = local_environment(tmp_path, {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}, PORTS)

    assert ours["OPENAI_MODEL"] == "sandbox-model"
    assert "OPENAI_MODEL" not in theirs


def test_a_secret_given_as_a_file_is_not_made_up(tmp_path: Path) -> None:
    env = local_environment(tmp_path, {"ADMIN_JWT_SECRET_FILE": "/run/secrets/jwt"}, PORTS)

    assert "ADMIN_JWT_SECRET" not in env
    assert "ADMIN_JWT_SECRET" not in (tmp_path / "secrets.env").read_text()


def test_secrets_are_made_once_and_used_again(tmp_path: Path) -> None:
    first = local_environment(tmp_path, {}, PORTS)
    second = local_environment(tmp_path, {}, PORTS)

    assert first == second
    assert len(first["ADMIN_JWT_SECRET"]) >= 32
    key_id, _, key = first["MASTER_KEYS"].partition(":")
    assert key_id == "k1"
    assert len(base64.b64decode(key)) == 32


def test_only_the_owner_may_read_the_secrets(tmp_path: Path) -> None:
    local_environment(tmp_path, {}, PORTS)

    assert stat.S_IMODE((tmp_path / "secrets.env").stat().st_mode) == 0o600


def test_a_secret_missing_from_the_file_is_added_and_the_others_stay(tmp_path: Path) -> None:
    (tmp_path / "secrets.env").write_text("# kept by hand\nMETA_APP_SECRET='mine'\n")

    env = local_environment(tmp_path, {}, PORTS)

    assert env["META_APP_SECRET"] == "mine"
    assert local_environment(tmp_path, {}, PORTS)["API_KEY_PEPPER"] == env["API_KEY_PEPPER"]
