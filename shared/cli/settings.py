"""What the command line needs to know: options, the environment, and what `make run` has left in `.local/demo.json`."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DEMO_FILE = Path(".local") / "demo.json"
PRIVATE_URL = "http://127.0.0.1:4000"

_VARIABLES = {
    "url": "WAAPI_URL",
    "user_id": "WAAPI_USER_ID",
    "phone_number_id": "WAAPI_PHONE_NUMBER_ID",
    "encoded_phone_id": "WAAPI_ENCODED_PHONE_ID",
    "api_token": "WAAPI_API_TOKEN",
    "admin_token": "WAAPI_ADMIN_TOKEN",
    "webhook_secret": "WAAPI_WEBHOOK_SECRET",
}


@dataclass(frozen=True, slots=True)
class CliSettings:
    """Who asks, and where. Secrets are not shown."""

    url: str = PRIVATE_URL
    user_id: str | None = None
    phone_number_id: str | None = None
    encoded_phone_id: str | None = None
    api_token: str | None = field(default=None, repr=False)
    admin_token: str | None = field(default=None, repr=False)
    webhook_secret: str | None = field(default=None, repr=False)
    demo_file: Path | None = None

    @classmethod
    def found(cls, environ: Mapping[str, str] | None = None, folder: Path | None = None) -> "CliSettings":
        """Everything that is known here and in the folders above; by default of this process."""
        variables = os.environ if environ is None else environ
        demo_file = _demo_file(folder or Path.cwd())
        demo = _read(demo_file) if demo_file else {}
        known: dict[str, Any] = {
            name: variables.get(variable) or demo.get(name) for name, variable in _VARIABLES.items()
        }
        known["url"] = known["url"] or PRIVATE_URL
        return cls(**known, demo_file=demo_file)


def _demo_file(folder: Path) -> Path | None:
    return next((file for each in (folder, *folder.parents) if (file := each / DEMO_FILE).is_file()), None)


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
