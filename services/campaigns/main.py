"""Builds campaigns and runs it."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta

from services.campaigns.counting import Counting
from services.campaigns.dispatcher import Dispatcher
from services.campaigns.domain.pacing import RELEASED_AGAIN_AFTER
from services.campaigns.handlers.control import ControlHandlers
from services.campaigns.handlers.creation import CreationHandlers
from services.campaigns.handlers.outcomes import OutcomeHandlers
from services.campaigns.handlers.queries import QueryHandlers
from services.campaigns.handlers.staging import StagingHandlers
from services.campaigns.handlers.templates import TemplateHandlers
from services.campaigns.lifecycle import Lifecycle
from services.campaigns.neighbours import Neighbours
from services.campaigns.repositories.campaigns import CampaignRepository
from services.campaigns.repositories.handover import HandoverRepository
from services.campaigns.repositories.locks import LockRepository
from services.campaigns.repositories.outcomes import OutcomeRepository
from services.campaigns.repositories.recipients import RecipientRepository
from services.campaigns.repositories.staged import StagedRepository
from services.campaigns.running import RunningCampaigns
from services.campaigns.settings import CampaignsSettings
from services.campaigns.settling import Settling
from services.campaigns.showing import Showing
from services.campaigns.sweeper import Sweeper
from services.campaigns.telling import ContactTelling
from shared.bus.port import Bus
from shared.clock import Clock, utc_now
from shared.mongo import Database
from shared.periodic import repeating
from shared.service import running as running_service
from shared.settings import worker_name

DISPATCH_SECONDS = 0.1  # between rounds; a window lasts two seconds
SWEEP_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Campaigns:
    """The service's working parts."""

    dispatcher: Dispatcher
    sweeper: Sweeper
    creation: CreationHandlers
    staging: StagingHandlers
    control: ControlHandlers
    queries: QueryHandlers
    outcomes: OutcomeHandlers
    templates: TemplateHandlers

    def register(self) -> None:
        """Take every message that is campaigns'."""
        for handlers in (
            self.creation,
            self.staging,
            self.control,
            self.queries,
            self.outcomes,
            self.templates,
        ):
            handlers.register()


async def build(
    database: Database,
    bus: Bus,
    *,
    now: Clock = utc_now,
    monotonic: Callable[[], float] = time.monotonic,
    worker: str | None = None,
    indexes: bool = True,
    patience: timedelta = RELEASED_AGAIN_AFTER,
) -> Campaigns:
    """Put the parts together, with their `indexes` in place; `worker` tells replicas apart in what they lease."""
    campaigns, recipients = CampaignRepository(database, now), RecipientRepository(database, now)
    locks = LockRepository(database, worker or worker_name(), now)
    for repository in (campaigns, recipients, locks) if indexes else ():
        await repository.ensure_indexes()
    neighbours, counting = Neighbours(bus), Counting(recipients, monotonic)
    showing = Showing(counting, recipients, now)
    settling = Settling(recipients, neighbours)
    contacts = ContactTelling(campaigns, recipients, neighbours)
    outcomes = OutcomeRepository(database, now)
    running = RunningCampaigns(campaigns, monotonic)
    lifecycle = Lifecycle(bus, campaigns, recipients, locks, counting, neighbours, running, now)
    rows = HandoverRepository(database, now)
    dispatcher = Dispatcher(bus, running, rows, recipients, locks, lifecycle, neighbours, now, monotonic, patience)
    creation = CreationHandlers(bus, campaigns, recipients, lifecycle, neighbours, contacts, showing, now)
    control = ControlHandlers(bus, campaigns, recipients, lifecycle, neighbours, settling, showing, now)
    sweeper = Sweeper(
        campaigns=campaigns,
        rows=rows,
        recipients=recipients,
        outcomes=outcomes,
        counting=counting,
        lifecycle=lifecycle,
        dispatcher=dispatcher,
        creation=creation,
        control=control,
        contacts=contacts,
        settling=settling,
        neighbours=neighbours,
        running=running,
        now=now,
        patience=patience,
    )
    return Campaigns(
        dispatcher=dispatcher,
        sweeper=sweeper,
        creation=creation,
        staging=StagingHandlers(bus, campaigns, StagedRepository(database), neighbours, now),
        control=control,
        queries=QueryHandlers(bus, campaigns, recipients, neighbours, showing),
        outcomes=OutcomeHandlers(bus, campaigns, recipients, outcomes, lifecycle, running, now),
        templates=TemplateHandlers(bus, campaigns, lifecycle),
    )


async def run(environ: Mapping[str, str], stop: asyncio.Event) -> None:
    """Run until told to stop. Raises ConfigurationError when the environment does not allow a start."""
    settings = CampaignsSettings.from_env(environ)
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(running_service("campaigns", settings, settings.campaigns_ops_bind))
        campaigns = await build(service.database, service.bus, patience=settings.hand_over_again)
        campaigns.register()
        await stack.enter_async_context(repeating("dispatcher", campaigns.dispatcher.round, seconds=DISPATCH_SECONDS))
        await stack.enter_async_context(repeating("sweeper", campaigns.sweeper.sweep, seconds=SWEEP_SECONDS))
        await service.until(stop)
