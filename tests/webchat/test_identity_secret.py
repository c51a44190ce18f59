"""The operator gives a channel the secret by which its site proves who its visitors are."""

import hashlib
import hmac

from aiohttp.test_utils import TestClient, TestServer

from services.gateway.repositories.idempotency_keys import IdempotencyRepository
from services.gateway.routes.asking import Asking
from services.gateway.routes.idempotent import Idempotency
from services.gateway.routes.webchat_identity import WebchatIdentityRoutes
from shared.clock import utc_now
from shared.mongo import Database
from shared.sealing import KeyRing
from shared.web.app import web_app
from tests.gateway.conftest import ENVIRONMENT
from tests.webchat.page import Page
from tests.webchat.stage import WEBCHAT_ID, Site

KEYS = KeyRing.parse(ENVIRONMENT["MASTER_KEYS"])
PATH = f"/admin/webchat/channels/{WEBCHAT_ID}/identity-secret"


async def test_a_secret_made_for_a_site_proves_its_visitors_until_it_is_replaced(
    page: Page, site: Site, database: Database
) -> None:
    idempotency = Idempotency(IdempotencyRepository(database), KEYS, utc_now)
    routes = WebchatIdentityRoutes(Asking(site.bus), idempotency, KEYS)
    async with TestClient(TestServer(web_app(routes.table(), service="gateway"))) as operator:
        made = await (await operator.post(PATH, json={"required": True})).json()
        again = await (await operator.post(PATH, json={"required": True}, headers={"Idempotency-Key": "k"})).json()
        repeated = await (await operator.post(PATH, json={"required": True}, headers={"Idempotency-Key": "k"})).json()
        old, new = made["data"]["secret"], again["data"]["secret"]

        with_old, _ = await page.open(identity=identity(old))
        with_new, _ = await page.open(identity=identity(new))
        removed = await operator.delete(PATH)
        unnamed, _ = await Page(page.http, site).open()

    assert repeated["data"] == again["data"]
    assert old != new
    assert (with_old, with_new, removed.status, unnamed) == (403, 201, 200, 201)


async def test_an_unknown_channel_gets_no_secret(site: Site, database: Database) -> None:
    idempotency = Idempotency(IdempotencyRepository(database), KEYS, utc_now)
    routes = WebchatIdentityRoutes(Asking(site.bus), idempotency, KEYS)
    async with TestClient(TestServer(web_app(routes.table(), service="gateway"))) as operator:
        answer = await operator.post(PATH.replace("webchat_8", "webchat_9"), json={})

    assert answer.status == 404


def identity(secret: str) -> dict[str, str]:
    """As a site's own server computes it."""
    proof = hmac.new(secret.encode(), b"customer-17", hashlib.sha256).hexdigest()
    return {"external_id": "customer-17", "proof": proof}
