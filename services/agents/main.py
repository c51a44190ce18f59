"""Builds agents and runs it."""

import asyncio
from collections.abc import Mapping

from services.agents.settings import AgentsSettings
from shared.service import running


async def run(environ: Mapping[str, str], stop: asyncio.Event) -> None:
    """Run until told to stop. Raises ConfigurationError when the environment does not allow a start."""
    settings = AgentsSettings.from_env(environ)
    async with running("agents", settings, settings.agents_ops_bind) as service:
        await service.until(stop)
