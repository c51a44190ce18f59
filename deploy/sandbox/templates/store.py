"""The templates of every account, by id and by (account, name, language)."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from ..magic import TemplateFate, fate_of
from .adopted import first_templates
from .shape import Shape, shape_of

Key = tuple[str, str]


@dataclass(slots=True)
class Template:
    """One template in one language."""

    template_id: str
    waba_id: str
    name: str
    language: str
    category: str
    parameter_format: str
    components: list[dict[str, Any]]
    status: str = "PENDING"
    rejected_reason: str = "NONE"
    previous_category: str | None = None
    correct_category: str | None = None
    created_at: float = field(default_factory=time.time)
    updated_at: float = field(default_factory=time.time)
    edited_at: list[float] = field(default_factory=list)
    sends: int = 0
    shape: Shape = field(init=False)
    fate: TemplateFate = field(init=False)

    def __post_init__(self) -> None:
        self.fate = fate_of(self.name)
        self.replace_components(self.components)

    def replace_components(self, components: list[dict[str, Any]]) -> None:
        """Set the content; what a send must bring follows from it."""
        self.components = components
        self.shape = shape_of(components, named=self.parameter_format == "NAMED")
        self.updated_at = time.time()

    def fields(self) -> dict[str, Any]:
        """Every field of the Graph node; ids are text here, numbers in webhooks."""
        every = {
            "name": self.name,
            "parameter_format": self.parameter_format,
            "components": self.components,
            "language": self.language,
            "status": self.status,
            "category": self.category,
            "sub_category": "CUSTOM",
            "id": self.template_id,
            "quality_score": {"score": "UNKNOWN", "date": int(self.created_at)},
            "rejected_reason": self.rejected_reason,
            "last_updated_time": int(self.updated_at),
            "previous_category": self.previous_category,
            "correct_category": self.correct_category,
        }
        return {name: value for name, value in every.items() if value is not None}


DEFAULT_FIELDS = ("name", "parameter_format", "components", "language", "status", "category", "sub_category", "id")


class Templates:
    """All accounts' templates; an account that was never seen before gets the first ones."""

    def __init__(self) -> None:
        self._by_waba: dict[str, dict[Key, Template]] = {}
        self._by_id: dict[str, Template] = {}
        self._wabas_by_key: dict[Key, dict[str, Template]] = {}
        self._locked_until: dict[tuple[str, str], float] = {}
        self._new_id = count(1_000_000_000_000_001).__next__

    def adopt(self, waba_id: str) -> dict[Key, Template]:
        """The account's templates, by name and language."""
        if waba_id not in self._by_waba:
            self._by_waba[waba_id] = {}
            for row in first_templates():
                self.add(waba_id, status="APPROVED", **row)
        return self._by_waba[waba_id]

    def knows_waba(self, waba_id: str) -> bool:
        """Whether the account was seen before."""
        return waba_id in self._by_waba

    def add(
        self,
        waba_id: str,
        *,
        name: str,
        language: str,
        category: str,
        components: Sequence[Mapping[str, Any]],
        parameter_format: str = "POSITIONAL",
        status: str = "PENDING",
    ) -> Template:
        """Store a template, replacing the one of the same name and language."""
        account = self.adopt(waba_id)
        known = account.get((name, language))
        template = Template(
            template_id=known.template_id if known else str(self._new_id()),
            waba_id=waba_id,
            name=name,
            language=language,
            category=category,
            parameter_format=parameter_format,
            components=[dict(component) for component in components],
            status=status,
        )
        account[name, language] = template
        self._by_id[template.template_id] = template
        self._wabas_by_key.setdefault((name, language), {})[waba_id] = template
        return template

    def find(self, template_id: str) -> Template | None:
        """One template by its id."""
        return self._by_id.get(template_id)

    def find_for_send(self, name: str, language: str, wabas: Iterable[str]) -> Template | None:
        """The template a number means: of its own accounts first, else of any account that has one."""
        candidates = self._wabas_by_key.get((name, language), {})
        for waba_id in wabas:
            if waba_id in candidates:
                return candidates[waba_id]
        return next(iter(candidates.values()), None)

    def list_of(self, waba_id: str, wanted: Callable[[Template], bool]) -> list[Template]:
        """The account's templates that are wanted, oldest first."""
        return [template for template in self.adopt(waba_id).values() if wanted(template)]

    def delete(self, template: Template) -> None:
        """Take a template away."""
        key = (template.name, template.language)
        self._by_waba[template.waba_id].pop(key, None)
        self._wabas_by_key[key].pop(template.waba_id, None)
        self._by_id.pop(template.template_id, None)

    def lock_name(self, waba_id: str, name: str, seconds: float) -> None:
        """Keep a deleted name from being used again for a while."""
        self._locked_until[waba_id, name] = time.time() + seconds

    def name_is_locked(self, waba_id: str, name: str) -> bool:
        """Whether the name was deleted too recently."""
        return time.time() < self._locked_until.get((waba_id, name), 0)

    def reset(self) -> None:
        """Forget all accounts."""
        for memory in (self._by_waba, self._by_id, self._wabas_by_key, self._locked_until):
            memory.clear()
