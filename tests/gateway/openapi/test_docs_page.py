"""`/docs`: a page that needs nothing but the gateway itself."""

import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from services.gateway.openapi.files import file_text
from tests.gateway.conftest import Client, Gateway

SWAGGER_UI = Path(__file__).parents[3] / "services" / "gateway" / "static" / "swagger-ui"
PAGES = [
    ("private", "/docs"),
    ("private", "/docs/dashboard"),
    ("private", "/docs/webchat"),
    ("public", "/docs"),
    ("public", "/docs/webchat"),
]


class References(HTMLParser):
    """Collects whatever a page refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Addresses stand in these attributes."""
        self.found += [value for name, value in attrs if value and name in {"href", "src", "data-document", "action"}]


async def references(client: Client, path: str) -> list[str]:
    """What the page at `path` refers to."""
    parser = References()
    parser.feed(await (await client.get(path)).text())
    return parser.found


def listener(gateway: Gateway, name: str) -> Client:
    """One of the two."""
    return {"private": gateway.private, "public": gateway.public}[name]


@pytest.mark.parametrize(("name", "path"), PAGES)
async def test_all_that_a_page_refers_to_is_here(gateway: Gateway, name: str, path: str) -> None:
    client = listener(gateway, name)

    found = [reference for reference in await references(client, path) if reference != "data:,"]
    statuses = {reference: (await client.get(reference)).status for reference in found if reference.startswith("/")}

    assert statuses == dict.fromkeys(found, 200)
    assert len(found) >= 5


@pytest.mark.parametrize(("name", "path"), PAGES)
async def test_a_browser_is_told_to_load_nothing_from_elsewhere(gateway: Gateway, name: str, path: str) -> None:
    response = await listener(gateway, name).get(path)

    policy = dict(rule.split(" ", 1) for rule in response.headers["Content-Security-Policy"].split("; "))
    assert policy.pop("img-src") == "'self' data:"
    assert policy["default-src"] == "'none'"
    assert set(policy.values()) == {"'none'", "'self'"}
    assert (response.content_type, response.headers["X-Content-Type-Options"]) == ("text/html", "nosniff")


async def test_style_sheets_and_the_page_s_script_name_no_other_server(gateway: Gateway) -> None:
    texts = [
        await (await gateway.public.get(path)).text()
        for path in ("/docs/swagger-ui.css", "/docs/page.css", "/docs/start.js")
    ]

    for text in texts:
        assert re.findall(r"@import|//[a-z]+\.", re.sub(r"url\([\"']?data:[^)]*\)", "", text)) == []


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("private", "openapi.json"),
        ("private", "openapi-dashboard.json"),
        ("private", "openapi-webchat.json"),  # for whoever runs the product, though the web chat itself is not here
        ("public", "openapi.json"),
        ("public", "openapi-webchat.json"),
    ],
)
async def test_a_listener_serves_the_documents_of_its_readers(gateway: Gateway, name: str, path: str) -> None:
    response = await listener(gateway, name).get(f"/{path}")

    assert (response.status, response.content_type) == (200, "application/json")
    assert await response.text() == file_text(path)


@pytest.mark.parametrize("path", ["/openapi-dashboard.json", "/docs/dashboard"])
async def test_the_public_listener_does_not_tell_of_the_dashboard_api(gateway: Gateway, path: str) -> None:
    assert (await gateway.public.get(path)).status == 404


async def test_a_browser_loads_swagger_ui_once(gateway: Gateway) -> None:
    first = await gateway.public.get("/docs/swagger-ui-bundle.js")
    again = await gateway.public.get("/docs/swagger-ui-bundle.js", headers={"If-None-Match": first.headers["ETag"]})

    assert (first.status, again.status) == (200, 304)


@pytest.mark.parametrize("name", ["swagger-ui-bundle.js", "swagger-ui.css"])
def test_swagger_ui_is_what_its_makers_published(name: str) -> None:
    digest = hashlib.sha256((SWAGGER_UI / name).read_bytes()).hexdigest()

    assert f"| `{name}` | `{digest}` |" in (SWAGGER_UI / "README.md").read_text(encoding="utf-8")
