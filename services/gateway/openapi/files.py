"""The documents as files: served under their names, and committed to docs/.

`python -m services.gateway.openapi.files` writes them; a test compares what is committed with the code, so that a
change of the API is seen in review.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from services.gateway.openapi.dashboard import DASHBOARD_API
from services.gateway.openapi.document import Api, document
from services.gateway.openapi.external import EXTERNAL_API
from services.gateway.openapi.webchat import WEBCHAT_API

EXTERNAL, DASHBOARD, WEBCHAT = "openapi.json", "openapi-dashboard.json", "openapi-webchat.json"
APIS: Mapping[str, Api] = {EXTERNAL: EXTERNAL_API, DASHBOARD: DASHBOARD_API, WEBCHAT: WEBCHAT_API}
DOCS = Path(__file__).parents[3] / "docs"


@cache
def file_text(name: str) -> str:
    """What the file of this name holds; rendered once for each process."""
    return json.dumps(document(APIS[name]), indent=2, ensure_ascii=False) + "\n"


def write() -> None:
    """Write all files."""
    for name in APIS:
        (DOCS / name).write_text(file_text(name), encoding="utf-8")


if __name__ == "__main__":
    write()
