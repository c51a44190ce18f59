"""Every query that the gateway makes of its own collections uses an index."""

from collections.abc import AsyncIterator

import pytest

from shared.mongo import Database
from tests.explaining import Watched, watching
from tests.gateway.conftest import Gateway, make_tenant
from tests.servers import RealServers, fresh_name

HELLO = {"to": "+919876543210", "type": "text", "text": "Hello"}


@pytest.fixture
async def watched(servers: RealServers) -> AsyncIterator[Watched]:
    """A database of its own: here, the gateway itself is to be watched."""
    async with watching(servers.mongodb_url, fresh_name()) as watched:
        yield watched
        await watched.database.client.drop_database(watched.database.name)


@pytest.fixture
def database(watched: Watched) -> Database:
    """The gateway's."""
    return watched.database


async def test_users_keys_tokens_and_repetitions_read_no_collection_as_a_whole(
    gateway: Gateway, watched: Watched
) -> None:
    tenant = await make_tenant(gateway)
    taken = {"user_id": "usr_2", "email": f"{tenant.user_id}@EXAMPLE.com"}
    assert (await gateway.private.post("/api/v1/users", json=taken)).status == 409
    assert (await gateway.private.get(f"/api/v1/users/{tenant.user_id}")).status == 200
    for _ in range(2):
        headers = tenant.headers | {"Idempotency-Key": "once"}
        assert (await gateway.public.post(tenant.url, json=HELLO, headers=headers)).status == 200
    key = f"/admin/api-keys/{tenant.key_id}"
    listed = await gateway.admin("GET", f"/admin/api-keys?user_id={tenant.user_id}")
    changed = await gateway.admin("PATCH", key, json={"name": "Another"})
    revoked = await gateway.admin("DELETE", key)
    refused = await gateway.public.post(tenant.url, json=HELLO, headers=tenant.headers)

    assert (listed.status, changed.status, revoked.status, refused.status) == (200, 200, 200, 401)
    assert len(watched.queries.kept) > 8, "too little was asked: this proves little"
    assert await watched.collection_scans() == []
