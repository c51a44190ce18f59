"""Which approved language of a template is meant, and what a mistyped name may have meant."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from heapq import nlargest

from services.messaging.domain.templates_values import invalid
from shared.contracts.templates import Template

_NAMES_COMPARED = 100  # a comparison costs up to 0.1 ms, a WABA may have 6,000 templates, and other requests wait
_LONGEST_COMPARED = 100  # characters; comparing costs their product


def resolve_language(candidates: Sequence[Template], requested: str | None, *, prefer_en_us: bool) -> Template:
    """The variant to send, among all known ones of one name.

    `prefer_en_us` belongs to carousel templates, whose language defaults to en_US where several are approved. Raises
    InvalidInputError, listing the approved languages, when the requested one is not approved or none was requested
    and several are.
    """
    field = "carousel.language" if prefer_en_us else "template.language"
    approved = {_comparable(template.language): template for template in candidates if template.status == "APPROVED"}
    if not approved:
        raise invalid(field, f"no language of this template is approved{_statuses(candidates)}")
    languages = ", ".join(sorted(template.language for template in approved.values()))
    if requested is not None:
        if (found := approved.get(_comparable(requested))) is None:
            raise invalid(field, f"{requested} is not an approved language of this template; approved: {languages}")
        return found
    if len(approved) == 1:
        return next(iter(approved.values()))
    if prefer_en_us and "en_us" in approved:
        return approved["en_us"]
    raise invalid(field, f"required, because the template is approved in several languages: {languages}")


def close_matches(name: str, known_names: Iterable[str]) -> list[str]:
    """Up to three known names that look like `name`, best first."""
    name = name[:_LONGEST_COMPARED]
    likely = nlargest(_NAMES_COMPARED, dict.fromkeys(known_names), key=lambda known: _shared_ends(name, known))
    return get_close_matches(name, likely, n=3)


def _shared_ends(name: str, known: str) -> int:
    return _shared_start(name, known) + _shared_start(name[::-1], known[::-1])


def _shared_start(one: str, other: str) -> int:
    for position, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return position
    return min(len(one), len(other))


def _comparable(language: str) -> str:
    # Meta writes en_US in its API and en-US in some webhooks and pages.
    return language.replace("-", "_").lower()


def _statuses(candidates: Sequence[Template]) -> str:
    known = ", ".join(sorted(f"{template.language} is {template.status}" for template in candidates))
    return f" ({known})" if known else ""
