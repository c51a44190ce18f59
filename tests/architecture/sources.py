"""The product's source files, and what can be read off them without running them."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def source_files(*folders: str) -> list[Path]:
    """All Python files under the folders, as paths relative to the root."""
    files = sorted(path.relative_to(ROOT) for folder in folders for path in (ROOT / folder).rglob("*.py"))
    assert files, "the folders hold no source: this test would prove nothing"
    return files


def calls_of(path: Path, names: set[str]) -> Iterator[ast.Call]:
    """The calls in a file of functions or classes with these names, however they were imported."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Call) and _last_name(node.func) in names:
            yield node


def names_in(path: Path) -> set[str]:
    """Every name and attribute that a file mentions in its code; texts and comments do not count."""
    found = set()
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.add(f"{node.value.id}.{node.attr}")
    return found


def _last_name(node: ast.expr) -> str | None:
    if isinstance(node, ast.Subscript):
        return _last_name(node.value)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else None


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), filename=str(path))
