"""Configuration that every service shares. Only `settings.py` files read the environment.

Each variable may instead be given as `<NAME>_FILE`, the path of a file that holds the value.
"""

import os
import secrets as _secrets
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, SecretStr, ValidationError

EX_CONFIG = 78  # sysexits.h: the configuration is wrong; a supervisor need not try again

BOOT_ID = _secrets.token_hex(3)


def _comma_list(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


CommaList = Annotated[tuple[str, ...], BeforeValidator(_comma_list)]


class ConfigurationError(Exception):
    """The environment does not allow a start; the text says which variable and what it should be."""


class Settings(BaseModel):
    """The variables of every service."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    amqp_url: SecretStr = SecretStr("amqp://guest:guest@127.0.0.1:5672/")
    mongodb_url: SecretStr = SecretStr("mongodb://127.0.0.1:27017/?replicaSet=rs0")
    database_prefix: str = "waapi"
    environment: Literal["local", "production"] = "local"
    log_format: Literal["json", "console"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings from a mapping such as os.environ.

        Raises ConfigurationError naming every variable that is missing or wrong, never its value.
        """
        try:
            given = {name: value for name in cls.model_fields if (value := _lookup(environ, name)) is not None}
            return cls.model_validate(given)
        except ValidationError as error:
            problems = "; ".join(f"{'.'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors())
            raise ConfigurationError(problems) from None

    @property
    def is_local(self) -> bool:
        """Whether this is a developer's machine, where loopback receivers and magic numbers are allowed."""
        return self.environment == "local"


def _lookup(environ: Mapping[str, str], name: str) -> str | None:
    variable = name.upper()
    if value := environ.get(variable):
        return value
    if path := environ.get(f"{variable}_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{variable}_FILE cannot be read: {type(error).__name__}") from error
    return None


def parse_bind(bind: str) -> tuple[str, int]:
    """Split `host:port`; raises ConfigurationError when it is anything else."""
    host, separator, port = bind.rpartition(":")
    if not separator or not port.isdigit():
        raise ConfigurationError(f"{bind!r} is not of the form host:port")
    return host.strip("[]"), int(port)


def worker_name() -> str:
    """Which process this is, for leases and logs: host, process and boot."""

    return f"{socket.gethostname()}:{os.getpid()}:{BOOT_ID}"
