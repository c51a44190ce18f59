"""Magic inputs: recipients under the unassigned code +999, tokens, and template names that make things happen."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .errors import GraphError
from .ledger import StatusName

_MAGIC_NUMBER = re.compile(r"^999(?:([01])(\d{6})\d\d|(2\d\d)(\d\d)\d{4})$")


@dataclass(frozen=True, slots=True)
class Effect:
    """What is special about a recipient; the default is nobody special."""

    refuse_with: int | None = None
    fail_with: int | None = None
    fail_first: int = 0
    statuses: tuple[StatusName, ...] = ("sent", "delivered", "read")
    twice: bool = False
    reversed: bool = False
    slowness: float = 1
    held: bool = False
    cut: bool = False
    bad_gateway: bool = False
    hidden: bool = False
    renumbered: bool = False


NORMAL = Effect()

_EFFECTS: Mapping[str, Effect] = {
    "220": Effect(statuses=("sent",)),
    "221": Effect(statuses=("sent", "delivered")),
    "222": Effect(statuses=("sent", "read")),
    "223": Effect(twice=True),
    "224": Effect(reversed=True),
    "225": Effect(slowness=20),
    "227": Effect(held=True),
    "228": Effect(held=True, fail_with=132015),
    "229": Effect(cut=True),
    "230": Effect(bad_gateway=True),
    "231": Effect(statuses=()),
    "232": Effect(hidden=True),
    "233": Effect(renumbered=True),
}


def effect_of(digits: str) -> Effect:
    """What sending to this number (without `+`) causes."""
    if not digits.startswith("999"):  # the hot path
        return NORMAL
    match = _MAGIC_NUMBER.match(digits)
    if match is None:
        return NORMAL
    route, code, effect, failures = match.groups()
    if route == "0":
        return Effect(refuse_with=int(code))
    if route == "1":
        return Effect(fail_with=int(code))
    if effect == "226":
        return Effect(fail_first=int(failures))
    return _EFFECTS.get(effect, NORMAL)


def check_token(token: str) -> None:
    """Refuse as Meta does for the magic tokens; any other token is adopted."""
    if not token.startswith("EAASIM-"):
        return
    kind = token.removeprefix("EAASIM-")
    if kind.startswith("expired"):
        raise GraphError(
            190,
            message="Error validating access token: Session has expired on Tuesday, 11-Nov-25 12:00:00 PST.",
            subcode=463,
        )
    if kind.startswith("noperm"):
        raise GraphError(200, "You do not have the necessary permissions on behalf of this WhatsApp account.")
    if kind.startswith("blocked"):
        raise GraphError(368, "The WhatsApp Business account is restricted for violating a platform policy.")
    if kind.startswith("appbusy"):
        raise GraphError(4, headers={"X-App-Usage": '{"call_count":100,"total_time":100,"total_cputime":100}'})


@dataclass(frozen=True, slots=True)
class TemplateFate:
    """What a template's name asks for; None where it asks for nothing."""

    reject_reason: str | None = None
    never_reviewed: bool = False
    review_after_seconds: float | None = None
    answered_category: str | None = None
    recategorised_after_seconds: float | None = None
    paused_after_sends: int | None = None
    disabled_after_approval: bool = False
    creation_subcode: int | None = None


def fate_of(name: str) -> TemplateFate:
    """Read the magic words in a template's name."""
    return TemplateFate(
        reject_reason=_word(name, r"sim_reject_([a-z_]+)"),
        never_reviewed="sim_pending" in name,
        review_after_seconds=_number(name, r"sim_delay_(\d+)s"),
        answered_category="MARKETING" if "sim_recat_marketing" in name else None,
        recategorised_after_seconds=_number(name, r"sim_recat_later_(\d+)s"),
        paused_after_sends=_number(name, r"sim_pause_after_(\d+)"),
        disabled_after_approval="sim_disable" in name,
        creation_subcode=_number(name, r"sim_create_err_(\d+)"),
    )


def _word(name: str, pattern: str) -> str | None:
    match = re.search(pattern, name)
    return match[1].strip("_").upper() if match else None


def _number(name: str, pattern: str) -> int | None:
    match = re.search(pattern, name)
    return int(match[1]) if match else None
