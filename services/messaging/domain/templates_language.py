"""Which approved language of a template is meant."""

from collections.abc import Sequence

from services.messaging.domain.templates_values import invalid
from shared.contracts.templates import Template


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


def _comparable(language: str) -> str:
    # Meta writes en_US in its API and en-US in some webhooks and pages.
    return language.replace("-", "_").lower()


def _statuses(candidates: Sequence[Template]) -> str:
    known = ", ".join(sorted(f"{template.language} is {template.status}" for template in candidates))
    return f" ({known})" if known else ""
