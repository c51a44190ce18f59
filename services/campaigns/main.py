"""Builds campaigns and runs it."""

import asyncio
from collections.abc import Mapping

from services.campaigns.settings import CampaignsSettings
from shared.service import running


async def run(environ: Mapping[str, str], stop: asyncio.Event) -> None:
    """Run until told to stop. Raises ConfigurationError when the environment does not allow a start."""
    settings = CampaignsSettings.from_env(environ)
    async with running("campaigns", settings, settings.campaigns_ops_bind) as service:
        await service.until(stop)
