"""Secrets of a local installation: made once, kept in a file that only its owner may read, used again."""

import base64
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path

MAKERS: dict[str, Callable[[], str]] = {
    "ADMIN_JWT_SECRET": lambda: secrets.token_urlsafe(48),
    "MASTER_KEYS": lambda: f"k1:{base64.b64encode(secrets.token_bytes(32)).decode()}",
    "API_KEY_PEPPER": lambda: secrets.token_urlsafe(48),
    "META_APP_SECRET": lambda: secrets.token_hex(16),
    "META_VERIFY_TOKEN": lambda: secrets.token_urlsafe(16),
}


def local_secrets(file: Path, names: Iterable[str]) -> dict[str, str]:
    """The named secrets from the file; those that it lacks are made and added to it."""
    kept = read_variables(file)
    missing = [name for name in names if not kept.get(name)]
    if missing:
        kept |= {name: MAKERS[name]() for name in missing}
        write_private(file, "".join(f"{name}={value}\n" for name, value in kept.items()))
    return {name: kept[name] for name in names}


def read_variables(file: Path) -> dict[str, str]:
    """`NAME=value` lines of a file; empty if there is none. Comments and quotes around a value are left out."""
    if not file.exists():
        return {}
    lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    pairs = [line.removeprefix("export ").partition("=") for line in lines if "=" in line and not line.startswith("#")]
    return {name.strip(): value.strip().strip("'\"") for name, _, value in pairs}


def write_private(file: Path, text: str) -> None:
    """Replace a file as a whole; nobody but its owner may read it, not even while it is written."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f"{file.name}.partial")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    partial.write_text(text, encoding="utf-8")
    partial.replace(file)
