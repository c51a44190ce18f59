"""A finding of the linter."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that Meta refuses: a stable code, the path of the member, and what is wrong with it."""

    code: str
    field: str
    words: str

    def __str__(self) -> str:
        return f"{self.code}: {self.field} {self.words}"
