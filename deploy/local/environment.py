"""The environment that every process of a local stack gets: what was given wins, what is missing is filled in."""

import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.local.ports import Ports
from deploy.local.secrets_file import MAKERS, local_secrets
from deploy.local.servers import Servers

CHECKOUT = Path(__file__).parents[2]
SERVICES = ("gateway", "messaging", "templates", "campaigns", "agents", "webhooks")
# Where each service's operations listener is; the gateway's is its private listener.
OPERATIONS_BINDS = {name: f"{name.upper()}_OPS_BIND" for name in SERVICES} | {"gateway": "GATEWAY_PRIVATE_BIND"}


def local_environment(root: Path, environ: Mapping[str, str], ports: Ports) -> dict[str, str]:
    """Everything that servers, sandbox and services are configured by.

    A variable of `environ` wins over a secret kept under `root`, and that over a default from `ports`. Missing
    secrets are made and kept. A variable counts as given also when `<NAME>_FILE` is.
    """
    servers = Servers.plan(root, ports, environ)
    secret_names = [name for name in MAKERS if not _is_given(environ, name)]
    env = _without_empty(environ) | local_secrets(root / "secrets.env", secret_names)
    env |= {"AMQP_URL": servers.amqp_url, "MONGODB_URL": servers.mongodb_url}
    _fill_in(env, _addresses(ports))
    _fill_in(env, _addresses_within(env))
    # So that `python -m` finds the packages wherever a process runs, and shows a crash in its log at once.
    env["PYTHONPATH"] = ":".join(filter(None, (str(CHECKOUT), environ.get("PYTHONPATH"))))
    env["PYTHONUNBUFFERED"] = "1"
    return env


def python_module(name: str, *arguments: str) -> tuple[str, ...]:
    """The command line that runs one of our packages with the Python that we run on."""
    return (sys.executable, "-m", name, *arguments)


def bind_port(bind: str) -> int:
    """The port of `host:port`. ValueError if it has none."""
    port = bind.rpartition(":")[2]
    if not port.isdigit():
        raise ValueError(f"{bind!r} is not of the form host:port")
    return int(port)


def local_url(bind: str) -> str:
    """How to reach `host:port` from this machine, also when it listens on every address."""
    host = bind.rpartition(":")[0]
    return f"http://{'127.0.0.1' if host in ('', '0.0.0.0', '[::]') else host}:{bind_port(bind)}"  # noqa: S104


def _addresses(ports: Ports) -> dict[str, str]:
    return {
        "ENVIRONMENT": "local",
        "GATEWAY_PRIVATE_BIND": _loopback(ports.gateway_private),
        "GATEWAY_PUBLIC_BIND": _loopback(ports.gateway_public),
        "WEBHOOKS_BIND": _loopback(ports.webhooks),
        "MESSAGING_OPS_BIND": _loopback(ports.messaging_ops),
        "TEMPLATES_OPS_BIND": _loopback(ports.templates_ops),
        "CAMPAIGNS_OPS_BIND": _loopback(ports.campaigns_ops),
        "AGENTS_OPS_BIND": _loopback(ports.agents_ops),
        "WEBHOOKS_OPS_BIND": _loopback(ports.webhooks_ops),
        "SANDBOX_BIND": _loopback(ports.sandbox),
    }


def _addresses_within(env: Mapping[str, str]) -> dict[str, str]:
    """Who talks to whom, which follows from where they listen."""
    sandbox = local_url(env["SANDBOX_BIND"])
    return {
        "PUBLIC_BASE_URL": local_url(env["GATEWAY_PUBLIC_BIND"]),
        "META_GRAPH_URL": sandbox,
        "INSTAGRAM_GRAPH_URL": sandbox,
        "OPENAI_BASE_URL": f"{sandbox}/v1",
        # A name for the sandbox's model; with an API of one's own, none is made up.
        **({} if _is_given(env, "OPENAI_BASE_URL") else {"OPENAI_MODEL": "sandbox-model"}),
        "SANDBOX_WEBHOOK_URL": f"{local_url(env['WEBHOOKS_BIND'])}/webhooks/meta",
    }


def _fill_in(env: dict[str, str], defaults: Mapping[str, str]) -> None:
    env |= {name: value for name, value in defaults.items() if not _is_given(env, name)}


def _is_given(environ: Mapping[str, str], name: str) -> bool:
    return bool(environ.get(name) or environ.get(f"{name}_FILE"))


def _without_empty(environ: Mapping[str, str]) -> dict[str, str]:
    """An empty variable means "not set", as a line of .env.example left open does."""
    return {name: value for name, value in environ.items() if value}


def _loopback(port: int) -> str:
    return f"127.0.0.1:{port}"
