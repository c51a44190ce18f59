"""Listening on an address."""

import pytest
from aiohttp import ClientSession

from deploy.local.ports import Ports
from shared.settings import ConfigurationError
from shared.web.ops import Readiness, ops_app
from shared.web.server import serving


async def test_it_answers_while_the_block_lasts_and_not_after() -> None:
    bind = f"127.0.0.1:{Ports.free().mongodb}"
    async with ClientSession() as http:
        async with serving(ops_app("test", Readiness({})), bind):
            assert (await http.get(f"http://{bind}/healthz")).status == 200

        with pytest.raises(OSError, match="Cannot connect"):
            await http.get(f"http://{bind}/healthz")


async def test_an_address_that_is_none_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="host:port"):
        async with serving(ops_app("test", Readiness({})), "nowhere"):
            pass
