"""A template as Meta lists it, read once and tolerantly."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError

from services.templates.domain.statuses import reason_or_none
from shared.contracts.templates import ParameterFormat, SyncError

# Asked for by name: quality and the reason of a rejection are not among Meta's default fields.
FIELDS = (
    "id",
    "name",
    "language",
    "status",
    "category",
    "parameter_format",
    "components",
    "quality_score",
    "rejected_reason",
)


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int) else value


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


def _language(value: Any) -> Any:
    return value.replace("-", "_") if isinstance(value, str) else value  # Meta prints both en-US and en_US


def _score(value: Any) -> Any:
    return value.get("score") if isinstance(value, dict) else value  # {"score": "GREEN", "date": 1758754645}


def _format(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else "positional"


_Filled = StringConstraints(min_length=1)


class MetaTemplate(BaseModel):
    """One entry of Meta's list. Languages are written with an underscore, statuses and categories in upper case."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: Annotated[str, BeforeValidator(_text), _Filled]
    name: Annotated[str, _Filled]
    language: Annotated[str, BeforeValidator(_language), _Filled]
    status: Annotated[str, BeforeValidator(_upper), _Filled]
    category: Annotated[str, BeforeValidator(_upper), _Filled]
    parameter_format: Annotated[ParameterFormat, BeforeValidator(_format)] = "positional"
    components: tuple[dict[str, Any], ...]
    quality_score: Annotated[str | None, BeforeValidator(_score)] = None
    rejected_reason: Annotated[str | None, BeforeValidator(reason_or_none)] = None


def read_listing(entries: list[Any]) -> tuple[tuple[MetaTemplate, ...], tuple[SyncError, ...]]:
    """Read Meta's entries; one that cannot be read becomes an error and leaves the others alone.

    Templates move between pages while a list is read, so an id may come twice: the later entry counts.
    """
    templates: dict[str, MetaTemplate] = {}
    errors: list[SyncError] = []
    for entry in entries:
        try:
            template = MetaTemplate.model_validate(entry)
            templates[template.id] = template
        except ValidationError as error:
            errors.append(_unreadable(entry, error))
    return tuple(templates.values()), tuple(errors)


def same_components(one: tuple[dict[str, Any], ...], other: tuple[dict[str, Any], ...]) -> bool:
    """Whether two sets of components say the same.

    The links to a header's sample are left aside: Meta signs them anew each time it is asked.
    """
    return bool(_without_sample_links(list(one)) == _without_sample_links(list(other)))


def _without_sample_links(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_sample_links(item) for key, item in value.items() if key != "header_handle"}
    if isinstance(value, list | tuple):
        return [_without_sample_links(item) for item in value]
    return value


def _unreadable(entry: Any, error: ValidationError) -> SyncError:
    fields = entry if isinstance(entry, dict) else {}
    problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'entry'}: {e['msg']}" for e in error.errors())
    language = fields.get("language")
    return SyncError(
        name=str(fields.get("name") or "unnamed"),
        language=language if isinstance(language, str) else None,
        error=f"Meta's entry could not be read ({problems})",
    )
