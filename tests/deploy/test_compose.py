"""docker-compose.yml: what can be told without an engine. That it runs is tried by hand where there is one."""

import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import pytest
import yaml

from deploy.local.secrets_file import MAKERS
from services.__main__ import SERVICES
from shared.settings import Settings
from tests.architecture.sources import ROOT

TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
CONTAINERS: dict[str, dict[str, Any]] = COMPOSE["services"]
SERVERS = ("rabbitmq", "mongodb")
ONE_SHOTS = ("mongodb-setup",)
RUNNING = tuple(name for name in CONTAINERS if name not in ONE_SHOTS)
SECRETS = (*MAKERS, "MONGODB_ROOT_PASSWORD", "MONGODB_PASSWORD", "RABBITMQ_PASSWORD")
# ${NAME}, ${NAME:-default} and ${NAME:?what to do about it}; $$ stands for a dollar sign
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<text>[^}]*))?\}")
GIVEN = {name: make() for name, make in MAKERS.items()} | {
    "MONGODB_ROOT_PASSWORD": "r00t",
    "MONGODB_PASSWORD": "m0ng0",
    "RABBITMQ_PASSWORD": "r4bb1t",
}


def filled_in(text: str, environ: Mapping[str, str]) -> str:
    """A value as Compose hands it to a container; KeyError for a variable that is required and missing."""

    def value_of(found: re.Match[str]) -> str:
        name, kind, default = found["name"], found["kind"], found["text"]
        return environ.get(name) or (environ[name] if kind == "?" else default or "")

    return VARIABLE.sub(value_of, text)


def environment(service: str, environ: Mapping[str, str]) -> dict[str, str]:
    return {name: filled_in(str(value), environ) for name, value in CONTAINERS[service]["environment"].items()}


def settings_of(service: str) -> type[Settings]:
    module = import_module(f"services.{service}.settings")
    (found,) = (
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Settings) and value is not Settings
    )
    return found


def published() -> Iterator[tuple[str, str]]:
    for name, container in CONTAINERS.items():
        for port in container.get("ports", []):
            yield name, filled_in(port, {})


def test_every_service_has_a_container_that_runs_it_alone() -> None:
    commands = {name: CONTAINERS[name]["command"] for name in SERVICES}

    assert commands == {name: [name] for name in SERVICES}


def test_there_is_nothing_but_services_servers_and_the_sandbox() -> None:
    assert set(CONTAINERS) == {*SERVICES, *SERVERS, *ONE_SHOTS, "sandbox"}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_starts_with_what_its_container_is_given(service: str) -> None:
    settings = settings_of(service).from_env(environment(service, GIVEN))

    assert settings.environment == "production"
    assert settings.amqp_url.get_secret_value() == "amqp://waapi:r4bb1t@rabbitmq:5672/"
    assert settings.mongodb_url.get_secret_value() == f"mongodb://{service}:m0ng0@mongodb:27017/?replicaSet=rs0"


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_is_given_only_what_its_service_reads(service: str) -> None:
    readable = {name.upper() for name in settings_of(service).model_fields}

    assert set(CONTAINERS[service]["environment"]) <= readable


@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_has_a_default_and_a_missing_one_says_where_to_get_it(secret: str) -> None:
    uses = [found for found in VARIABLE.finditer(TEXT) if found["name"] == secret]

    assert uses
    assert all(found["kind"] == "?" and found["text"] for found in uses)


def test_no_value_that_is_written_down_looks_like_a_secret() -> None:
    named = re.compile(r"SECRET|PASS|PEPPER|KEYS|TOKEN")
    values = [
        str(value)
        for container in CONTAINERS.values()
        for name, value in container.get("environment", {}).items()
        if named.search(name)
    ]

    assert values
    assert all(VARIABLE.fullmatch(value) for value in values)


def test_every_variable_is_documented() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    documented = set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE))

    assert {found["name"] for found in VARIABLE.finditer(TEXT)} <= documented


def test_ports_are_published_on_loopback_alone() -> None:
    assert sorted(published()) == [
        ("gateway", "127.0.0.1:4000:4000"),
        ("gateway", "127.0.0.1:4001:4001"),
        ("sandbox", "127.0.0.1:4010:4010"),
        ("webhooks", "127.0.0.1:4002:4002"),
    ]
    assert all(port.startswith("127.0.0.1:") for name in CONTAINERS for port in CONTAINERS[name].get("ports", []))


def test_the_private_listener_trusts_the_containers_network_and_no_other() -> None:
    (subnet,) = (config["subnet"] for config in COMPOSE["networks"]["default"]["ipam"]["config"])

    assert CONTAINERS["gateway"]["environment"]["DASHBOARD_TRUSTED_CIDRS"] == subnet


@pytest.mark.parametrize("name", RUNNING)
def test_every_container_that_stays_has_a_health_check(name: str) -> None:
    check = CONTAINERS[name]["healthcheck"]

    assert check["test"][0] == "CMD"
    assert {"interval", "timeout", "retries", "start_period"} <= check.keys()


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_healthy_when_it_is_ready_on_the_port_it_listens_on(service: str) -> None:
    given = CONTAINERS[service]["environment"]
    bind = given["GATEWAY_PRIVATE_BIND"] if service == "gateway" else given[f"{service.upper()}_OPS_BIND"]

    port = bind.rpartition(":")[2]

    assert CONTAINERS[service]["healthcheck"]["test"][-1] == f"http://127.0.0.1:{port}/readyz"


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_waits_for_the_broker_and_a_database_that_is_set_up(service: str) -> None:
    assert CONTAINERS[service]["depends_on"] == {
        "rabbitmq": {"condition": "service_healthy"},
        "mongodb-setup": {"condition": "service_completed_successfully"},
    }


def test_foreign_images_are_pinned_to_a_major_version() -> None:
    images = {name: CONTAINERS[name]["image"] for name in (*SERVERS, *ONE_SHOTS)}

    assert images == {"rabbitmq": "rabbitmq:4", "mongodb": "mongo:7", "mongodb-setup": "mongo:7"}


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_container_holds_no_power_that_it_does_not_need(name: str) -> None:
    container = CONTAINERS[name]

    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert container["mem_limit"]
    assert not {"privileged", "cap_add", "pid", "ipc"} & container.keys()
    assert name in (*SERVICES, "sandbox") or container["user"] != "root"  # our own image names its user itself


@pytest.mark.parametrize("name", RUNNING)
def test_a_container_that_stays_comes_back_after_a_crash(name: str) -> None:
    assert CONTAINERS[name]["restart"] == "unless-stopped"


def test_the_sandbox_comes_only_when_it_is_asked_for_and_never_in_production() -> None:
    assert CONTAINERS["sandbox"]["profiles"] == ["sandbox"]
    assert environment("sandbox", GIVEN)["ENVIRONMENT"] == "production"
    assert [name for name in CONTAINERS if "profiles" in CONTAINERS[name]] == ["sandbox"]


def test_every_file_that_is_mounted_is_there() -> None:
    mounted = [
        volume.partition(":")[0]
        for container in CONTAINERS.values()
        for volume in container.get("volumes", [])
        if volume.startswith("./")
    ]

    assert mounted
    assert [path for path in mounted if not (ROOT / path).is_file()] == []


def test_the_database_is_set_up_for_every_service() -> None:
    script = (ROOT / "deploy/compose/setup-mongodb.js").read_text(encoding="utf-8")
    (listed,) = re.findall(r"^const SERVICES = \[(.*)\];$", script, re.MULTILINE)

    assert re.findall(r'"(\w+)"', listed) == list(SERVICES)
