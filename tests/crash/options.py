"""How large a run is, and what it is made of; everything else follows from the seed."""

import random
from dataclasses import dataclass, field

LEASE_SECONDS = 8.0
TIMEOUT_SECONDS = 2.0
FREEZE_SECONDS = LEASE_SECONDS + 2  # long enough that everything a frozen process held has been given up
LINES = 4  # phone numbers, each with an API key: one key alone may call 100 times a second

# Short leases, so that a run need not wait two minutes for each thing a dead process held. The ratio of lease and
# time-out is the one that settings.py demands.
SETTINGS = {
    "SEND_LEASE_SECONDS": str(LEASE_SECONDS),
    "SEND_TIMEOUT_SECONDS": str(TIMEOUT_SECONDS),
    "CODE_LEASE_SECONDS": str(LEASE_SECONDS),
    "CODE_TIMEOUT_SECONDS": str(TIMEOUT_SECONDS),
    "SUBMIT_LEASE_SECONDS": "5",
    "DEFAULT_MESSAGES_PER_SECOND": "1000",
    "HAND_OVER_AGAIN_SECONDS": "20",
}


def random_seed() -> int:
    """A seed that is short enough to be typed in again."""
    return random.SystemRandom().randrange(1_000_000)


@dataclass(frozen=True, slots=True)
class Options:
    """One run. `kills` are of services; broker, database and frozen processes come on top."""

    messages: int = 2_000
    kills: int = 7
    brokers: int = 1
    databases: int = 1
    freezes: int = 1
    points: tuple[str, ...] | None = None  # crash points to aim the kills at; None: about half of them, by chance
    targets: tuple[str, ...] | None = None  # whom the other kills hit; None: anybody, messaging most often
    per_second: float = 60.0  # messages begun
    concurrency: int = 64  # requests under way
    lose_reply: float = 0.01  # share of calls that Meta acts on without ever answering
    late_statuses: bool = False  # hold Meta's statuses back until everything that dead workers left was given up
    customers: int = 150  # who write three messages each to a number that an agent answers on; others tap, see below
    dashboard: bool = True  # whether somebody submits templates and spends credits there meanwhile
    campaigns: int = 5  # large ones, made through the dashboard API; small ones on top, and two that are retried
    batches: int = 8  # campaign batches of 50 beside the single messages
    seed: int = field(default_factory=random_seed)
    mutant: str | None = None  # a deliberate bug in messaging, by its name in mutants.py
    drain_seconds: float = 150.0  # how long what is open may take to come to its end after the last message

    @property
    def tapping(self) -> int:
        """Customers on top who get a template with buttons, and tap."""
        return self.customers // 3

    @property
    def strikes(self) -> int:
        """Everything that is done to a process."""
        return self.kills + self.brokers + self.databases + self.freezes
