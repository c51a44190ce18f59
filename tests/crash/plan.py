"""Who is struck when, drawn from the seed alone, so that a run can be made again."""

import random
from dataclasses import dataclass
from typing import Literal

from shared.crashpoints import NAMES
from tests.crash.options import Options

Kind = Literal["kill", "point", "freeze", "term"]

# The crash points that the load of a run passes by itself, or that the killer asks for: by now all of them.
PASSED = NAMES
MESSAGING = ("messaging", "messaging-2")
# Most of what can go wrong is in messaging: it holds the messages.
WEIGHTS = {"messaging": 3, "messaging-2": 3, "gateway": 2, "webhooks": 2, "templates": 1, "campaigns": 1, "agents": 1}
FROZEN = {"messaging": 3, "messaging-2": 3, "webhooks": 1, "gateway": 1}
# What Meta tells again and again passes through these; each must have died in between.
REDELIVERED_TO = ("webhooks", "messaging", "agents")
SHARE_OF_POINTS = 0.75
MOST_PASSES = 5  # few enough that the messages of one segment reach them
FEWER_PASSES = {"agents": 2, "campaigns": 2}  # customers and campaigns come one by one
SHARE_OF_IMPATIENT = 0.2


@dataclass(frozen=True, slots=True)
class Strike:
    """One blow. It falls when `after` messages have been begun; those from `until` on wait for its end."""

    kind: Kind
    target: str
    after: int
    until: int
    point: str = ""  # with kind "point": where the process shall die, as CRASH_AT says it
    is_patient: bool = True  # whether everything has to be ready again before the next blow may fall

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.kind} {self.target}" + (f" at {self.point}" if self.point else "")


def plan(options: Options) -> tuple[Strike, ...]:
    """All strikes of a run, each in a segment of the messages of its own; after the last one a segment has peace."""
    rng = random.Random(options.seed)
    blows = [*_kills(options, rng), *_others(options, rng)]
    rng.shuffle(blows)
    length = options.messages / (len(blows) + 1)
    return tuple(
        Strike(
            kind,
            target,
            after=int(length * (index + rng.uniform(0.1, 0.4))),
            until=int(length * (index + 1)),
            point=point,
            is_patient=_is_patient(options, rng, is_last=index == len(blows) - 1),
        )
        for index, (kind, target, point) in enumerate(blows)
    )


def _is_patient(options: Options, rng: random.Random, *, is_last: bool) -> bool:
    if options.late_statuses:  # webhooks is frozen then, and never ready
        return False
    return is_last or rng.random() >= SHARE_OF_IMPATIENT


Blow = tuple[Kind, str, str]


def _kills(options: Options, rng: random.Random) -> list[Blow]:
    points = _points(options, rng)
    spared = [] if options.targets or options.points is not None else _spared(points)
    points = points[: max(options.kills - len(spared), 0)]
    blows: list[Blow] = [("point", _owner(point, rng), f"{point}:{_passes(point, rng)}") for point in points]
    targets = dict.fromkeys(options.targets, 1) if options.targets else WEIGHTS
    drawn = [*spared, *(_drawn(targets, rng) for _ in range(options.kills))]
    return blows + [("kill", target, "") for target in drawn[: options.kills - len(points)]]


def _spared(points: list[str]) -> list[str]:
    """Services that no crash point of these ends, though they have to die."""
    return [name for name in REDELIVERED_TO if not any(point.startswith(f"{name}.") for point in points)]


def _points(options: Options, rng: random.Random) -> list[str]:
    """Every name once if there are kills enough, else by chance and mostly those of messaging."""
    if options.points is not None:
        return list(options.points[: options.kills])
    names = sorted(PASSED)
    count = round(options.kills * SHARE_OF_POINTS)
    if count >= len(names):
        return names + rng.choices(names, k=count - len(names))
    favoured = sorted(names, key=lambda name: rng.random() * (2 if name.startswith("messaging.") else 1), reverse=True)
    return favoured[:count]


def _others(options: Options, rng: random.Random) -> list[Blow]:
    blows: list[Blow] = [("kill", "rabbitmq", "") for _ in range(options.brokers)]
    blows += [("kill", "mongod", "") for _ in range(options.databases)]
    return blows + [("freeze", _drawn(FROZEN, rng), "") for _ in range(options.freezes)]


def _passes(point: str, rng: random.Random) -> int:
    # Messages pass the other points by themselves, these only what is done at the dashboard every now and then.
    if point.startswith("templates."):
        return 1
    return rng.randint(1, FEWER_PASSES.get(point.partition(".")[0], MOST_PASSES))


def _owner(point: str, rng: random.Random) -> str:
    service = point.partition(".")[0]
    return rng.choice(MESSAGING) if service == "messaging" else service


def _drawn(weights: dict[str, int], rng: random.Random) -> str:
    return rng.choices(list(weights), weights=list(weights.values()))[0]
