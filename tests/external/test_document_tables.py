"""The tables of the external send API's document, row by row: errors, permissions, discovery."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.external.product import Answer, Key, Product, Tenant

pytestmark = [pytest.mark.database, pytest.mark.rabbit]

DOMAIN = Path(__file__).parent.parent / "messaging" / "domain"
REQUESTS = [row["request"] for row in json.loads((DOMAIN / "external_examples.json").read_text())]
TEXT = {"to": "+919876543210", "type": "text", "text": "Hello!"}
REFUSED_BY_META = "+999013102601"  # the sandbox refuses it with Meta's code 131026

INVOICE = {
    "name": "invoice_ready",
    "language": "en",
    "category": "UTILITY",
    "components": [
        {"type": "HEADER", "format": "DOCUMENT"},
        {"type": "BODY", "text": "Hello {{1}}, your invoice for {{2}} is ready. Total: {{3}}."},
        {"type": "FOOTER", "text": "Powered by WAAPI"},
    ],
}


def request_of(**wanted: Any) -> dict[str, Any]:
    """The first documented request with these members."""
    return dict(next(request for request in REQUESTS if wanted.items() <= request.items()))


def interactive(kind: str) -> dict[str, Any]:
    """The first documented interactive request of a kind."""
    return next(dict(each) for each in REQUESTS if each.get("interactive", {}).get("type") == kind)


# Message type or action, and the permission that it needs.
PERMISSION_ROWS = [
    ("send_text", request_of(type="text")),
    *(("send_media", request_of(type=kind)) for kind in ("image", "video", "audio", "document")),
    ("send_template", request_of(type="template")),
    ("send_template", request_of(type="carousel")),
    *(("send_interactive", interactive(kind)) for kind in ("button", "cta_url", "list", "carousel")),
]
PERMISSIONS = ("send_text", "send_media", "send_template", "send_interactive", "read_templates")


# --- errors


def refusal(answer: Answer, status: int) -> str:
    """The error's text, of an answer that must be a refusal in the documented shape."""
    assert (answer.status, answer.body["success"]) == (status, False), answer
    assert isinstance(answer.body["error"], str)
    return str(answer.body["error"])


async def test_400_a_required_field_is_missing(tenant: Tenant) -> None:
    key = await tenant.key()
    body = {"to": "+919876543210", "type": "interactive", "interactive": {"type": "carousel", "body": "Browse"}}

    assert refusal(await key.send(body), 400) == "interactive.cards is required for type=carousel."
    assert refusal(await key.send({"type": "text", "text": "Hello!"}), 400) == "to is required"


async def test_400_a_format_is_invalid(tenant: Tenant) -> None:
    key = await tenant.key()
    wrong_number = await key.send(TEXT | {"to": "9876543210"})
    url = f"{tenant.product.public}/api/external/send-message"
    not_base64 = await tenant.product.call("POST", f"{url}/%21%21", TEXT, token=key.token)
    no_json = await tenant.product.call("POST", f"{url}/{key.encoded_phone_id}", raw=b'{"to":', token=key.token)

    assert "E.164" in refusal(wrong_number, 400)
    assert "Base64" in refusal(not_base64, 400)
    assert refusal(no_json, 400)


@pytest.mark.parametrize("token", [None, "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.x", "wak_live_nonsense"])
async def test_401_the_token_is_missing_or_invalid(tenant: Tenant, token: str | None) -> None:
    key = await tenant.key()
    stranger = Key(tenant.product, key.encoded_phone_id, token or "", "")

    assert refusal(await stranger.send(TEXT), 401) == "Missing or invalid Authorization token"
    assert refusal(await stranger.discover(), 401) == "Missing or invalid Authorization token"


async def test_403_the_token_is_for_another_number(product: Product, tenant: Tenant) -> None:
    other = await (await product.add_tenant()).key()
    key = await tenant.key()
    mixed = Key(product, other.encoded_phone_id, key.token, key.key_id)

    assert "phone number" in refusal(await mixed.send(TEXT), 403)
    assert "phone number" in refusal(await mixed.discover(), 403)


async def test_502_metas_own_words_are_in_error_message(tenant: Tenant) -> None:
    key = await tenant.key()

    answer = await key.send(TEXT | {"to": REFUSED_BY_META})

    error, data = answer.body["error"], answer.body["data"]
    assert (answer.status, answer.body["success"]) == (502, False)
    assert (error["code"], "131026" in error["message"]) == (131026, True)
    assert list(error) == ["message", "code", "subcode", "type", "details", "fbtrace_id"]
    assert (data["status"], len(data["message_id"]), len(data["conversation_id"])) == ("failed", 24, 24)


# --- permissions


@pytest.mark.parametrize("permission", PERMISSIONS)
async def test_a_key_may_do_what_its_permission_says_and_nothing_else(tenant: Tenant, permission: str) -> None:
    key = await tenant.key(permission)

    sent = [(await key.send(body)).status for _, body in PERMISSION_ROWS]
    tried = [(await key.send(body, "?dry_run=true")).status for _, body in PERMISSION_ROWS]
    read = [(await key.discover(rest)).status for rest in ("", "/hello_world")]

    expected = [200 if needed == permission else 403 for needed, _ in PERMISSION_ROWS]
    assert (sent, tried) == (expected, expected)
    assert read == ([200, 200] if permission == "read_templates" else [403, 403])


# --- discovery


@pytest.fixture(scope="module")
async def vendor(product: Product) -> Tenant:
    """A tenant with the document's template, one in two languages, and one that Meta has paused."""
    tenant = await product.add_tenant()
    hello = {"category": "MARKETING", "components": [{"type": "BODY", "text": "Hello"}]}
    await tenant.register(INVOICE)
    await tenant.register(hello | {"name": "paused_one", "language": "en"})
    await tenant.sync()
    await tenant.register(hello | {"name": "paused_one", "language": "en", "status": "PAUSED"})
    await tenant.sync()
    return tenant


async def listed(vendor: Tenant, rest: str) -> list[tuple[str, str, str]]:
    """Name, language and status of what is found."""
    answer = await (await vendor.key("read_templates")).discover(rest)
    assert answer.status == 200, answer
    found = answer.body["data"]["templates"]
    return sorted((each["template_name"], each["language"], each["meta_status"]) for each in found)


@pytest.mark.parametrize("private", [True, False])
async def test_the_documented_template_is_shown_as_documented_on_both_base_urls(vendor: Tenant, private: bool) -> None:
    meta_id = await vendor.register(INVOICE)
    key = await vendor.key("read_templates")

    answer = await key.discover("/invoice_ready?language=en", private=private)

    assert answer.status == 200
    assert answer.body == {
        "success": True,
        "data": {
            "templates": [
                {
                    "template_name": "invoice_ready",
                    "language": "en",
                    "category": "utility",
                    "meta_status": "APPROVED",
                    "meta_template_id": meta_id,
                    "quality_score": "UNKNOWN",  # the sandbox's; Meta's GREEN comes with use
                    "parameter_format": "positional",
                    "header": {"format": "DOCUMENT", "text": None, "variable_count": 0, "example": None},
                    "body": {
                        "text": "Hello {{1}}, your invoice for {{2}} is ready. Total: {{3}}.",
                        "variable_count": 3,
                        "example": None,
                    },
                    "footer": {"text": "Powered by WAAPI"},
                    "buttons": [],
                    "raw_components": INVOICE["components"],
                }
            ],
            "pagination": {"page": 1, "limit": 50, "total": 1, "totalPages": 1},
        },
        "message": "Templates retrieved successfully.",
    }


async def test_status_is_approved_unless_another_or_all_is_asked_for(vendor: Tenant) -> None:
    by_default = await listed(vendor, "")
    every = await listed(vendor, "?status=all")

    assert {status for _, _, status in by_default} == {"APPROVED"}
    assert await listed(vendor, "?status=APPROVED") == by_default
    assert await listed(vendor, "?status=PAUSED") == [("paused_one", "en", "PAUSED")]
    assert set(every) - set(by_default) == {("paused_one", "en", "PAUSED")}


async def test_language_is_a_single_code(vendor: Tenant) -> None:
    assert await listed(vendor, "?language=bn") == [("appointment_reminder", "bn", "APPROVED")]


async def test_search_is_a_substring_in_either_case(vendor: Tenant) -> None:
    rows = await listed(vendor, "?search=Voice_Rea")

    assert rows == [("invoice_ready", "en", "APPROVED"), ("invoice_ready", "en_US", "APPROVED")]


async def test_pages_begin_at_1_and_hold_as_many_as_limit_says(vendor: Tenant) -> None:
    key = await vendor.key("read_templates")
    first = (await key.discover()).body["data"]
    total = first["pagination"]["total"]

    pages = [(await key.discover(f"?page={page}&limit=5")).body["data"] for page in range(1, -(-total // 5) + 2)]

    assert first["pagination"] == {"page": 1, "limit": 50, "total": total, "totalPages": 1}
    assert [page["pagination"]["page"] for page in pages] == list(range(1, len(pages) + 1))
    assert {page["pagination"]["totalPages"] for page in pages} == {len(pages) - 1}
    assert [template for page in pages for template in page["templates"]] == first["templates"]
    assert pages[-1]["templates"] == []


@pytest.mark.parametrize("query", ["limit=201", "limit=0", "page=0", "page=x"])
async def test_the_largest_page_holds_200_and_the_first_is_1(vendor: Tenant, query: str) -> None:
    answer = await (await vendor.key("read_templates")).discover(f"?{query}")

    assert query.split("=", maxsplit=1)[0] in refusal(answer, 400)


async def test_a_name_shows_every_approved_variant(vendor: Tenant) -> None:
    rows = await listed(vendor, "/appointment_reminder")

    assert rows == [("appointment_reminder", "bn", "APPROVED"), ("appointment_reminder", "en_US", "APPROVED")]


async def test_an_unknown_name_is_a_404_with_names_like_it(vendor: Tenant) -> None:
    answer = await (await vendor.key("read_templates")).discover("/invoice_redy")

    assert "did you mean invoice_ready" in refusal(answer, 404)
    assert answer.body["details"][0]["close_matches"] == ["invoice_ready"]


async def test_what_discovery_shows_is_enough_to_send_the_template(vendor: Tenant) -> None:
    key = await vendor.key()
    (track,) = (await key.discover("/track_order")).body["data"]["templates"]
    values = [f"value {number + 1}" for number in range(track["body"]["variable_count"])]
    buttons = [{"index": each["index"], "sub_type": each["type"].lower(), "url": "A-1"} for each in track["buttons"]]
    template = {"name": track["template_name"], "language": track["language"], "buttons": buttons}

    answer = await key.send(TEXT | {"type": "template", "template": template | {"body": {"variables": values}}})

    assert answer.status == 200, answer
