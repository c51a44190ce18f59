"""nginx between a caller and stand-ins for the services."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

import aiohttp
import pytest
from yarl import URL

from tests.proxy.nginx import Nginx
from tests.proxy.upstream import Upstream

StartNginx = Callable[..., AbstractContextManager[Nginx]]


@pytest.fixture(scope="session")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> StartNginx:
    """Starts nginx, given its upstreams (documented port → real port) and perhaps more replacements."""

    def start(upstreams: Mapping[int, int], changes: Mapping[str, str] | None = None) -> AbstractContextManager[Nginx]:
        return Nginx.running(tmp_path_factory.mktemp("nginx"), upstreams, changes)

    return start


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A caller that follows nothing, unpacks nothing and keeps paths as they are written."""
    async with aiohttp.ClientSession(auto_decompress=False, timeout=aiohttp.ClientTimeout(total=20)) as session:
        yield session


@dataclass(frozen=True)
class Site:
    """The domain as a caller sees it, and the listeners behind it."""

    nginx: Nginx
    http: aiohttp.ClientSession
    public: Upstream
    webhooks: Upstream
    private: Upstream

    def call(
        self, method: str, path: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> aiohttp.client._RequestContextManager:
        """A request to the domain; the path goes out as it is written."""
        url = URL(self.nginx.https + path, encoded=True)
        return self.http.request(method, url, data=body, headers=headers, ssl=self.nginx.trust, allow_redirects=False)


@pytest.fixture(scope="session")
async def shared_site(nginx: StartNginx, http: aiohttp.ClientSession) -> AsyncIterator[Site]:
    """The domain in front of three stand-ins."""
    async with Upstream.running() as public, Upstream.running() as webhooks, Upstream.running() as private:
        with nginx({4001: public.port, 4002: webhooks.port, 4000: private.port}) as running:
            yield Site(running, http, public, webhooks, private)


@pytest.fixture
def site(shared_site: Site) -> Site:
    """The domain, whose services have seen nothing yet and accept everything."""
    for upstream in (shared_site.public, shared_site.webhooks, shared_site.private):
        upstream.start_over()
    return shared_site
