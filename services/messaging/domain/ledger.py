"""Credits as a ledger: entries that never change their amount, and an account that follows from them.

An entry is moved in four steps, each of which may be the last one that a process makes: it is written (`new`, or with
the total that is to be `releasing`), the account takes the movement and notes its token in `applying`, the entry is
completed, the token is forgotten. Whoever finds one half-way goes on where it stopped; a token that is noted is never
applied again. At every instant reserved + used + free = granted.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from shared.contracts.messaging import Credits

Kind = Literal["grant", "reservation"]
EntryState = Literal["new", "open", "closed"]

NEW: Final = "new"  # written, and perhaps not taken from the account
OPEN: Final = "open"  # reserved: what is neither captured nor released is still set aside
CLOSED: Final = "closed"  # a grant that was given, or a reservation with nothing set aside any more


@dataclass(frozen=True, slots=True)
class Entry:
    """One grant, or one reservation: of a message, or of a campaign's run."""

    id: str
    user_id: str
    kind: Kind
    amount: int
    captured: int = 0
    released: int = 0
    state: EntryState = NEW
    releasing: int | None = None  # the total that `released` is about to become
    closing: bool = False  # nothing more will be captured than what is known by then
    note: str | None = None  # what a person wrote on a grant
    wakes: int = 0  # how often somebody has asked for its messages to be counted again

    @property
    def is_pending(self) -> bool:
        """Whether the account has a movement of it coming."""
        return self.state == NEW or self.releasing is not None


@dataclass(frozen=True, slots=True)
class Movement:
    """What an entry does to its account; `token` tells this movement from all others."""

    token: str
    entry_id: str
    free: int
    granted: int = 0


@dataclass(frozen=True, slots=True)
class Settlement:
    """What an entry is to say when its messages have been counted, and when they are to be counted again."""

    entry: Entry  # as it was before the count
    captured: int
    released: int
    closing: bool
    look_at: datetime


@dataclass(frozen=True, slots=True)
class Account:
    """A user's credits. `version` rises with every movement, so that two cannot be based on the same state."""

    user_id: str
    granted: int
    free: int
    version: int
    applying: frozenset[str]


def initial_grant_id(user_id: str) -> str:
    """The entry of the credits that a new user starts with."""
    return f"grant:initial:{user_id}"


def message_entry_id(message_id: str) -> str:
    """The reservation for one message."""
    return f"message:{message_id}"


def run_entry_id(campaign_id: str, run: int) -> str:
    """The reservation for one run of a campaign."""
    return f"campaign:{campaign_id}:{run}"


def message_id_of(entry_id: str) -> str | None:
    """The message that a reservation is for; None for a campaign's."""
    kind, _, rest = entry_id.partition(":")
    return rest if kind == "message" else None


def movement_of(entry: Entry) -> Movement | None:
    """The movement that an entry has coming, if any."""
    if entry.releasing is not None:
        return Movement(f"{entry.id}#{entry.releasing}", entry.id, free=entry.releasing - entry.released)
    if entry.state != NEW:
        return None
    if entry.kind == "grant":
        return Movement(entry.id, entry.id, free=entry.amount, granted=entry.amount)
    return Movement(entry.id, entry.id, free=-entry.amount)


def affordable(movements: Iterable[Movement], account: Account) -> list[Movement]:
    """Those movements that the account has not taken yet and can take, in their order."""
    free, taken = account.free, []
    for movement in movements:
        if movement.token not in account.applying and free + movement.free >= 0:
            free += movement.free
            taken.append(movement)
    return taken


def reserved(entry: Entry, applying: Collection[str]) -> int:
    """What a reservation sets aside of what the account has given up for it."""
    if entry.kind == "grant":
        return 0
    movement = movement_of(entry)
    applied = movement is not None and movement.token in applying
    if entry.state == NEW:
        return entry.amount if applied else 0
    released = entry.releasing if applied and entry.releasing is not None else entry.released
    return entry.amount - entry.captured - released


def balance(account: Account, entries: Iterable[Entry]) -> Credits:
    """What a user has, given every entry that sets something aside."""
    set_aside = sum(reserved(entry, account.applying) for entry in entries)
    return Credits(
        remaining_credits=account.free,
        total_used=account.granted - account.free - set_aside,
        total_granted=account.granted,
    )


def derived(entries: Iterable[Entry], applying: Collection[str]) -> tuple[int, int]:
    """What `granted` and `free` must be, by the entries alone."""
    granted = free = 0
    for entry in entries:
        movement = movement_of(entry)
        applied = movement is not None and movement.token in applying
        if entry.state == NEW and not applied:
            continue
        if entry.kind == "grant":
            granted += entry.amount
            free += entry.amount
        else:
            free -= entry.amount
            free += entry.releasing if applied and entry.releasing is not None else entry.released
    return granted, free


def settled(entry: Entry, *, charged: int, undecided: int) -> tuple[int, int]:
    """What a reservation has captured, and what of it may be released, given its messages.

    `charged` of its messages were accepted, `undecided` may still be. What was released before cannot be captured any
    more: a message that proves to have been accepted after that is free.
    """
    captured = min(charged, entry.amount - entry.released)
    if not entry.closing:
        return captured, entry.released
    return captured, max(entry.released, entry.amount - captured - undecided)
